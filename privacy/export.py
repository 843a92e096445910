"""Exports everything stored about a person as JSON, streaming."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from clients.models import App
from privacy.people import Person
from privacy.personal_data import PLACES


def export(person: Person, stamp: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Yields the pieces of one JSON object, which begins with `stamp`. Raises DatabaseError."""
    names = dict(App.objects.values_list("pk", "name"))
    app = names.get(person.app_id or 0)
    head = {"user_id": person.user_id, "app": app, "exported_at": timezone.localtime()}
    yield _json({**(stamp or {}), **head})[:-1]
    for place in PLACES:
        yield f', "{place.name}": ['
        for number, row in enumerate(place.read(person)):
            yield ("," if number else "") + "\n" + _json(_shown(row, names))
        yield "]"
    yield "}\n"


def count(person: Person) -> dict[str, int]:
    """Place -> number of rows about the person."""
    return {place.name: place.count(person) for place in PLACES}


def _shown(row: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """A row as it is exported: with the app's name instead of its id, and without the primary
    key."""
    shown = {name: value for name, value in row.items() if name not in ("pk", "app_id")}
    return shown | {"app": names.get(row["app_id"])} if "app_id" in row else shown


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
