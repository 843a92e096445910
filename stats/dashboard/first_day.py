"""The first steps of a new installation, shown until done or dismissed."""

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import DismissedCard
from classification.models import ModelCall
from core.staff import StaffRequest, staff_with

CARD = "first_day"
PERMISSION = "auth.add_user"


class Step(NamedTuple):
    """A step: what to do, why and where, and whether it is done."""

    title: str
    advice: str
    is_done: bool
    address: str = ""


def steps(user: Any) -> list[Step]:
    """The steps for users who may add accounts; empty for others, and once all are done."""
    if not user.has_perm(PERMISSION) or DismissedCard.objects.filter(pk=CARD).exists():
        return []
    found = [_key(), _photo(), _alerts(), _accounts()]
    return [] if all(step.is_done for step in found) else found


def _key() -> Step:
    return Step(
        _("Set a key for the model"),
        _(
            "Until then, a small on-device model answers: free, but less reliable. Get a key from"
            " the provider, add it to .env as LLM_API_KEY, and restart."
        ),
        settings.LLM_PROVIDER != "local",
        reverse("settings"),
    )


def _photo() -> Step:
    return Step(
        _("Classify a first photo"),
        _("The test page sends it as an app does, and shows each step."),
        ModelCall.objects.exists(),
        reverse("playground"),
    )


def _alerts() -> Step:
    return Step(
        _("Choose who receives alerts"),
        _("Set ALERT_EMAILS or ALERT_WEBHOOKS, and run check_alerts every minute from a timer."),
        bool(settings.ALERT_EMAILS or settings.ALERT_WEBHOOKS),
        reverse("settings"),
    )


def _accounts() -> Step:
    return Step(
        _("Add a second account"),
        _("One for each person, in the group with the permissions they need."),
        User.objects.filter(is_staff=True, is_active=True).count() > 1,
        reverse("admin:auth_user_add"),
    )


@staff_with(PERMISSION)
@require_POST
def dismiss(request: StaffRequest) -> HttpResponse:
    DismissedCard.objects.get_or_create(pk=CARD)
    return redirect("dashboard")
