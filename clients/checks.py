"""A deployment check of the apps' limits."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError
from django.utils.translation import gettext as _

from clients.models import ANONYMOUS, ANONYMOUS_ID, App

REMEDY = f"manage.py create_app {ANONYMOUS} --new-photos-per-day 1000"
HINT = f"Limit it: {REMEDY}, or switch it off: manage.py create_app {ANONYMOUS} --off"


def anybody_can_spend() -> bool:
    """Whether anonymous clients have no daily limit of their own; raises DatabaseError."""
    app = App.objects.filter(pk=ANONYMOUS_ID).first()
    return app is None or app.can_spend_without_limit


@register(Tags.security, deploy=True)
def strangers_are_limited(**_options: Any) -> list[CheckMessage]:
    try:
        if settings.LLM_PROVIDER == "local" or not anybody_can_spend():
            return []
    except DatabaseError:  # not migrated yet
        return []
    return [
        Warning(
            _("Anyone who can reach the service can spend without limit."),
            hint=HINT,
            id="clients.W001",
        )
    ]
