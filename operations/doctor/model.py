"""The models: the paid one by a request that costs nothing, or by one tiny call; the other here."""

import time
from collections.abc import Iterator

from django.conf import settings

from classification import configured, photos, trials
from classification.errors import Refusal
from classification.models import PromptVersion
from classification.outcomes import Caller
from classification.providers.base import ProviderError
from classification.providers.reachability import reach
from classifier_project.middleware import new_request_id
from operations.doctor.findings import Finding, Options, ok, problem, warning

CLOCK_SECONDS = 60
MAY_COST = "It costs a fraction of a fen: manage.py doctor --paid."


def examine_paid_model(options: Options) -> Iterator[Finding]:
    """Whether the key is taken and the model served; with `paid`, whether it answers."""
    if settings.LLM_PROVIDER == "local":
        yield ok("model", "The on-device model is the provider; no key is needed.")
        return
    if not settings.LLM_API_KEY:
        yield problem("model", "LLM_API_KEY is not set.", "Set it to a DashScope key.")
        return
    for model in (settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS):
        yield from _reach(model)
    if options.paid:
        yield _ask()


def _reach(model: str) -> Iterator[Finding]:
    found = reach(settings.LLM_BASE_URL, settings.LLM_API_KEY, model)
    if found.outcome == "ok":
        yield ok("model", f"{model}: the key is taken and nothing speaks against the model.")
    elif found.outcome == "unreachable":
        yield problem(
            "model",
            f"The provider cannot be reached ({found.code}).",
            "Check LLM_BASE_URL, the name server and the firewall.",
        )
    elif found.outcome == "key":
        yield problem(
            "model",
            f"The key is refused ({found.code}).",
            "Check LLM_API_KEY, and that LLM_BASE_URL is of its region.",
        )
    elif found.outcome == "account":
        yield problem(
            "model", f"The account does not pay ({found.code}).", "Top it up in Alibaba's console."
        )
    elif found.outcome == "model":
        yield problem(
            "model",
            f"{model} is not served, or not to this account ({found.code}).",
            "Set LLM_MODEL to a current one, and LLM_FALLBACK_MODELS to others.",
        )
    else:
        yield warning(
            "model", f"{model}: the provider's answer tells nothing ({found.code}).", MAY_COST
        )
    if found.clock_ahead is not None:
        yield _clock(found.clock_ahead)


def _clock(ahead: float) -> Finding:
    if abs(ahead) > CLOCK_SECONDS:
        return warning(
            "clock",
            f"The provider's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} "
            "this host's.",
            "Let a time service (systemd-timesyncd, chrony) keep this host's.",
        )
    return ok("clock", "The provider's agrees with this host's.")


def _ask() -> Finding:
    """One call with a made-up photo, which the ledger has."""
    try:
        trial = trials.ask(
            upload=photos.sample(),
            prompt=PromptVersion.objects.current(),
            caller=Caller(new_request_id(), user_id="doctor"),
        )
    except Refusal as refusal:
        return problem(
            "model", f"The paid call failed: {refusal.code}.", "See the service's log for why."
        )
    return ok(
        "model",
        f"{trial.entry.model_used} answered in {trial.duration_ms} ms, "
        f"for {trial.entry.cost} yuan.",
    )


def examine_on_device_model(options: Options) -> Iterator[Finding]:
    """Whether the model on this machine loads and answers."""
    photo = photos.prepare(
        photos.sample(), allowed_formats=["jpg"], max_side=settings.LLM_IMAGE_MAX_SIDE
    )
    started = time.monotonic()
    try:
        configured.on_device().classify(photo, "")
    except ProviderError:
        yield problem(
            "on-device model",
            "It does not answer.",
            "Install requirements/base.txt again; its weights are in "
            "classification/providers/on_device/weights.",
        )
        return
    milliseconds = (time.monotonic() - started) * 1000
    yield ok("on-device model", f"It loads and answers, in {milliseconds:.0f} ms.")
