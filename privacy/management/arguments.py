"""Command line arguments that identify a person."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rest_framework.exceptions import ValidationError

from clients.management.arguments import existing_app
from privacy.people import Person


def add_person(parser: ArgumentParser) -> None:
    parser.add_argument("user_id", help="as apps send it, or as the staff's pages show it")
    parser.add_argument("--app", help="only the data of this app; default: of all apps")


def person_of(options: dict[str, Any]) -> Person:
    """The person in a command's options. Raises CommandError."""
    name = options["app"]
    app_id = None if name is None else existing_app(name).pk
    try:
        return Person.named(options["user_id"], app_id)
    except ValidationError:
        raise CommandError("This is not a valid user id.") from None
