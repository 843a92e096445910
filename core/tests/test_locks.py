"""Locks between processes."""

import pytest
from django.db import connection

from core.database.locks import exclusive

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db]


def test_a_connection_may_be_idle_again_after_it_held_a_lock() -> None:
    def idle_seconds() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@session.wait_timeout")
            return int(cursor.fetchone()[0])

    before = idle_seconds()
    with exclusive("a test", wait_seconds=0) as held:
        assert held
        assert idle_seconds() < before

    assert idle_seconds() == before
