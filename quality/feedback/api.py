"""`POST /classify/feedback`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from classification.api import openapi
from classification.api.authentication import AppAPIView
from classification.api.client_info import client_info
from classification.api.responses import SuccessResponse
from classification.api.serializers import HashField, UserIdField
from classification.categories import CATEGORIES
from quality.feedback.voting import UnknownPhoto, cast_vote


class FeedbackRequest(serializers.Serializer[Any]):
    image_hash = HashField(help_text=_("The hash the photo was looked up by."))
    category = serializers.ChoiceField(
        [category.key for category in CATEGORIES], help_text=_("The category the user chose.")
    )
    user_id = UserIdField()


class FeedbackView(AppAPIView):
    """Votes of the people who see the photos."""

    @extend_schema(
        operation_id="feedback",
        summary=_("Vote on a photo's category"),
        description=_(
            "One vote per user and photo, the last one counts; without a user id, one per address"
            " and day. A vote does not change the answer by itself."
        ),
        request=FeedbackRequest,
        parameters=[openapi.USER_ID],
        responses={
            202: OpenApiResponse(
                SuccessResponse,
                examples=[
                    OpenApiExample(
                        "kept", summary=_("Vote kept"), value={"success": True, **openapi.STAMP}
                    )
                ],
            ),
            **openapi.error_responses(
                "invalid_hash", *openapi.COMMON, *openapi.FRAMEWORK, "not_found"
            ),
        },
    )
    def post(self, request: Request) -> Response:
        body = FeedbackRequest(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        client = client_info(request, said.get("user_id"))
        try:
            cast_vote(image_hash=said["image_hash"], category=said["category"], client=client)
        except UnknownPhoto:
            raise exceptions.NotFound(_("This photo is unknown.")) from None
        return Response(SuccessResponse({}).data, status=202)
