"""List the apps, their limits and their keys."""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clients.models import LIMITS, App, AppKey


class Command(BaseCommand):
    help = "List the apps with their limits, and the beginnings of their keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        apps = [_described(app) for app in App.objects.prefetch_related("keys")]
        if options["json"]:
            self.stdout.write(json.dumps(apps, ensure_ascii=False, indent=2))
            return
        for app in apps:
            self.stdout.write(_as_text(app))


def _as_text(app: dict[str, Any]) -> str:
    limits = ", ".join(
        f"{limit.replace('_', ' ')} {app[limit]:g}" for limit in LIMITS if app[limit] is not None
    )
    state = "on" if app["is_active"] else "off"
    marks = ", trusted" if app["is_trusted"] else ""
    keys = [
        f"  {key['prefix']}  {key['state']}, used {key['use_count']} times" for key in app["keys"]
    ]
    return "\n".join([f"{app['app']} ({state}{marks}): {limits or 'no limits'}", *keys])


def _described(app: App) -> dict[str, Any]:
    return {
        "app": app.name,
        "contact": app.contact,
        "is_active": app.is_active,
        "is_trusted": app.is_trusted,
        **app.limits(),
        "keys": [_key(key) for key in app.keys.all()],
    }


def _key(key: AppKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "state": "usable" if key.is_usable else "revoked" if key.revoked_at else "expired",
        "created_at": _iso(key.created_at),
        "expires_at": _iso(key.expires_at),
        "revoked_at": _iso(key.revoked_at),
        "last_used_at": _iso(key.last_used_at),
        "use_count": key.use_count,
    }


def _iso(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None
