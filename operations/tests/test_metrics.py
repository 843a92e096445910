"""What Prometheus reads of a server with several processes."""

import hashlib
import os
import signal

import pytest
import requests
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.prices import answer_cost
from tests.support.servers import (
    RunningServer,
    ScratchDatabase,
    running_server,
)
from tests.support.waiting import wait_until

TOKEN = "a-token-for-Prometheus"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(server: RunningServer) -> Samples:
    """The samples by name and labels, as Prometheus' own parser reads them."""
    address = server.base_url.replace("/api/v1", "/metrics")
    # A connection each, so that every process has its turn.
    reply = requests.get(address, headers=HEADERS | {"Connection": "close"}, timeout=60)
    assert reply.status_code == 200
    families = list(text_string_to_metric_families(reply.text))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sum over all samples of a name that have these labels."""
    wanted = set(labels.items())
    return sum(v for (n, have), v in samples.items() if n == name and wanted <= have)


@pytest.mark.timeout(180)
def test_one_scrape_tells_of_all_processes(database: ScratchDatabase) -> None:
    data = photo()
    image_hash = hashlib.sha256(data).hexdigest()
    with (
        DashScopeServer() as dashscope,
        running_server(database, dashscope, METRICS_TOKEN=TOKEN, LLM_TIMEOUT="60") as server,
    ):
        server.upload(data)
        dashscope.script("no_verdict")
        server.upload(photo(seed=1))
        for _ in range(40):
            server.check(image_hash)
        wait_until(lambda: database.value("SELECT COUNT(*) FROM request_log") == 42)
        wait_until(lambda: value(scrape(server), "classifier_processes") == 2)
        scrapes = [scrape(server) for _ in range(6)]
        dashscope.script("hang")
        with pytest.raises(requests.Timeout):
            requests.post(
                f"{server.base_url}/classify",
                files={"image": ("p.jpg", photo(seed=2), "image/jpeg")},
                timeout=1,
            )
        wait_until(lambda: value(scrape(server), "classifier_model_calls_in_flight") == 1)
        [(pid,), *_] = database.query("SELECT pid FROM server_process")
        os.kill(pid, signal.SIGKILL)
        # A scrape before that might wait in the queue of the killed worker.
        wait_until(lambda: database.value("SELECT COUNT(*) FROM server_process") == 3)
        after_death = scrape(server)
        server.kill()  # its call in flight would hold up an orderly end
    assert value(after_death, "classifier_processes") == 2

    for samples in [*scrapes, after_death]:
        assert value(samples, "classifier_requests_total", source="cache", outcome="ok") == 40
        assert value(samples, "classifier_requests_total", source="llm", outcome="ok") == 1
        assert value(samples, "classifier_app_requests_total", app="anonymous", outcome="ok") == 41
        assert value(samples, "classifier_requests_total", outcome="model_bad_reply") == 1
        seconds = "classifier_request_duration_seconds"
        assert value(samples, f"{seconds}_count", source="cache") == 40
        assert value(samples, f"{seconds}_bucket", source="cache", le="+Inf") == 40
        assert value(samples, f"{seconds}_bucket", source="cache", le="0.0025") <= 40
        assert value(samples, "classifier_model_calls_total", billed="yes") == 2
        assert value(samples, "classifier_model_call_duration_seconds_count") == 2
        assert value(samples, "classifier_model_cost_yuan_total") == pytest.approx(
            2 * float(answer_cost())
        )
        assert value(samples, "classifier_saved_yuan_total") == pytest.approx(
            40 * float(answer_cost())
        )
        assert value(samples, "classifier_log_rows_dropped") == 0


@pytest.mark.django_db
def test_metrics_need_the_token(client: Client, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    statuses = [
        client.get("/metrics", headers=headers).status_code
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, HEADERS)
    ]

    assert statuses == [401, 401, 401, 200]


def test_liveness_needs_no_database(client: Client) -> None:
    """Without the mark for it, a test that asks the database fails."""
    reply = client.get("/api/v1/live")

    assert (reply.status_code, reply.json()["status"]) == (200, "alive")
    assert reply.json()["request_id"] == reply.headers["X-Request-ID"]
