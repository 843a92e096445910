"""The API that apps call: validate, make one call, answer."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classification import health, services
from classification.api import schemas
from classification.api.callers import caller_of
from classification.api.serializers import CheckCacheRequest, ClassifyRequest
from classification.errors import Refusal
from classification.outcomes import Outcome
from classification.results import Classification
from classifier_project.middleware import request_id_var

# What a form's other fields and boundaries may add to the photos.
FORM_BYTES = 64 * 1024
JSON_BYTES = 64 * 1024


class ClassifyViewSet(viewsets.ViewSet):
    """Ask by hash first; upload only when the photo is unknown."""

    # Apps have no accounts: a photo's hash is all they need.
    authentication_classes = []
    permission_classes = []
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too long before it is read."""
        super().initial(request, *args, **kwargs)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        takes_photos = MultiPartParser in self.parser_classes
        if takes_photos and length > settings.MAX_IMAGE_SIZE_MB * 1024 * 1024 + FORM_BYTES:
            raise Refusal("image_too_large")
        if not takes_photos and length > JSON_BYTES:
            raise Refusal("invalid_request")

    @schemas.CHECK_CACHE
    @action(detail=False, methods=["post"], url_path="check-cache", parser_classes=[JSONParser])
    def check_cache(self, request: Request) -> Response:
        data = _validated(CheckCacheRequest(data=request.data))
        found = services.check_cache(
            image_hash=data["image_hash"], caller=caller_of(request, data.get("user_id"))
        )
        answer: dict[str, Any] = {
            "success": True,
            "cached": found is not None,
            "data": classification_body(found) if found else None,
            "from_cache": found is not None,
        }
        if found is None:
            answer["message"] = _("This photo is unknown. Please upload it.")
        return Response(answer | stamp())

    @schemas.CLASSIFY
    def create(self, request: Request) -> Response:
        data = _validated(ClassifyRequest(data=request.data))
        caller = caller_of(request, data.get("user_id"))
        with data["image"] as image:
            upload = image.read()
        outcome = services.classify(
            upload=upload, given_hash=data.get("image_hash"), caller=caller
        )
        return Response(
            {"success": True}
            | outcome_body(outcome)
            | {"processing_time_ms": caller.elapsed_ms}
            | stamp()
        )


class HealthView(APIView):
    """Whether the service can answer; never calls the paid model."""

    authentication_classes = []
    permission_classes = []

    @schemas.HEALTH
    def get(self, request: Request) -> Response:
        report = health.report()
        return Response(
            {"status": report.status, "timestamp": timezone.localtime().isoformat()}
            | report.details,
            status=200 if report.status == health.HEALTHY else 503,
        )


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def stamp() -> dict[str, str]:
    """The end of every answer."""
    return {
        "request_id": request_id_var.get(),
        "timestamp": timezone.localtime().isoformat(),
    }


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
