"""Authentication by a staff API token; the settings name it, so it must import no views."""

from typing import Any

from rest_framework import exceptions
from rest_framework.request import Request

from accounts.authentication import ThrottledTokenAuthentication
from clients import identity
from clients.identity import InvalidCredential


class StaffTokenAuthentication(ThrottledTokenAuthentication):
    """Accepts staff API tokens; a wrong app key beside one is a 401."""

    def authenticate(self, request: Request) -> Any:
        try:
            identity.check_key(request.META)
        except InvalidCredential:
            raise exceptions.AuthenticationFailed from None
        return super().authenticate(request)
