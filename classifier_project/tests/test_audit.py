"""CI's look-up of known vulnerabilities, with pip-audit's answers made up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

WELL = {"name": "a", "version": "1", "vulns": []}
ILL = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "status", "words"),
    [
        ([WELL], 0, "2 dependencies audited, 0 vulnerable."),
        ([WELL, ILL], 1, "b 2: PYSEC-1, mended by 2.1"),
        ([WELL, UNKNOWN], 1, "c could not be looked up."),
        ([UNKNOWN, UNKNOWN], 3, "NOT AUDITED"),
        (None, 3, "NOT AUDITED"),
    ],
)
def test_what_the_audit_finds_is_told(
    tmp_path: Path, dependencies: Any, status: int, words: str
) -> None:
    answer = "" if dependencies is None else json.dumps({"dependencies": dependencies})
    (tmp_path / "pip_audit.py").write_text(f"print({answer!r})")
    result = subprocess.run(
        [sys.executable, str(Path(settings.BASE_DIR) / ".ci" / "audit")],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == status, result.stderr
    assert words in result.stdout
