"""Checks of a draft before it is published, and notes about published versions.

Apps above this one, such as quality, register theirs in the lists below when they start.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from classification.models import PromptVersion


class DraftFinding(NamedTuple):
    """The result of a check, shown by `template`. A draft with an `objection` is only published
    after a confirmation, and the audit log records the objection."""

    template: str
    context: dict[str, Any]
    objection: str = ""


class Note(NamedTuple):
    """A short text about a published version, and the address of the details."""

    text: str
    address: str


# Each returns its finding about a draft's text, or None.
draft_checks: list[Callable[[str], DraftFinding | None]] = []
# Each returns its notes about some of these versions, by version number.
version_notes: list[Callable[[Sequence[PromptVersion]], dict[int, Note]]] = []


def check_draft(text: str) -> list[DraftFinding]:
    """The findings of all checks about a draft."""
    return [finding for check in draft_checks if (finding := check(text))]


def objections(text: str) -> list[str]:
    """The objections to publishing a draft, which need a confirmation."""
    return [finding.objection for finding in check_draft(text) if finding.objection]


def add_notes(versions: Sequence[PromptVersion]) -> list[tuple[PromptVersion, list[Note]]]:
    """Each version with its notes."""
    found = [note(versions) for note in version_notes]
    return [
        (version, [notes[version.version] for notes in found if version.version in notes])
        for version in versions
    ]
