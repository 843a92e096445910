"""Authentication, permission and throttling of the endpoints that apps call."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from classification.api.staff_tokens import StaffTokenAuthentication
from clients import identity, rate_limit_headers, throttle
from clients.directory import KeyInfo
from clients.identity import Identity, InvalidCredential


class AppAuthentication(BaseAuthentication):
    """Accepts an app's key or a user's token; any other credential is a 401."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Identity] | None:
        if not identity.has_credential(request.META):
            return None
        try:
            return AnonymousUser(), identity.identify(request.META)
        except InvalidCredential:
            raise exceptions.AuthenticationFailed from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class AppOrStaffTokenAuthentication(AppAuthentication):
    """Accepts staff API tokens as well."""

    def authenticate(self, request: Request) -> Any:
        if identity.is_staff_token(request.META):
            return StaffTokenAuthentication().authenticate(request)
        return super().authenticate(request)


class StaffSessionAuthentication(SessionAuthentication):
    """The session of the staff's pages; a request without a CSRF token counts as anonymous."""

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except exceptions.PermissionDenied:
            return None


class IsAllowedToCall(BasePermission):
    """Admits every valid credential, and requests without one while the app `anonymous` is
    enabled."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        try:
            identity_of(request)
        except InvalidCredential:
            return False
        return True


class IsAllowedToUpload(IsAllowedToCall):
    """Staff have no limits, so those who may not try the model upload as anybody may: as
    `anonymous`, within its limits, and not at all while it is disabled."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if getattr(user, "is_staff", False) and not user.has_perm("classification.try_model"):
            try:
                request.app_identity = identity.anonymous()  # type: ignore[attr-defined]
            except InvalidCredential:
                return False
        return super().has_permission(request, view)


class AppRateThrottle(BaseThrottle):
    """Limits an app's requests per minute."""

    _wait = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._wait = throttle.seconds_to_wait(identity_of(request).app)
        return not self._wait

    def wait(self) -> float:
        return self._wait


class AppAPIView(APIView):
    """The base of the views that apps call; adds rate limit headers to every response."""

    authentication_classes = [AppOrStaffTokenAuthentication, StaffSessionAuthentication]
    permission_classes = [IsAllowedToCall]
    throttle_classes = [AppRateThrottle]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        requester: Identity | None = getattr(request, "app_identity", None)
        for name, value in rate_limit_headers.headers(requester.app) if requester else ():
            answer[name] = value
        return answer


def identity_of(request: Request) -> Identity:
    """The app, user or staff member behind a request, determined once per request. Raises
    InvalidCredential for a request without credentials while `anonymous` is disabled."""
    known: Identity | None = getattr(request, "app_identity", None)
    if known is None:
        known = _identity_of(request)
        request.app_identity = known  # type: ignore[attr-defined]
    return known


def own_key(request: Request) -> KeyInfo:
    """The app key the request was made with. Raises AuthenticationFailed for a user's token or no
    key."""
    requester = identity_of(request)
    if requester.key is None or requester.token_user is not None:
        raise exceptions.AuthenticationFailed(_("An app key is required."))
    return requester.key


def _identity_of(request: Request) -> Identity:
    if isinstance(request.auth, Identity):
        return request.auth
    if getattr(request.user, "is_staff", False):
        return identity.staff()
    return identity.anonymous()
