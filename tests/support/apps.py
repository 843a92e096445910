"""Create apps and keys as an operator does, and send requests as those apps."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import Client


def run(*arguments: str) -> str:
    """What a command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def make_app(name: str = "camera", *options: str) -> str:
    """The key of a new app."""
    key: str = json.loads(run("create_app", name, "--json", *options))["key"]
    return key


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def ask(client: Client, **headers: str) -> Any:
    """Ask about a photo that nobody knows."""
    question = {"image_hash": "ab" * 32}
    return client.post(
        "/api/v1/classify/check-cache", question, content_type="application/json", headers=headers
    )


def assert_refused(response: Any) -> None:
    """Whether a credential was refused as the contract has it."""
    assert (response.status_code, response.json()["error_code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"
