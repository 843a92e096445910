"""Which servers deploy/hand-over starts and stops, by what systemd says of them."""

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

SYSTEMCTL = """#!/bin/sh
echo "$*" >> {folder}/asked
[ "$1" = is-active ] || exit 0
shift $(($# - 1))
cat {folder}/states/"${{1##*@}}"
grep -q '^active$' {folder}/states/"${{1##*@}}"
"""


def hand_over(folder: Path, blue: str, green: str) -> list[str]:
    """What systemd is told to do when the two are in these states."""
    programs, release = folder / "bin", folder / "release"
    (release / ".venv/bin").mkdir(parents=True)
    programs.mkdir()
    for path, text in (
        (release / ".venv/bin/python", ""),
        (programs / "systemctl", SYSTEMCTL.format(folder=folder)),
        (programs / "sysctl", "#!/bin/sh\necho 1\n"),
    ):
        path.write_text(text)
        path.chmod(0o755)
    (folder / "states").mkdir()
    (folder / "states/blue").write_text(f"{blue}\n")
    (folder / "states/green").write_text(f"{green}\n")
    script = (Path(settings.BASE_DIR) / "deploy" / "hand-over").read_text()
    script = script.replace("home=/opt/photo-classifier", f"home={folder}")
    subprocess.run(
        ["bash", "-c", script, "hand-over", str(release)],
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        check=True,
        timeout=60,
    )
    asked = (folder / "asked").read_text().splitlines()
    return [line for line in asked if "is-active" not in line]


@pytest.mark.parametrize("state", ["active", "activating"])
def test_a_server_that_systemd_is_about_to_start_again_is_replaced_too(
    tmp_path: Path, state: str
) -> None:
    assert hand_over(tmp_path, blue="inactive", green=state) == [
        "start photo-classifier-web@blue",
        "--quiet enable photo-classifier-web@blue",
        "--quiet disable --now photo-classifier-web@green",
    ]
