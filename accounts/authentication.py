"""Token authentication for the API, with throttling of failed attempts."""

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken, AttemptCount
from accounts.throttle import network

WRONG_TOKENS = 30


class ThrottledTokenAuthentication(TokenAuthentication):
    """A token of the account page, or an older one of DRF, as `Token` or as `Bearer`; an address
    that sent too many wrong ones waits, with a right one too."""

    def authenticate(self, request: Request) -> Any:
        header = request.headers.get("Authorization")
        # The server reads a token that is not ASCII as an empty one.
        if header == "":
            raise exceptions.AuthenticationFailed
        scheme = (header or "").partition(" ")[0]
        if scheme.lower() not in ("token", "bearer"):
            return None
        self.keyword = scheme
        address = network(request.META)
        if wait := AttemptCount.objects.wait("token", address, WRONG_TOKENS):
            raise exceptions.Throttled(wait)
        try:
            return super().authenticate(request)
        except exceptions.AuthenticationFailed:
            AttemptCount.objects.attempt("token", address, WRONG_TOKENS)
            raise

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = ApiToken.objects.find(key)
        if token is None:
            older: tuple[Any, Any] = super().authenticate_credentials(key)
            return older
        if not token.user.is_active:
            raise exceptions.AuthenticationFailed
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
