"""The tokens of rest_framework.authtoken: one per account, stored with the whole key."""

from rest_framework.authtoken.models import Token

from accounts.api_tokens import SHOWN


def hide_keys() -> None:
    """Make str(token) only the beginning of its key: titles, deletion confirmations and the audit
    contain it."""
    Token.add_to_class("__str__", _beginning)


def _beginning(token: Token) -> str:
    return f"{token.key[:SHOWN]}…"
