"""The findings of examinations."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

OK, WARNING, PROBLEM = "ok", "warning", "problem"
STATUS = {OK: 0, WARNING: 1, PROBLEM: 2}


class Finding(NamedTuple):
    """`level` is ok, warning or problem; `advice` says what to do about it, and is empty for ok."""

    subject: str
    level: str
    message: str
    advice: str = ""


class Options(NamedTuple):
    """`paid` allows one call that costs money; `free_mb` is the free space that disks need."""

    paid: bool = False
    free_mb: int = 1024


Examination = Callable[[Options], Iterable[Finding]]


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, OK, message)


def warning(subject: str, message: str, advice: str) -> Finding:
    return Finding(subject, WARNING, message, advice)


def problem(subject: str, message: str, advice: str) -> Finding:
    return Finding(subject, PROBLEM, message, advice)


def examine(examinations: Iterable[Examination], options: Options) -> Iterator[Finding]:
    """The findings of all examinations; one that raises is reported as a problem."""
    for examination in examinations:
        try:
            yield from examination(options)
        except Exception as error:
            # The message may contain a URL with a password; the type does not.
            subject = examination.__name__.strip("_").replace("_", " ")
            yield problem(
                subject,
                f"The check failed: {type(error).__name__}.",
                "See the findings above; if they are all ok, this is a bug.",
            )
