"""Create an app and its key, or change an app's limits."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clients.models import ANONYMOUS, LIMITS, App, AppKey

LIMIT_HELP = {
    "new_photos_per_day": "uploads per local day that the cache does not answer",
    "cost_per_day": "cost of model calls per local day",
    "requests_per_minute": "requests of any kind per minute",
    "user_new_photos_per_day": "new photos of each user per day",
    "address_new_photos_per_day": "new photos per day of each address, for requests without a user",
}


class Command(BaseCommand):
    help = (
        "Create an app and print its key, which is shown only once. For an existing app, set the "
        "given limits, or switch it on or off; 'none' removes a limit."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=f"'{ANONYMOUS}' is for requests without a credential")
        parser.add_argument("--contact", help="who to contact when the app misbehaves")
        for limit in LIMITS:
            metavar = "YUAN" if limit == "cost_per_day" else "N"
            parser.add_argument(
                f"--{limit.replace('_', '-')}", metavar=metavar, help=LIMIT_HELP[limit]
            )
        parser.add_argument(
            "--trusted",
            action="store_true",
            default=None,
            help="hashes that one of its users declares count for all of them",
        )
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument(
            "--on",
            dest="is_active",
            action="store_true",
            default=None,
            help="accept the app's requests again",
        )
        switch.add_argument(
            "--off",
            dest="is_active",
            action="store_false",
            default=None,
            help="refuse the app's requests",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            app, is_new = _app(options["name"])
            changes = _changes(options)
            if not is_new and not changes:
                raise CommandError(
                    f"The app {app.name} exists already. Say what to change, or create a new key "
                    f"for it: rotate_key {app.name}"
                )
            for field, value in changes.items():
                setattr(app, field, value)
            _save(app)
            key = AppKey.objects.issue(app)[1] if is_new else None
        self.stdout.write(_as_json(app, key) if options["json"] else _as_text(app, key))


def _app(name: str) -> tuple[App, bool]:
    """The app of this name, and whether it is new and unsaved."""
    if name == ANONYMOUS:
        return App.objects.anonymous(), False
    app = App.objects.select_for_update().filter(name=name).first()
    return app or App(name=name), app is None


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        limit: None if options[limit] == "none" else options[limit]
        for limit in LIMITS
        if options[limit] is not None
    }
    given = {
        "contact": options["contact"],
        "is_trusted": options["trusted"],
        "is_active": options["is_active"],
    }
    return changes | {field: value for field, value in given.items() if value is not None}


def _save(app: App) -> None:
    try:
        app.full_clean()
    except ValidationError as error:
        sentences = [
            f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items()
        ]
        raise CommandError(" ".join(sentences)) from None
    app.save()


def _as_json(app: App, key: str | None) -> str:
    described = {
        "app": app.name,
        "key": key,
        "is_active": app.is_active,
        "is_trusted": app.is_trusted,
        "contact": app.contact,
    }
    return json.dumps(described | app.limits(), ensure_ascii=False)


def _as_text(app: App, key: str | None) -> str:
    if key is None:
        return f"App {app.name} changed; it is {'on' if app.is_active else 'off'}."
    return f"App: {app.name}\nKey (shown only once): {key}"
