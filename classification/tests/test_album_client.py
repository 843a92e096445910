"""A whole album through a client that is not of this house."""

import pytest

from tests.support.album_client import AlbumClient, NoAnswer
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.ports import free_port
from tests.support.servers import ScratchDatabase, running_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

MEGABYTES_3 = 3 * 1024 * 1024


def original(seed: int) -> bytes:
    """A file of 3 MB as a camera writes it; most of it is what the app does not upload."""
    picture = photo(seed=seed)
    return picture + bytes([seed % 256]) * (MEGABYTES_3 - len(picture))


def test_an_album_is_asked_about_by_its_originals(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    album = [original(seed) for seed in range(200)]
    with running_server(database, dashscope) as server:
        anna, carl = (AlbumClient(server.base_url, user) for user in ("anna", "carl"))
        assert anna.is_on()
        first, second = anna.classify_album(album), anna.classify_album(album)
        uploads_of_anna = anna.uploads
        by_content = carl.classify_album(album)
        again = carl.classify_album(album)
        wait_until(lambda: database.value("SELECT COUNT(*) FROM request_log") == 800)

    assert all(first)
    assert first == second == by_content == again
    assert (uploads_of_anna, carl.uploads) == (200, 200)
    assert len(dashscope.requests) == 200
    assert database.value("SELECT COUNT(*) FROM model_call") == 200
    assert database.query("SELECT COUNT(*), SUM(hit_count) FROM image_classification_cache") == [
        (200, 800)
    ]
    sources = database.query("SELECT source, COUNT(*) FROM request_log GROUP BY source ORDER BY 1")
    assert sources == [("cache", 600), ("llm", 200)]


def test_the_feature_stays_on_while_the_model_fails(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.script("InvalidApiKey")
    with running_server(database, dashscope, ON_MODEL_FAILURE="local", WEB_WORKERS="1") as server:
        app = AlbumClient(server.base_url, "anna")
        answers = app.classify_album([original(seed) for seed in range(3)])

        assert all(answers)
        assert app.is_on()


def test_a_host_that_goes_away_is_waited_for(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    port = str(free_port())
    album = [original(seed) for seed in range(3)]
    with running_server(database, dashscope, APP_PORT=port, WEB_WORKERS="1") as server:
        app = AlbumClient(server.base_url, "anna", pause=0.01)
        first = app.classify_album(album)
    with pytest.raises(NoAnswer):
        app.classify(album[0])
    with running_server(database, dashscope, APP_PORT=port, WEB_WORKERS="1"):
        second = app.classify_album(album)

    assert first == second
    assert app.uploads == 3
    assert len(dashscope.requests) == 3
