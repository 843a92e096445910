"""The endpoints that apps call: validate, make one call, respond."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classification.api import openapi
from classification.api.authentication import AppAPIView, IsAllowedToUpload, identity_of
from classification.api.client_info import client_info, comes_from_staff_page
from classification.api.errors import service_error_of
from classification.api.fast_path.upload import MISS
from classification.api.request_bodies.limits import content_length, max_body_bytes
from classification.api.request_bodies.parsers import JSONParser, MultiPartParser
from classification.api.responses import (
    UNKNOWN_PHOTO,
    BatchCheckCacheResponse,
    BatchClassifyResponse,
    CheckCacheResponse,
    ClassifyResponse,
    HealthResponse,
    LiveResponse,
)
from classification.api.serializers import (
    BatchCheckCacheRequest,
    BatchClassifyRequest,
    CheckCacheRequest,
    ClassifyRequest,
    is_hash,
)
from classification.errors import ServiceError
from classification.model_output import Classification
from classification.monitoring import health
from classification.pipeline import batch, classify
from classification.pipeline.request_log import ClientInfo
from clients.quotas import Requester
from core.request_id import request_id_var
from core.sharing import cpu_gate

# Made once, since each instance copies all its fields.
_CLASSIFY_RESPONSE = ClassifyResponse()


class ClassifyViewSet(AppAPIView, viewsets.ViewSet):
    """Look up a photo by its hash first; upload it only when it is unknown."""

    parser_classes = [MultiPartParser]

    def get_permissions(self) -> Sequence[Any]:
        is_upload = self.action in ("create", "batch")
        return [IsAllowedToUpload()] if is_upload else super().get_permissions()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Reject a body that is too long before it is read."""
        super().initial(request, *args, **kwargs)
        if content_length(request.META) <= max_body_bytes(request.path):
            return
        if self.action == "create":
            classify.log_failure("image_too_large", client_info(request))
        raise ServiceError("image_too_large")

    @openapi.CHECK_CACHE
    @action(detail=False, methods=["post"], url_path="check-cache", parser_classes=[JSONParser])
    def check_cache(self, request: Request) -> Response:
        data = _validated(CheckCacheRequest(data=request.data))
        found = classify.check_cache(
            image_hash=data["image_hash"], client=client_info(request, data.get("user_id"))
        )
        answer: dict[str, Any] = {"cached": found is not None, "data": found}
        if found is None:
            answer["message"] = UNKNOWN_PHOTO
        return Response(CheckCacheResponse(answer).data)

    @openapi.BATCH_CHECK_CACHE
    @action(
        detail=False, methods=["post"], url_path="batch-check-cache", parser_classes=[JSONParser]
    )
    def batch_check_cache(self, request: Request) -> Response:
        data = _validated(BatchCheckCacheRequest(data=request.data))
        hashes: list[str | None] = data["image_hashes"]
        found = classify.check_cache_many(
            image_hashes=[each for each in hashes if is_hash(each)],
            client=client_info(request, data.get("user_id")),
        )
        items = [_batch_check_item(each, found) for each in hashes]
        answer = {
            "total": len(hashes),
            "cached_count": sum(item["cached"] for item in items),
            "items": items,
        }
        return Response(BatchCheckCacheResponse(answer).data)

    @openapi.BATCH
    @action(detail=False, methods=["post"])
    @cpu_gate.hold()
    def batch(self, request: Request) -> Response:
        data = _validated(BatchClassifyRequest(data=request.data))
        client = client_info(request, data.get("user_id"))
        results = batch.classify_many(
            uploads=[_read(image) for image in data["images"]],
            given_hashes=data["image_hashes"],
            client=client,
        )
        items = [
            {"index": index, "filename": image.name} | _batch_item(item)
            for index, (image, item) in enumerate(zip(data["images"], results, strict=True))
        ]
        success_count = sum(item["success"] for item in items)
        answer = {
            "total": len(items),
            "success_count": success_count,
            "fail_count": len(items) - success_count,
            "items": items,
            "total_processing_time_ms": client.elapsed_ms,
        }
        return Response(BatchClassifyResponse(answer).data)

    @openapi.CLASSIFY
    @cpu_gate.hold()
    def create(self, request: Request) -> Response:
        try:
            data = _validated(ClassifyRequest(data=request.data))
            client = client_info(request, data.get("user_id"))
        except APIException:
            client = ClientInfo(
                request_id_var.get(),
                Requester(identity_of(request).app),
                is_staff_page=comes_from_staff_page(request),
            )
            classify.log_failure("invalid_request", client)
            raise
        upload = _read(data["image"])
        result = classify.classify_upload(
            upload=upload,
            given_hash=data.get("image_hash"),
            client=client,
            miss=request.META.get(MISS),
        )
        answer = {"result": result, "processing_time_ms": client.elapsed_ms}
        return Response(_CLASSIFY_RESPONSE.to_representation(answer))


class LiveView(APIView):
    """Whether this process responds at all; touches neither database nor model."""

    authentication_classes = []
    permission_classes = []

    @openapi.LIVE
    def get(self, request: Request) -> Response:
        return Response(LiveResponse({"status": "alive"}).data)


class HealthView(APIView):
    """The health of the service; never calls a paid model."""

    authentication_classes = []
    permission_classes = []

    @openapi.HEALTH
    def get(self, request: Request) -> Response:
        found = health.check()
        return Response(
            HealthResponse({"status": found.status} | found.details).data,
            status=200 if found.status == health.HEALTHY else 503,
        )


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def _batch_check_item(
    image_hash: str | None, found: Mapping[str, Classification]
) -> dict[str, Any]:
    known = found.get(image_hash or "")
    item = {"image_hash": image_hash, "cached": known is not None, "data": known}
    return item if is_hash(image_hash) else item | {"error_code": "invalid_hash"}


def _batch_item(item: batch.BatchItem) -> dict[str, Any]:
    """The instance that BatchClassifyItem renders: a photo's result, or the error it ended with."""
    took = {"processing_time_ms": item.processing_time_ms, "image_hash": item.image_hash}
    if isinstance(item.result, Exception):
        return took | {"success": False, "error": service_error_of(item.result), "result": None}
    return took | {"success": True, "error": None, "result": item.result}


def _read(image: "UploadedFile[bytes]") -> bytes:
    """The bytes of an upload. Its buffer is freed, which would otherwise live until the model
    answers."""
    with image:
        data: bytes = image.read()
    return data
