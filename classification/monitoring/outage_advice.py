"""Why model calls are paused, and what to do about it, as text for staff."""

from typing import NamedTuple

from django.conf import settings
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from classification.providers import registry
from classification.providers.causes import CAUSE_TEXTS, CauseText
from core.configuration.addresses import without_password

TEXTS: dict[str, CauseText] = {str(cause): text for cause, text in CAUSE_TEXTS.items()}
# Error code -> title, if there is no cause that an operator can fix.
PASSING = {
    "model_timeout": _("the model is not responding in time"),
    "model_unavailable": _("the model is unreachable or failing"),
}
WAIT = _(
    "One call is tried every 30 seconds, and calls resume once it succeeds. If this "
    "persists, check the log and the provider's status page."
)


class Trouble(NamedTuple):
    """What is wrong, and what to do about it."""

    title: str | Promise
    advice: str | Promise


def trouble(code: str, cause: str) -> Trouble:
    """The text for an error code and a provider's cause."""
    if text := TEXTS.get(cause):
        return Trouble(gettext_lazy(text.title), lazy(_filled, str)(text.advice))
    return Trouble(PASSING.get(code, PASSING["model_unavailable"]), WAIT)


def _filled(advice: str) -> str:
    values = {
        "model": registry.models()[0],
        "address": without_password(settings.LLM_BASE_URL),
    }
    return gettext(advice) % values
