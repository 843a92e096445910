"""Arguments that several commands share."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta

from django.core.management.base import CommandError

from clients.models import App

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """A time such as 7d, 12h or 30m."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not match:
        raise ArgumentTypeError("give a time such as 7d, 12h or 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def existing_app(name: str) -> App:
    """The app of this name; raises CommandError when there is none."""
    app = App.objects.filter(name=name).first()
    if app is None:
        raise CommandError(f"There is no app {name}; see list_apps.")
    return app
