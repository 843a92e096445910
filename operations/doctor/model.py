"""Examines the models: remote ones with a free request, or one small paid call; and the on-device
one."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from classification import images
from classification.errors import ServiceError
from classification.models import PromptVersion
from classification.pipeline import trials
from classification.pipeline.request_log import ClientInfo
from classification.providers import registry
from classification.providers.base import ProviderError
from classification.providers.causes import CAUSE_TEXTS
from classification.providers.registry import ProviderConfig
from clients.directory import ANONYMOUS_APP
from clients.quotas import Requester
from core.configuration.addresses import without_password
from core.request_id import new_request_id
from operations.doctor.findings import Finding, Options, ok, problem, warning

CLOCK_SECONDS = 60
MAY_COST = "For a fraction of a fen, manage.py doctor --paid can tell."


def examine_paid_model(options: Options) -> Iterator[Finding]:
    """Whether keys are accepted and models available; with `paid`, whether the first one
    answers."""
    if settings.LLM_PROVIDER == "local":
        yield ok("model", "The on-device model is the provider, so no key is needed.")
        return
    if not registry.configured():
        yield problem("model", "LLM_API_KEY is not set.", "Set it to a DashScope key.")
        return
    for config in registry.configured():
        for model in dict.fromkeys(
            settings.MODEL_TABLE.in_service(name, timezone.now()) for name in config.models
        ):
            yield from _reach(config, model)
    if options.paid:
        yield _ask()


def _reach(config: ProviderConfig, model: str) -> Iterator[Finding]:
    found = registry.reach(config, model)
    if found.cause:
        title, advice = CAUSE_TEXTS[found.cause]
        values = {"model": model, "address": without_password(config.base_url)}
        yield problem("model", f"{model}: {title} ({found.why}).", advice % values)
    elif found.is_unreachable:
        yield problem(
            "model",
            f"The provider is unreachable ({found.why}).",
            f"Check the address ({without_password(config.base_url)}), DNS and the firewall.",
        )
    elif found.why:
        yield warning(
            "model", f"{model}: the provider's response is inconclusive ({found.why}).", MAY_COST
        )
    else:
        yield ok("model", f"{model}: the key is accepted and the model is available.")
    if found.clock_ahead is not None:
        yield _clock(found.clock_ahead)


def _clock(ahead: float) -> Finding:
    if abs(ahead) > CLOCK_SECONDS:
        return warning(
            "clock",
            f"The provider's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} "
            "this host's.",
            "Synchronize this host's with a time service (systemd-timesyncd, chrony).",
        )
    return ok("clock", "The provider's clock agrees with this host's.")


def _ask() -> Finding:
    """Make one paid call with a generated photo; it is in the ledger."""
    try:
        trial = trials.ask(
            upload=images.sample(),
            prompt=PromptVersion.objects.current(),
            client=ClientInfo(new_request_id(), Requester(ANONYMOUS_APP, "doctor")),
        )
    except ServiceError as error:
        return problem(
            "model", f"The paid call failed: {error.code}.", "See the service's log for the reason."
        )
    return ok(
        "model",
        f"{trial.entry.model_used} answered in {trial.duration_ms} ms, "
        f"for {trial.entry.cost} yuan.",
    )


def examine_on_device_model(options: Options) -> Iterator[Finding]:
    """Whether the on-device model loads and answers."""
    photo = images.prepare(
        images.sample(), allowed_formats=["jpg"], max_side=settings.LLM_IMAGE_MAX_SIDE
    )
    started = time.monotonic()
    try:
        registry.on_device().classify(photo, "")
    except ProviderError:
        yield problem(
            "on-device model",
            "It is not responding.",
            "Reinstall requirements/base.txt; the weights are in "
            "classification/providers/on_device/weights.",
        )
        return
    milliseconds = (time.monotonic() - started) * 1000
    yield ok("on-device model", f"It loads, and answers in {milliseconds:.0f} ms.")
