"""The bodies of the API's answers."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from classification.api.errors import refusal_of
from classification.batches import BatchItem
from classification.outcomes import Outcome
from classification.results import Classification
from classifier_project.middleware import request_id_var


def stamp() -> dict[str, str]:
    """The end of every answer."""
    return {
        "request_id": request_id_var.get(),
        "timestamp": timezone.localtime().isoformat(),
    }


def check_cache_body(found: Classification | None) -> dict[str, Any]:
    """The answer for one hash; `message` only where the photo is unknown."""
    body: dict[str, Any] = {
        "success": True,
        "cached": found is not None,
        "data": classification_body(found) if found else None,
        "from_cache": found is not None,
    }
    if found is None:
        body["message"] = _("This photo is unknown. Please upload it.")
    return body | stamp()


def classification_body(classification: Classification) -> dict[str, Any]:
    return {
        "category": classification.category,
        "confidence": classification.confidence,
        "description": classification.description,
    }


def outcome_body(outcome: Outcome) -> dict[str, Any]:
    """An answer and where it is from; `degraded` only when it stands in for a failure."""
    body: dict[str, Any] = {
        "data": classification_body(outcome.classification),
        "from_cache": outcome.source == "cache",
        "source": outcome.source,
    }
    return body | {"degraded": True} if outcome.degraded else body


def batch_item_body(item: BatchItem) -> dict[str, Any]:
    """One photo of a batch, with every field whether it was answered or refused."""
    body: dict[str, Any] = {"success": isinstance(item.result, Outcome)}
    if isinstance(item.result, Outcome):
        body |= {"error": None, "error_code": None} | outcome_body(item.result)
    else:
        refusal = refusal_of(item.result)
        body |= {"data": None, "error": str(refusal.message), "error_code": refusal.code}
        body |= {"from_cache": False, "source": None}
    return body | {"processing_time_ms": item.processing_time_ms}
