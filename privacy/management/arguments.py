"""Command line arguments that identify a person."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rest_framework.exceptions import ValidationError

from clients.models import App
from privacy.people import Person


def add_person(parser: ArgumentParser) -> None:
    parser.add_argument("user_id", help="as apps send it, or as pages show it")
    parser.add_argument("--app", help="what this app has of the user, instead of all apps")


def person_of(options: dict[str, Any]) -> Person:
    """The person in a command's options. Raises CommandError."""
    try:
        return Person.named(options["user_id"], _app_id(options["app"]))
    except ValidationError:
        raise CommandError("This is no user id.") from None


def _app_id(name: str | None) -> int | None:
    if name is None:
        return None
    app = App.objects.filter(name=name).first()
    if app is None:
        raise CommandError(f"There is no app {name}: see list_apps.")
    return app.pk
