"""What packages above this one have to say of prompts: they add to these lists when they start."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from classification.models import PromptVersion


class Finding(NamedTuple):
    """What is known of a draft, shown by a template. `objection` is a sentence for the audit if
    publishing wants a deliberate tick, else empty."""

    template: str
    context: dict[str, Any]
    objection: str = ""


class Note(NamedTuple):
    """A few words about a published version, and where there is more."""

    text: str
    address: str


# What each has to say of a draft's text, if anything.
draft_checks: list[Callable[[str], Finding | None]] = []
# What each has to say of published versions, by their number.
version_notes: list[Callable[[Sequence[PromptVersion]], dict[int, Note]]] = []


def check_draft(text: str) -> list[Finding]:
    """All that is known of a draft."""
    return [finding for check in draft_checks if (finding := check(text))]


def objections(text: str) -> list[str]:
    """Why publishing the text wants a tick; none where it does not."""
    return [finding.objection for finding in check_draft(text) if finding.objection]


def add_notes(versions: Sequence[PromptVersion]) -> list[tuple[PromptVersion, list[Note]]]:
    """Each version with what is noted about it."""
    found = [note(versions) for note in version_notes]
    return [
        (version, [notes[version.version] for notes in found if version.version in notes])
        for version in versions
    ]
