"""DATABASE_URL with several hosts: one is away, and the next is asked within seconds."""

import hashlib
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from operations.doctor.cluster import examine_servers
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.ports import free_port
from tests.support.private_mariadb import private_mariadb
from tests.support.proxy import Proxy
from tests.support.servers import RunningServer, ScratchDatabase, running_server

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(240)]

SOON = 15.0


def seconds_until_up(server: RunningServer) -> float:
    """How long the service goes without its database."""
    began = time.monotonic()
    while server.health()["database"] != "connected":
        assert time.monotonic() < began + SOON
        time.sleep(0.1)
    return time.monotonic() - began


def test_another_host_is_asked_when_the_first_is_away(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    port = urlsplit(database.url).port or 3306
    known, new = photo(seed=1), photo(seed=2)
    with Proxy(port) as first, Proxy(port) as second:
        hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        both = ScratchDatabase(database.url.replace(f"127.0.0.1:{port}", hosts))
        with running_server(both, dashscope, WEB_WORKERS="1") as server:
            server.upload(known)
            before = first.accepted, second.accepted
            first.close()
            seconds_until_up(server)
            at_second = server.upload(new).json()
            first.open()
            second.close()
            seconds_until_up(server)
            hits = [server.check(hashlib.sha256(data).hexdigest()).json() for data in (known, new)]

    assert before[0] > 0
    assert before[1] == 0
    assert at_second["source"] == "llm"
    assert [hit["cached"] for hit in hits] == [True, True]
    assert len(dashscope.requests) == database.value("SELECT COUNT(*) FROM model_call") == 2


@pytest.mark.django_db
def test_a_connection_whose_host_refused_a_commit_is_used_no_more(
    tmp_path: Path, migrated_database: ScratchDatabase
) -> None:
    """It became read-only in the middle of a transaction."""
    with private_mariadb(tmp_path, migrated_database) as server:
        server.create_app_user()
        ours = connection.copy()
        ours.settings_dict |= {"NAME": "private", "USER": "app", "PASSWORD": ""}
        ours.settings_dict["OPTIONS"]["hosts"] = [("127.0.0.1", server.port)]
        before = connection_id(ours)
        ours.set_autocommit(False)
        with ours.cursor() as cursor:
            cursor.execute("INSERT INTO written_batch VALUES ('a', NOW())")
        server.admin.query("SET GLOBAL read_only = ON")
        with pytest.raises(OperationalError) as refused:
            ours.commit()
        server.admin.query("SET GLOBAL read_only = OFF")
        ours.rollback()
        ours.set_autocommit(True)
        ours.close_if_unusable_or_obsolete()
        after = connection_id(ours)
        ours.close()

    assert refused.value.args[0] == 1290
    assert after != before


def connection_id(wrapper: BaseDatabaseWrapper) -> int:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_doctor_says_which_host_could_not_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    default = connection.settings_dict
    here, away = (default["HOST"], int(default["PORT"] or 3306)), ("127.0.0.1", free_port())
    monkeypatch.setitem(default["OPTIONS"], "hosts", [here, away])
    levels = {finding.subject: finding.level for finding in examine_servers()}

    assert levels == {
        f"database server {here[0]}:{here[1]}": "ok",
        f"database server {away[0]}:{away[1]}": "warning",
    }
