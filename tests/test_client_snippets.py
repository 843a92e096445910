"""The clients that we show: Python sends what the service would have made of the file itself."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.support import snippets
from tests.support.dashscope_server import DashScopeServer
from tests.support.likeness import difference
from tests.support.odd_photos import scene

pytestmark = pytest.mark.django_db(transaction=True)


def classify(code: str, path: Path, *arguments: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    answer: dict[str, Any] = names["classify"](str(path), *arguments)
    return answer


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md", "settings"])
@pytest.mark.parametrize("name", snippets.FILES)
def test_a_client_in_python(
    name: str, readme: str, tmp_path: Path, live_server: LiveServer, model: DashScopeServer
) -> None:
    base = f"{live_server.url}/api/v1"
    path = tmp_path / "photo"
    path.write_bytes(snippets.FILES[name])
    if readme == "settings":
        code = snippets.on_settings_page("python", base)
        answers = [classify(code, path) for _ in range(2)]
    else:
        code = snippets.in_readme(readme, "python")
        answers = [classify(code, path, base) for _ in range(2)]

    assert [answer["category"] for answer in answers] == ["pets", "pets"]
    assert len(model.requests) == 1
    expected = snippets.EXPECTED.get(name, scene())
    assert difference(snippets.seen_by_the_model(model), expected) <= 16


@pytest.mark.skipif(not shutil.which("tsc"), reason="needs tsc: apt-get install node-typescript")
def test_the_client_in_typescript_compiles(tmp_path: Path) -> None:
    source = tmp_path / "client.ts"
    source.write_text(snippets.in_readme("docs/clients.md", "typescript"))
    options = ["--strict", "--noEmit", "--target", "es2020", "--lib", "es2020,dom"]
    compiled = subprocess.run(
        ["tsc", *options, source], capture_output=True, text=True, check=False
    )

    assert compiled.returncode == 0, compiled.stdout
