"""Which request a lost or given up connection belongs to, seen on real sockets."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from classification.providers import http_session
from classification.providers.http_session import ConnectionLost, Exchange, Session
from tests.support.dashscope_server import GENERATION, DashScopeServer

BODY: dict[str, Any] = {"input": {"messages": []}}


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


def post(session: Session, server: DashScopeServer, exchange: Exchange) -> requests.Response:
    with session.exchange(exchange):
        return session.post(
            server.base_url.removesuffix("/api/v1") + GENERATION, json=BODY, timeout=10
        )


def test_an_answered_call_that_is_given_up_late_leaves_the_next_call_alone(
    server: DashScopeServer,
) -> None:
    session, answered, next_one = Session(1), Exchange(), Exchange()
    found: list[int] = []
    with session.exchange(answered):
        session.post(server.base_url.removesuffix("/api/v1") + GENERATION, json=BODY, timeout=60)
        # The connection is back in the pool, and the call's thread has not yet got on.
        server.script("hold")
        other = threading.Thread(
            target=lambda: found.append(post(session, server, next_one).status_code)
        )
        other.start()
        while len(server.requests) < 2:
            time.sleep(0.01)
        answered.abort()
        server.released.set()
        other.join()

    assert found == [200]
    assert server.connections == 1


def test_a_connection_that_was_given_up_is_used_no_more(server: DashScopeServer) -> None:
    session, given_up = Session(1), Exchange()
    server.script("hang", "ok")

    def lose() -> None:
        with pytest.raises(ConnectionLost):
            post(session, server, given_up)

    thread = threading.Thread(target=lose)
    thread.start()
    while not server.requests:
        time.sleep(0.01)
    given_up.abort()
    thread.join()

    assert given_up.sent
    assert post(session, server, Exchange()).status_code == 200


def test_a_call_that_was_given_up_before_it_was_sent_is_never_sent(server: DashScopeServer) -> None:
    exchange = Exchange()
    exchange.abort()
    with pytest.raises(ConnectionLost):
        post(Session(1), server, exchange)

    assert not exchange.sent
    assert not server.requests


def test_an_idle_connection_that_the_provider_closed_is_replaced(server: DashScopeServer) -> None:
    session = Session(1)
    server.script("ok_and_close", "ok")
    post(session, server, Exchange())
    while server.open_connections:
        time.sleep(0.01)

    assert post(session, server, Exchange()).status_code == 200
    assert len(server.requests) == 2


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    server: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(1)
    post(session, server, Exchange())
    post(session, server, Exchange())
    assert server.connections == 1
    monkeypatch.setattr(http_session, "IDLE_SECONDS", 0)
    post(session, server, Exchange())

    assert server.connections == 2


def test_a_request_that_the_provider_did_not_take_in_whole_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        exchange = Exchange()

        def hang_up() -> None:
            connection, _address = listener.accept()
            connection.recv(1000)
            connection.close()  # with bytes unread, which resets it

        threading.Thread(target=hang_up).start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        session = Session(1)
        with pytest.raises(ConnectionLost), session.exchange(exchange):
            session.post(address, data=b"x" * 50_000_000, timeout=60)

    assert not exchange.sent
