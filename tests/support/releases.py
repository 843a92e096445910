"""Releases as deployed: each a copy of the code in its own folder, with its own `.env`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings

ANONYMOUS_REQUESTER = 65534
OTHER_THINGS = (".*", "var", "__pycache__", "node_modules", "docs", "benchmarks")
# Another user's, who may go into any folder and read, as CI's own folders may be closed to
# others; but write only what is that user's.
AS_NOBODY = (
    *(
        "setpriv",
        f"--reuid={ANONYMOUS_REQUESTER}",
        f"--regid={ANONYMOUS_REQUESTER}",
        "--clear-groups",
    ),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)
MOUNT_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


def copy_release(folder: Path) -> Path:
    """A copy of this release in the folder, without settings and without state."""
    release = folder / "release"
    ignore = shutil.ignore_patterns(*OTHER_THINGS)
    shutil.copytree(settings.BASE_DIR, release, ignore=ignore)
    return release


def read_only(release: Path, *arguments: str) -> Sequence[str]:
    """The command line of manage.py for another user, to whom the release is read-only."""
    run = ("unshare", "--mount", "sh", "-c", MOUNT_READ_ONLY, str(release), *AS_NOBODY)
    return (*run, sys.executable, "manage.py", *arguments)


def manage(
    release: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command of the release with its own `.env`, and these variables beside it."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=release,
        env={"PATH": os.environ["PATH"], **(variables or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
