"""Lines of `.env` as people write them: each works, or stops the start and is named.

`env_lines.json` has what each gives here ("reads" or "refused"), and what docker 28 sends to its
engine for `docker create --env-file` ("docker", null where it refuses the file too).
"""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from core.configuration import env_file
from core.configuration.env import Env

LINES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("env_lines.json").read_text("utf-8")
)
SECRETS = ("hunter2", "sk-", "MIIE", "BEGIN KEY")


def _file(folder: Path, line: dict[str, Any]) -> Path:
    file = folder / ".env"
    file.write_bytes(line["text"].encode(line.get("encoding", "utf-8")))
    return file


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['group']}: {line['kind']}")
def test_a_line_works_or_is_refused(line: dict[str, Any], tmp_path: Path) -> None:
    file = _file(tmp_path, line)
    if "reads" in line:
        assert env_file.read(file, {}) == line["reads"]
        return
    with pytest.raises(ImproperlyConfigured) as refused:
        env_file.read(file, {})
    sentence = str(refused.value)
    assert sentence.replace(str(file), ".env") == line["refused"]
    assert not [secret for secret in SECRETS if secret in sentence]


def test_a_line_means_what_others_agree_that_it_means() -> None:
    """Where python-dotenv and docker read the same, so do we, if we read it at all."""
    agreed = 0
    for line in LINES:
        theirs = dotenv_values(stream=StringIO(line["text"]))
        if theirs == line["docker"] and "reads" in line:
            assert line["reads"] == theirs, line["kind"]
            agreed += 1

    assert agreed > 60


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="is a folder"):
        env_file.read(tmp_path, {})
    assert env_file.read(tmp_path / "none", {}) == {}


def test_names_that_are_nearly_ours_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"DATABASE_URI": "mysql://x", "PORT": "1", "PATH": "/bin"})
    file = tmp_path / ".env"
    file.write_text("LLM_APIKEY=1\nllm_model=1\nHOST=h\nREDIS_URL=r\nAPP_NAME=a\nLOG_FLIE=x\n")
    env = Env(file)
    for name in ("DATABASE_URL", "LLM_API_KEY", "LLM_MODEL", "APP_HOST", "CACHE_URL", "LOG_FILE"):
        env.text(name)

    assert env.look_alikes() == {
        "DATABASE_URI": "DATABASE_URL",
        "HOST": "APP_HOST",
        "LLM_APIKEY": "LLM_API_KEY",
        "LOG_FLIE": "LOG_FILE",
        "REDIS_URL": "CACHE_URL",
        "llm_model": "LLM_MODEL",
    }
