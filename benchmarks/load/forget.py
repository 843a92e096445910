"""How long it takes to forget one user of a large log, and whether anybody waits for it.

`python -m benchmarks.load.forget` needs MariaDB (BENCH_DATABASE_URL, as in `make bench`; it makes
and drops a database of its own beside it). Of --rows rows of log, --user-rows are the user's,
spread evenly over 90 days; 200 hits a second are written by a server meanwhile, and 20 rows at a
time by a writer whose longest wait is reported. Prints the figures and writes
var/bench-forget.json.
"""

import argparse
import json
import os
from typing import Any

from benchmarks.load import processes
from benchmarks.load.readers import (
    beside_a_writer,
    database_of,
    evening_zone,
    fill,
    fill_today,
    hits,
    manage,
    timed_roll_up,
)
from tests.support.ports import free_port

USER = "person-7f3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--user-rows", type=int, default=100_000)
    options = parser.parse_args()
    os.environ.setdefault("TIME_ZONE", evening_zone())
    figures = measure(options.rows, options.user_rows)
    processes.ROOT.joinpath("var/bench-forget.json").write_text(json.dumps(figures, indent=2))
    for name, figure in figures.items():
        print(f"{name:34}{figure:>14,.1f}")


def measure(rows: int, user_rows: int) -> dict[str, Any]:
    """Fill a database, forget the user, and count what is left of them."""
    with database_of(rows, keep=False) as (url, db, _):
        os.environ["DATABASE_URL"] = url
        manage("migrate", "--verbosity=0")
        manage("collectstatic", "--noinput", "--verbosity=0")
        fill(db, rows)
        fill_today(db, rows // 10)
        cursor = db.cursor()
        every = rows // user_rows
        # A person has a few addresses, not one for each request.
        cursor.execute(
            "UPDATE request_log SET user_id = %s, ip_address = CONCAT('10.9.9.', id %% 7) "
            "WHERE id %% %s = 0",
            (USER, every),
        )
        figures: dict[str, Any] = {"rows": rows, "rows of the user": _rows_of_user(cursor)}
        figures["roll-up, s"] = timed_roll_up()
        port = free_port()
        with (
            processes.running(["manage.py", "serve"], port, APP_PORT=str(port), WEB_WORKERS="2"),
            hits(port, rows // 4),
        ):
            figures |= beside_a_writer(db, "forgetting", "forget_user", USER, "--yes")
        return figures | {"rows of the user afterwards": _rows_of_user(cursor)}


def _rows_of_user(cursor: Any) -> int:
    cursor.execute("SELECT COUNT(*) FROM request_log WHERE user_id = %s", (USER,))
    count: int = cursor.fetchone()[0]
    return count


if __name__ == "__main__":
    main()
