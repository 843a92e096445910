"""A short attack: whatever breaks, everything is exact in the end."""

from pathlib import Path

import pytest
from django.db import connection

from tests.exactness.attack import attack, plan_of
from tests.support.servers import ScratchDatabase

SECONDS = 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [7])
def test_everything_is_exact_under_attack(
    seed: int, tmp_path: Path, database: ScratchDatabase
) -> None:
    kind = "sqlite" if connection.vendor == "sqlite" else "mariadb"
    report = attack(plan_of(seed, SECONDS, kind), tmp_path, database)

    assert not report.violations, str(report)
    assert report.calls > 0
