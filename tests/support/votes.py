"""Send votes as apps do."""

from typing import Any

from django.test import Client

from tests.support.api import HASH
from tests.support.apps import bearer

FEEDBACK = "/api/v1/classify/feedback"


def vote(client: Client, category: str = "foods", image_hash: Any = HASH, **extra: Any) -> Any:
    """The answer to a vote; `user_id` and `headers` as `extra`."""
    headers, address = extra.pop("headers", {}), extra.pop("address", "10.0.0.1")
    body = {"image_hash": image_hash, "category": category} | extra
    return client.post(FEEDBACK, body, "application/json", headers=headers, REMOTE_ADDR=address)


def token_of(client: Client, key: str, user: str) -> dict[str, str]:
    """The header of one of an app's users who has signed in."""
    answer = client.post(
        "/api/v1/auth/token", {"user_id": user}, "application/json", headers=bearer(key)
    )
    return bearer(answer.json()["token"])
