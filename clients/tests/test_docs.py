"""The Python of docs/clients.md is run as it stands there."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import ScratchDatabase, manage, running_server

PAGE = Path(settings.BASE_DIR) / "docs" / "clients.md"


@pytest.mark.timeout(180)
def test_the_servers_code_gets_tokens_and_answers(
    database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    key = json.loads(manage(database, "create_app", "camera", "--json"))["key"]
    names: dict[str, Any] = {}
    with DashScopeServer() as dashscope, running_server(database, dashscope) as server:
        monkeypatch.setitem(os.environ, "SERVICE_URL", f"http://{server.address}")
        monkeypatch.setitem(os.environ, "APP_KEY", key)
        exec(code, names)  # noqa: S102
        token = names["token_for"]("anna")
        first = names["classify"](photo(), {"Authorization": f"Bearer {token}"})
        second = names["classify"](photo(), names["KEY"])

    assert first == second
    assert len(dashscope.requests) == 1
