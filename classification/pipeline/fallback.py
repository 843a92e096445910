"""The fallback answer when a model call failed, as ON_MODEL_FAILURE says."""

import logging
from dataclasses import replace

from django.conf import settings

from classification.categories import OTHER
from classification.choices import Source
from classification.images import Photo
from classification.model_output import Classification
from classification.pipeline.request_log import Result
from classification.providers import registry
from classification.providers.base import ProviderError

logger = logging.getLogger(__name__)

# Failures that are due to the photo itself: no fallback.
REFUSALS = {"image_rejected"}


def with_fallback_answer(photo: Photo, failed: Result) -> Result:
    """The failed result with a fallback classification, if the settings allow one."""
    if failed.failure in REFUSALS or settings.ON_MODEL_FAILURE == "error":
        return failed
    if settings.ON_MODEL_FAILURE == "other":
        nothing = Classification(OTHER, 0.0, None)
        return replace(failed, classification=nothing, source=Source.NONE)
    if settings.LLM_PROVIDER == "local":  # it has just failed itself
        return failed
    try:
        answer = registry.on_device().classify(photo, "")
    except ProviderError:
        logger.exception("The on-device model could not answer as a fallback.")
        return failed
    return replace(failed, classification=answer.classification, source=Source.LOCAL)
