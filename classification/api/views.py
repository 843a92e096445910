"""The API that apps call: validate, make one call, answer."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classification import batches, health, services, turns
from classification.api import schemas
from classification.api.bodies import (
    batch_item_body,
    check_cache_body,
    classification_body,
    outcome_body,
    stamp,
)
from classification.api.body_limits import max_body_bytes
from classification.api.callers import caller_of, content_length
from classification.api.parsers import JSONParser
from classification.api.serializers import (
    BatchCheckCacheRequest,
    BatchClassifyRequest,
    CheckCacheRequest,
    ClassifyRequest,
)
from classification.errors import Refusal
from classification.outcomes import Caller
from classifier_project.middleware import request_id_var


class ClassifyViewSet(viewsets.ViewSet):
    """Ask by hash first; upload only when the photo is unknown."""

    # Apps have no accounts: a photo's hash is all they need.
    authentication_classes = []
    permission_classes = []
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too long before it is read."""
        super().initial(request, *args, **kwargs)
        if content_length(request.META) <= max_body_bytes(request.path):
            return
        if self.action == "create":
            services.log_refusal("image_too_large", caller_of(request))
        raise Refusal("image_too_large")

    @schemas.CHECK_CACHE
    @action(detail=False, methods=["post"], url_path="check-cache", parser_classes=[JSONParser])
    def check_cache(self, request: Request) -> Response:
        data = _validated(CheckCacheRequest(data=request.data))
        found = services.check_cache(
            image_hash=data["image_hash"], caller=caller_of(request, data.get("user_id"))
        )
        return Response(check_cache_body(found))

    @schemas.BATCH_CHECK_CACHE
    @action(
        detail=False, methods=["post"], url_path="batch-check-cache", parser_classes=[JSONParser]
    )
    def batch_check_cache(self, request: Request) -> Response:
        data = _validated(BatchCheckCacheRequest(data=request.data))
        hashes: list[str] = data["image_hashes"]
        found = services.check_cache_many(
            image_hashes=hashes, caller=caller_of(request, data.get("user_id"))
        )
        bodies = [
            classification_body(found[image_hash]) if image_hash in found else None
            for image_hash in hashes
        ]
        return Response(
            {
                "success": True,
                "total": len(hashes),
                "cached_count": len(hashes) - bodies.count(None),
                "items": [
                    {"image_hash": image_hash, "cached": body is not None, "data": body}
                    for image_hash, body in zip(hashes, bodies, strict=True)
                ],
            }
            | stamp()
        )

    @schemas.BATCH
    @action(detail=False, methods=["post"])
    @turns.turn()
    def batch(self, request: Request) -> Response:
        data = _validated(BatchClassifyRequest(data=request.data))
        caller = caller_of(request, data.get("user_id"))
        results = batches.classify_many(
            uploads=[_read(image) for image in data["images"]],
            given_hashes=data["image_hashes"],
            caller=caller,
        )
        items = [
            {"index": index, "filename": image.name} | batch_item_body(item)
            for index, (image, item) in enumerate(zip(data["images"], results, strict=True))
        ]
        success_count = sum(item["success"] for item in items)
        return Response(
            {
                "success": True,
                "total": len(items),
                "success_count": success_count,
                "fail_count": len(items) - success_count,
                "items": items,
                "total_processing_time_ms": caller.elapsed_ms,
            }
            | stamp()
        )

    @schemas.CLASSIFY
    @turns.turn()
    def create(self, request: Request) -> Response:
        try:
            data = _validated(ClassifyRequest(data=request.data))
            caller = caller_of(request, data.get("user_id"))
        except APIException:
            services.log_refusal("invalid_request", Caller(request_id_var.get()))
            raise
        outcome = services.classify(
            upload=_read(data["image"]), given_hash=data.get("image_hash"), caller=caller
        )
        return Response(
            {"success": True}
            | outcome_body(outcome)
            | {"processing_time_ms": caller.elapsed_ms}
            | stamp()
        )


class LiveView(APIView):
    """Whether this process answers at all; asks nobody else."""

    authentication_classes = []
    permission_classes = []

    @schemas.LIVE
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"} | stamp())


class HealthView(APIView):
    """Whether the service can answer; never calls the paid model."""

    authentication_classes = []
    permission_classes = []

    @schemas.HEALTH
    def get(self, request: Request) -> Response:
        report = health.report()
        return Response(
            {"status": report.status} | report.details | stamp(),
            status=200 if report.status == health.HEALTHY else 503,
        )


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def _read(image: "UploadedFile[bytes]") -> bytes:
    """The bytes of an upload, whose buffer is freed: it would stay until the model answers."""
    with image:
        data: bytes = image.read()
    return data
