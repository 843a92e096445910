"""What real server processes say of themselves in the table that all of them share."""

import pytest

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import ScratchDatabase, running_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(180)


def test_each_process_says_how_it_is_until_it_stops(database: ScratchDatabase) -> None:
    with DashScopeServer() as dashscope, running_server(database, dashscope) as server:
        wait_until(lambda: database.value("SELECT COUNT(*) FROM server_process") == 2)
        rows = database.query("SELECT token, pid, model_state, rest_code FROM server_process")
        dashscope.script("InvalidApiKey")
        server.upload(photo())
        wait_until(
            lambda: database.value("SELECT COUNT(*) FROM server_process WHERE rest_code <> ''")
        )
        paused = database.query(
            "SELECT model_state, rest_code, rest_cause, rest_since < rest_until "
            "FROM server_process WHERE rest_code <> ''"
        )
        server.terminate()

    assert len({token for token, *_ in rows}) == len({pid for _, pid, *_ in rows}) == 2
    assert {(state, code) for *_, state, code in rows} == {("available", "")}
    assert paused == [("failing", "model_not_configured", "key_refused", 1)]
    assert database.query("SELECT * FROM server_process") == []


def test_a_killed_process_leaves_its_row_behind(database: ScratchDatabase) -> None:
    with DashScopeServer() as dashscope, running_server(database, dashscope) as server:
        wait_until(lambda: database.value("SELECT COUNT(*) FROM server_process") == 2)
        server.kill()

    assert database.value("SELECT COUNT(*) FROM server_process") == 2
