"""What only an operator can mend, in words for people."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Trouble(NamedTuple):
    """What is wrong, in a few words, and what to do about it, in a sentence."""

    title: Promise
    advice: Promise


BY_CAUSE = {
    "key_refused": Trouble(
        _("the key is refused"),
        _("Check LLM_API_KEY, and that LLM_BASE_URL is of the key's region; then restart."),
    ),
    "account_unpaid": Trouble(
        _("the account is unpaid"), _("Top the account up in Alibaba's console.")
    ),
    "quota_used_up": Trouble(
        _("the free quota is used up"), _("Switch on paid use in Alibaba's console.")
    ),
    "model_retired": Trouble(
        _("the model is retired, or not for this account"),
        _("Set LLM_MODEL to a current model, such as qwen3-vl-plus, and restart."),
    ),
}
# By the error code, where nothing is known that an operator could mend.
PASSING = {
    "model_timeout": _("the model does not answer in time"),
    "model_unavailable": _("the model cannot be reached, or fails"),
}
WAIT = _(
    "A call is tried again every half minute, and all go on once one succeeds. If it lasts, look "
    "at the log, and at Alibaba's status page."
)


def trouble(code: str, cause: str) -> Trouble:
    """Why calls to the model rest, by the error code and the provider's cause."""
    return BY_CAUSE.get(cause) or Trouble(PASSING.get(code, PASSING["model_unavailable"]), WAIT)
