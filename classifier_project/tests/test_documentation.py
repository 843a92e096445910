"""Operators find every setting in both READMEs and in .env.example."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READERS = (
    "classifier_project/settings.py",
    "classification/provider_settings.py",
    "core/configuration/databases.py",
)
# Names of an older installation's .env, which goes on working; nobody needs them anew.
OLDER = re.compile("MYSQL_.*|USE_LOCAL_INFERENCE")


def settings_that_are_read() -> set[str]:
    sources = "".join((ROOT / name).read_text() for name in READERS)
    names = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', sources))
    for last in re.findall(r'\benv\.\w+\(f"\{prefix\}(_[A-Z_]+)"', sources):
        names |= {f"LLM{last}", f"LLM_FALLBACK{last}"}
    return names


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_each_setting_is_in_the_readme(readme: str) -> None:
    table = [line for line in (ROOT / readme).read_text().splitlines() if line.startswith("| `")]
    named = set(re.findall("`([A-Z_]+)`", "".join(table)))

    assert settings_that_are_read() - named - {"USE_LOCAL_INFERENCE"} == set()


def test_the_example_has_each_setting_and_no_other() -> None:
    named = set(re.findall(r"(?m)^# ([A-Z_]+)=", (ROOT / ".env.example").read_text()))
    settings = settings_that_are_read()

    assert len(settings) > 60
    assert {name for name in settings if not OLDER.fullmatch(name)} == named


def test_the_tests_behind_each_guarantee_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text()))
    files = [path for top in ROOT.glob("*/__init__.py") for path in top.parent.rglob("test_*.py")]
    defined = set(re.findall(r"\bdef (test_\w+)", "".join(path.read_text() for path in files)))

    assert len(named) > 20
    assert named - defined == set()
