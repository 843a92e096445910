"""Starting and stopping real servers: ports, signals, workers that die."""

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.support.dashscope_server import DashScopeServer
from tests.support.ports import free_port
from tests.support.servers import RunningServer, ScratchDatabase, running_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def dashscope() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


def refusal(database: ScratchDatabase, port: int, **variables: str) -> str:
    """What a server says that does not start on this port."""
    environment = os.environ | {"DATABASE_URL": database.url, "APP_PORT": str(port)} | variables
    result = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    return result.stderr.strip()


def worker(server: RunningServer) -> str:
    """Which worker of which server answers: a connection each, so that all have their turn."""
    reply = requests.get(f"{server.base_url}/live", headers={"Connection": "close"}, timeout=60)
    return reply.headers["X-Worker"]


def workers(server: RunningServer) -> set[int]:
    """Who answers of many requests; nobody while one waits in the queue of a killed worker."""
    try:
        return {int(worker(server).split("/")[1]) for _ in range(40)}
    except requests.ConnectionError:
        return set()


def two_workers(server: RunningServer) -> set[int]:
    wait_until(lambda: len(workers(server)) == 2, seconds=60)
    return workers(server)


def are_gone(server: RunningServer, pids: set[int]) -> bool:
    alive = workers(server)
    return bool(alive) and not alive & pids


def test_another_installation_is_refused_on_the_same_port(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    with running_server(database, dashscope, WEB_WORKERS="1") as server:
        port = int(server.address.rpartition(":")[2])
        other = ScratchDatabase(f"sqlite:///{tmp_path / 'other.sqlite3'}")
        words = refusal(other, port)

    assert words == (
        "CommandError: Another installation of this service, with another database, already uses "
        f"port {port}: stop it, or set APP_PORT to another."
    )


def test_a_server_of_the_same_installation_shares_the_port(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    port = str(free_port())
    with (
        running_server(database, dashscope, WEB_WORKERS="1", APP_PORT=port) as old,
        running_server(database, dashscope, WEB_WORKERS="1", APP_PORT=port) as new,
    ):
        wait_until(
            lambda: (
                {worker(new).split("/")[0] for _ in range(20)}
                == {
                    str(old.process.pid),
                    str(new.process.pid),
                }
            )
        )


@pytest.mark.parametrize("shares", [True, False])
def test_a_port_that_another_program_has_is_told_in_one_sentence(
    database: ScratchDatabase, shares: bool
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port), reuse_port=shares) as taken:
        # What shares its port may be a server of ours, until it has said something else.
        if shares:
            taken.close()
            with subprocess.Popen(
                [sys.executable, "-c", _OTHER_PROGRAM, str(port)], stdout=subprocess.PIPE
            ) as other:
                assert other.stdout
                other.stdout.readline()
                words = refusal(database, port)
                other.kill()
        else:
            words = refusal(database, port)

    assert words == (
        f"CommandError: Another program already uses port {port}: "
        "stop it, or set APP_PORT to another."
    )


_OTHER_PROGRAM = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), reuse_port=True)
print("listens", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b"+OK\\r\\n")
    connection.close()
"""


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["localhost", *(["[::1]", "::1"] if _has_ipv6() else [])])
def test_hosts_as_people_write_them(
    database: ScratchDatabase, dashscope: DashScopeServer, host: str
) -> None:
    url_host = "localhost" if host == "localhost" else "[::1]"
    port = str(free_port())
    address = {"reached_at": f"{url_host}:{port}", "APP_HOST": host, "APP_PORT": port}
    with running_server(database, dashscope, WEB_WORKERS="1", **address) as server:
        assert server.health()["status"] == "healthy"


def test_workers_share_the_code_of_the_model(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    timed = {"PYTHONPROFILEIMPORTTIME": "1"}  # a line for each module that a process loads
    with (
        log.open("w") as output,
        running_server(database, dashscope, output, **timed) as server,
    ):
        two_workers(server)

    # Only what is forked shares anything, and macOS does not fork.
    expected = 2 if multiprocessing.get_start_method() == "spawn" else 1
    assert len(re.findall(r"\| +dashscope$", log.read_text(), re.MULTILINE)) == expected


def test_an_address_of_another_machine(database: ScratchDatabase) -> None:
    words = refusal(database, free_port(), APP_HOST="192.0.2.7")

    assert words.startswith("CommandError: APP_HOST=192.0.2.7 cannot be listened on: ")
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_when_the_whole_group_is_told(
    database: ScratchDatabase,
    dashscope: DashScopeServer,
    tmp_path: Path,
    sent: signal.Signals,
    proxies: str,
) -> None:
    """A terminal sends SIGINT to all processes of the group at once."""
    log = tmp_path / "server.log"
    with (
        log.open("w") as output,
        running_server(database, dashscope, output, TRUSTED_PROXIES=proxies) as server,
    ):
        os.killpg(server.process.pid, sent)
        status = server.process.wait(30)  # far less than the time after which workers are killed
        with pytest.raises(requests.ConnectionError):
            server.health()

    assert status == 0
    # At Ctrl-C a person waits, and no proxy is given time to close its connections.
    is_drained = "Letting proxies close their connections" in log.read_text()
    assert is_drained == (sent == signal.SIGTERM and bool(proxies))
    assert not _group_lives(server.process.pid)


def _group_lives(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_that_are_killed_come_back_however_often(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    with running_server(database, dashscope) as server:
        for _ in range(3):
            alive = two_workers(server)
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
            wait_until(partial(are_gone, server, alive), seconds=60)
        two_workers(server)
        assert server.process.poll() is None


def test_workers_end_when_their_server_was_killed(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    with running_server(database, dashscope) as server:
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
        wait_until(lambda: not _group_lives(server.process.pid))
