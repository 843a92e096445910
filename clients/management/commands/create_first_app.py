"""Create the first app of a new installation, so that its first client has a key."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from clients.models import ANONYMOUS_ID, App, AppKey

NAME = "app"


class Command(BaseCommand):
    help = (
        f"Create the app '{NAME}' and print its key, which is shown only once. Does nothing if "
        "there is an app or a staff account already."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        staff = get_user_model()._default_manager.filter(is_superuser=True)
        if staff.exists() or App.objects.exclude(pk=ANONYMOUS_ID).exists():
            return
        app = App.objects.create(name=NAME)
        self.stdout.write(f"App: {app.name}")
        self.stdout.write(f"Key (shown only once): {AppKey.objects.issue(app)[1]}")
