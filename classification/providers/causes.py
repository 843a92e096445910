"""The causes of outages that an operator can fix, with a title and advice for each."""

from typing import Literal, NamedTuple, get_args

# "" is a failure that may pass by itself. All others but `not_the_provider` pause calls at once.
Cause = Literal[
    "",
    "key_refused",
    "account_unpaid",
    "quota_used_up",
    "model_retired",
    "model_without_vision",
    "wrong_address",
    "not_the_provider",
    "no_key",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


class CauseText(NamedTuple):
    """What is wrong, and what to do about it. In the advice, %(model)s is the model and %(address)s
    the provider's base URL."""

    title: str
    advice: str


def gettext_noop(text: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return text


CAUSE_TEXTS: dict[Cause, CauseText] = {
    "key_refused": CauseText(
        gettext_noop("the API key was rejected"),
        gettext_noop(
            "Check LLM_API_KEY, and that LLM_BASE_URL (%(address)s) belongs to the key's region, "
            "then restart."
        ),
    ),
    "account_unpaid": CauseText(
        gettext_noop("the account has unpaid bills"),
        gettext_noop("Top up the account in the provider's console."),
    ),
    "quota_used_up": CauseText(
        gettext_noop("the free quota is used up"),
        gettext_noop("Enable paid usage in the provider's console."),
    ),
    "model_retired": CauseText(
        gettext_noop("the model is retired or not available to this account"),
        gettext_noop(
            "%(model)s is no longer served, or not to this account. Set LLM_MODEL to a current "
            "model, such as qwen3-vl-plus, and restart."
        ),
    ),
    "model_without_vision": CauseText(
        gettext_noop("the model does not accept images"),
        gettext_noop("Set LLM_MODEL to a vision model and restart."),
    ),
    "wrong_address": CauseText(
        gettext_noop("the provider's address is wrong"),
        gettext_noop(
            "No model is served at LLM_BASE_URL (%(address)s). Correct it and restart: DashScope's "
            "address ends in /api/v1, most others in /v1."
        ),
    ),
    "not_the_provider": CauseText(
        gettext_noop("something other than the provider is answering"),
        gettext_noop(
            "Responses from LLM_BASE_URL (%(address)s) do not come from the provider. Check this "
            "address, and any firewall, proxy or login page in between."
        ),
    ),
    "no_key": CauseText(
        gettext_noop("no key is set"), gettext_noop("Set LLM_API_KEY and restart.")
    ),
}
