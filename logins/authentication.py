"""Tokens for the API, with those who guess them slowed down."""

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication
from rest_framework.request import Request

from logins.models import AttemptCount
from logins.throttle import network

WRONG_TOKENS = 30


class ThrottledTokenAuthentication(TokenAuthentication):
    """DRF's token; an address that sent too many wrong ones waits, with a right one too."""

    def authenticate(self, request: Request) -> Any:
        if not request.headers.get("Authorization"):
            return None
        address = network(request.META)
        if wait := AttemptCount.objects.wait("token", address, WRONG_TOKENS):
            raise exceptions.Throttled(wait)
        try:
            return super().authenticate(request)
        except exceptions.AuthenticationFailed:
            AttemptCount.objects.attempt("token", address, WRONG_TOKENS)
            raise
