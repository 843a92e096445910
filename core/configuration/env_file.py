"""Reads `.env` like python-dotenv, but rejects lines that it would skip. python-dotenv ignores what
it cannot parse, and the service would start with other settings than intended.

Here such a line stops the start with a message that names it. No message repeats a value, which may
be a secret.
"""

import codecs
import io
import re
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# The name of a variable, if it is safe to repeat: a line may also be part of a multi-line secret,
# but those are hardly ever in capitals only.
PREFIXES = r"(?:export|EXPORT|set|setenv|let|declare -x|ENV|-)\s+|\$env:|\$"
BEFORE = rf"[\s\u200b\u2060\ufeff]*(?:{PREFIXES})?['\"“‘`\[]?"
SHOWN = re.compile(BEFORE + r"([A-Z][A-Z0-9_]{2,40})(?![A-Za-z0-9_/]|\+[^=])")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Z][A-Z0-9_]+\s*=")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
SAVE_AS_UTF8 = "Save it as UTF-8."


def read(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the file; empty if it does not exist.

    `${NAME}` expands to a variable of the environment or of a line above, except in single quotes.
    Raises ImproperlyConfigured naming the file, the line and the variable.
    """
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        if binding.error or binding.key is not None:
            _check(path, binding)
            found[binding.key or ""] = _expanded(path, binding, {**found, **environment})
    return found


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    except IsADirectoryError:
        raise ImproperlyConfigured(
            f"{path} is a folder, and must be a file. A container engine makes one where a "
            "mounted file does not exist."
        ) from None
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error.strerror}.") from None
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise ImproperlyConfigured(f"{path} is in {name}. {SAVE_AS_UTF8}")
    if b"\0" in data:
        raise ImproperlyConfigured(f"{path} has NUL bytes, as UTF-16 does. {SAVE_AS_UTF8}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImproperlyConfigured(
            f"{path}, line {line}: it is not in UTF-8, but perhaps in GBK. {SAVE_AS_UTF8}"
        ) from None


def _check(path: Path, binding: Binding) -> None:
    """Reject what python-dotenv would skip, or would parse differently than it looks."""
    line = binding.original.string.lstrip()
    if binding.error and re.search(r"=\s*['\"]", line):
        raise _refusal(path, binding, "its quotes do not match, or something follows them")
    if binding.error or binding.value is None:
        raise _refusal(
            path, binding, "it must be NAME=value, with an ASCII =; several lines need quotes"
        )
    if not NAME.fullmatch(binding.key or ""):
        raise _refusal(path, binding, "a name has only letters, digits and _")
    if any(ASSIGNMENT.match(each) for each in binding.value.splitlines()[1:]):
        raise _refusal(path, binding, "it goes on over the next lines, and those set variables")


def _expanded(path: Path, binding: Binding, known: Mapping[str, str]) -> str:
    value = binding.value or ""
    if binding.original.string.partition("=")[2].lstrip().startswith("'"):
        return value
    pieces = []
    for atom in parse_variables(value):
        if isinstance(atom, Variable) and atom.default is None and atom.name not in known:
            raise _refusal(
                path,
                binding,
                "it names a ${variable} that is not set; put the value between single quotes if "
                "it is meant as it stands",
            )
        pieces.append(atom.resolve(known))
    return "".join(pieces)


def _refusal(path: Path, binding: Binding, reason: str) -> ImproperlyConfigured:
    text = binding.original.string
    above = text[: len(text) - len(text.lstrip())]
    line = binding.original.line + len(re.findall(r"\r\n|\n|\r", above))
    if name := SHOWN.match(text):
        return ImproperlyConfigured(f"{path}, line {line}: {name[1]} cannot be read: {reason}.")
    return ImproperlyConfigured(f"{path}, line {line} cannot be read: {reason}.")
