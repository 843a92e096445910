"""Erasure and export on behalf of a person, requested by apps or staff."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from core import audit
from privacy import export
from privacy.models import Erasure
from privacy.people import Person


def begin_erasure(
    person: Person, requested_by: str, staff: Any = None
) -> tuple[Erasure, dict[str, int]]:
    """Queue an erasure for a server process; returns it, and the number of rows by place."""
    rows = export.count(person)
    erasure = Erasure.objects.begin(person.user_id, person.app_id, requested_by)
    if staff:  # the audit log does not name the person
        audit.record(staff, erasure, _("Forgot a person"))
    return erasure, rows


def begin_export(
    person: Person, staff: Any = None, stamp: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yields the JSON export of a person, which begins with `stamp`."""
    if staff:
        audit.record(staff, Erasure, _("Exported what is stored about a person"))
    return export.export(person, stamp)
