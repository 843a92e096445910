"""Commits that wait for a replica: it is frozen and killed, then takes its dead primary's place."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exactness.steady_load import assert_exact, two_hosts_under_load
from tests.support.private_mariadb import app_database
from tests.support.semi_sync import SemiSyncPair, semi_sync_pair
from tests.support.servers import ScratchDatabase
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(300)]

PAUSE_SECONDS = 1.5
# Longer than a statement is waited for.
SILENT_SECONDS = 4.0
UPLOADS = 10


@pytest.fixture
def pair(tmp_path: Path, migrated_database: ScratchDatabase) -> Iterator[SemiSyncPair]:
    with semi_sync_pair(tmp_path, migrated_database) as pair:
        yield pair


def test_everything_is_exact_on_a_semi_synchronous_pair(pair: SemiSyncPair) -> None:
    both = pair.primary, pair.replica
    databases = [app_database(*both), app_database(*reversed(both))]
    with two_hosts_under_load(databases) as (apps, model):
        pair.replica.freeze()
        time.sleep(SILENT_SECONDS)
        pair.replica.thaw()
        time.sleep(PAUSE_SECONDS)
        pair.replica.kill()
        time.sleep(SILENT_SECONDS)
        pair.replica.start()
        pair.wait_until_acknowledging()
        time.sleep(PAUSE_SECONDS)
        pair.primary.kill()
        pair.promote()
        before = len(apps.uploaded)
        wait_until(lambda: len(apps.uploaded) > before + UPLOADS)

    assert_exact(pair.replica.database, apps, model)
