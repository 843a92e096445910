"""A random attack on real servers, for as long as you like: is everything still exact?

    python -m benchmarks.exactness --minutes 60 --seed 1

Rounds of a minute or so, each with a seed of its own, on SQLite, on a MariaDB and on a
Galera cluster of its own in turn, or on those that --database names.
Ends with a status other than 0 when an invariant was violated; that round's logs then stay in
exactness-* of the folder for temporary files.
"""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
django.setup()

from tests.exactness.attack import Report, attack, plan_of  # noqa: E402
from tests.exactness.databases import KINDS  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--round-seconds", type=float, default=60)
    parser.add_argument("--database", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    ends_at = time.monotonic() + 60 * options.minutes
    reports: list[Report] = []
    while time.monotonic() < ends_at:
        number = len(reports)
        database = options.database[number % len(options.database)]
        seconds = min(options.round_seconds, max(ends_at - time.monotonic(), 10))
        plan = plan_of(options.seed + number, seconds, database)
        folder = Path(tempfile.mkdtemp(prefix="exactness-"))
        reports.append(attack(plan, folder))
        print(reports[-1], flush=True)
        if not reports[-1].violations:
            shutil.rmtree(folder)
    _sum_up(reports)


def _sum_up(reports: list[Report]) -> None:
    violations = sum(len(report.violations) for report in reports)
    print(
        f"{len(reports)} rounds: {sum(r.operations.total() for r in reports)} operations, "
        f"{sum(r.calls for r in reports)} model calls, "
        f"{sum(r.faults.total() for r in reports)} faults, {violations} violations"
    )
    sys.exit(bool(violations))


if __name__ == "__main__":
    main()
