"""Forgetting and exporting a person: everywhere, and nothing else."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User as Staff
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from classification.models import DeclaredHash, RequestLog
from classification.pipeline.write_behind import buffer
from clients import forgotten
from clients.models import App, ForgottenUser, QuotaCounter
from clients.pseudonyms import hashed_user_id
from privacy import erasure as erasures
from privacy import worker
from privacy.models import Erasure
from quality.models import Vote
from stats.models import DayUser, User
from stats.rollup.chunks import catch_up
from tests.support.api import sha256, upload
from tests.support.apps import bearer, make_app, run
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

ANNA, BEN = "anna-7f3", "ben-9c1"
ADDRESS, OTHER_ADDRESS = "203.0.113.77", "203.0.113.78"
CHECK = "/api/v1/classify/check-cache"
NOON = "2026-11-25T12:00:00+08:00"
NEXT_NOON = "2026-11-26T12:00:00+08:00"


def everything() -> str:
    """Every value of every table, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [f"{table}: {row}" for row in cursor.fetchall()]
    return "\n".join(found)


def use(client: Client, headers: dict[str, str], user: str, address: str, seed: int) -> None:
    """What a person does: upload a shrunken photo, ask again, say what it is."""
    data = photo(seed=seed)
    extra = {"REMOTE_ADDR": address}
    client.defaults |= extra
    declared = {"image_hash": f"{seed:064x}"}
    assert upload(client, data, user_id=user, headers=headers, **declared).status_code == 200
    for image_hash in (sha256(data), declared["image_hash"]):
        body = {"image_hash": image_hash, "user_id": user}
        asked = client.post(
            "/api/v1/classify/check-cache", body, "application/json", headers=headers
        )
        assert asked.json()["cached"]
    vote = {"image_hash": sha256(data), "category": "foods", "user_id": user}
    said = client.post("/api/v1/classify/feedback", vote, "application/json", headers=headers)
    assert said.status_code == 202
    buffer.flush()


def figures(names: dict[str, str]) -> Any:
    """Everything that staff can read of figures, with some user ids as others."""
    staff = Client()
    staff.force_login(Staff.objects.get_or_create(username="lin", is_staff=True)[0])
    read = {
        path: staff.get(f"/api/v1/stats/{path}").json()["data"]
        for path in (
            "today",
            "cache-efficiency",
            "category-distribution",
            "users/top",
            "errors",
            "apps",
            "trend?days=7",
            "range?last=24h",
            "range?last=7d",
        )
    }
    text = json.dumps(read, sort_keys=True)
    for user_id, name in names.items():
        text = text.replace(user_id, name)
    return json.loads(text)


def ordered(read: Any) -> Any:
    """Top users who asked the same are in the order of their ids."""
    read["users/top"].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return read


def live_two_days(client: Client, key: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False):
        use(client, key, ANNA, ADDRESS, 1)
        use(client, key, BEN, OTHER_ADDRESS, 2)
        list(catch_up())
    with time_machine.travel(NEXT_NOON, tick=False):
        use(client, key, ANNA, ADDRESS, 3)
        use(client, key, BEN, OTHER_ADDRESS, 4)


@pytest.mark.parametrize(("user_ids", "app"), [("keep", None), ("keep", "camera"), ("hash", None)])
def test_a_person_is_nowhere_any_more_and_no_figure_has_changed(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    user_ids: str,
    app: str | None,
) -> None:
    settings.USER_IDS = user_ids
    key = bearer(make_app("camera", "--user-new-photos-per-day", "5"))
    live_two_days(client, key)
    kept = ANNA if user_ids == "keep" else hashed_user_id(ANNA)
    with time_machine.travel(NEXT_NOON, tick=False):
        assert kept in everything()
        assert ADDRESS in everything()
        before = figures({kept: "X"})
        others = RequestLog.objects.exclude(user_id=kept).count()
        usage = client.get("/api/v1/usage", headers=key).json()["data"]

        run("forget_user", ANNA, "--yes", *(["--app", app] if app else []))

        left = everything()
        assert (ANNA in left, kept in left, ADDRESS in left) == (False, False, False)
        assert (BEN in left or user_ids == "hash", OTHER_ADDRESS in left) == (True, True)
        alias = User.objects.get(user_id__startswith="forgotten-").user_id
        assert ordered(figures({alias: "X"})) == ordered(before)
        assert client.get("/api/v1/usage", headers=key).json()["data"] == usage
        assert RequestLog.objects.exclude(user_id=None).count() == others
        assert DeclaredHash.objects.count() == Vote.objects.count() == 2
        run("rebuild_stats")
        assert ordered(figures({alias: "X"})) == ordered(before)
        # Today's limit goes on from where it was.
        used = client.get("/api/v1/usage", headers=key | {"X-User-ID": ANNA}).json()["data"]
        assert used["user_new_photos"]["used"] == 1
    assert QuotaCounter.objects.filter(scope="user").count() == 3


def test_the_receipt_says_how_many_rows_and_not_whose(
    client: Client, model: DashScopeServer
) -> None:
    live_two_days(client, bearer(make_app()))
    Erasure.objects.begin(ANNA, None, "command").count("request_log", 100)  # a process that died
    with time_machine.travel(NEXT_NOON, tick=False):
        said = run("forget_user", ANNA, "--yes")
        again = run("forget_user", ANNA, "--yes")
    first, second = Erasure.objects.order_by("pk")

    assert first.rows == {
        "request_log": 106,
        "stats_day_address": 2,
        "declared_hash": 2,
        "quality_vote": 2,
        "stats_day_user": 2,
        "stats_day_app_user": 2,
        "stats_user": 1,
    }
    assert not any(second.rows.values())
    assert (first.user_id, first.alias, first.requested_by) == (None, None, "command")
    assert "117 rows were deleted or anonymized" in said
    assert "request_log: 106" in said
    assert ANNA not in said
    assert "0 rows were deleted or anonymized" in again


def test_an_app_forgets_its_own_users_only(client: Client, model: DashScopeServer) -> None:
    camera, album = bearer(make_app("camera")), bearer(make_app("album"))
    with time_machine.travel(NOON, tick=False):
        use(client, camera, ANNA, ADDRESS, 1)
        use(client, album, ANNA, ADDRESS, 2)
        use(client, {}, ANNA, ADDRESS, 3)
    with time_machine.travel(NEXT_NOON, tick=False):
        before = figures({})
        run("forget_user", ANNA, "--app", "camera", "--yes")
        camera_id = App.objects.get(name="camera").pk

        for table, count in ((RequestLog, 6), (DeclaredHash, 2), (Vote, 2)):
            rows: Any = table.objects.filter(user_id=ANNA)
            assert rows.count() == count
            assert not rows.filter(app_id=camera_id).exists()
        assert User.objects.get(user_id=ANNA).requests == 6
        assert DayUser.objects.get().requests == 6
        after = figures({})
        assert after.pop("users/top") != before.pop("users/top")
        assert after == before
        run("forget_user", ANNA, "--app", "anonymous", "--yes")
        assert User.objects.get(user_id=ANNA).requests == 3
        run("forget_user", ANNA, "--app", "album", "--yes")
        assert ANNA not in everything()
        assert ADDRESS not in everything()
        after = figures({})
        after.pop("users/top")
        assert after == before


@pytest.mark.parametrize("at", [2, 5, 9])
def test_what_was_interrupted_goes_on(client: Client, model: DashScopeServer, at: int) -> None:
    live_two_days(client, bearer(make_app()))
    with time_machine.travel(NEXT_NOON, tick=False) as clock:
        before = figures({ANNA: "X"})
        erasure = Erasure.objects.begin(ANNA, None, "lin")
        for number, _ in enumerate(erasures.steps(erasure)):
            if number == at:
                break
        clock.shift(timedelta(minutes=2))
        worker.run_all()
        erasure.refresh_from_db()

        assert erasure.finished_at
        assert ANNA not in everything()
        alias = User.objects.get(user_id__startswith="forgotten-").user_id
        after = figures({alias: "X"})
        assert ordered(after)["users/top"] == ordered(before)["users/top"]
        assert (after["trend?days=7"], after["today"]) == (before["trend?days=7"], before["today"])


def test_the_command_leaves_servers_nothing_to_take_over(client: Client) -> None:
    key = bearer(make_app())
    use(client, key, ANNA, ADDRESS, 1)
    taken: list[Any] = []

    def look(execute: Any, sql: str, *rest: Any) -> Any:
        if "DELETE" in sql and "vote" in sql and not taken:
            taken.append(None)
            taken.append(Erasure.objects.claim())
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        run("forget_user", ANNA, "--yes")

    assert taken == [None, None]


def test_a_clock_that_was_ahead_holds_up_no_erasure(client: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=900)):
        Erasure.objects.begin(ANNA, None, "lin")
        assert Erasure.objects.claim()
        forgotten.mark([BEN], None)
        forgotten.unmark([BEN], None)
    forgotten.prune()

    assert Erasure.objects.claim()
    assert not Erasure.objects.claim()
    assert not ForgottenUser.objects.exists()


def test_rows_that_wait_in_a_buffer_name_nobody_when_they_are_written(
    client: Client, model: DashScopeServer
) -> None:
    key = bearer(make_app())
    data = photo()
    upload(client, data, user_id=BEN, headers=key)
    buffer.flush()
    for user in (ANNA, BEN):
        body = {"image_hash": sha256(data), "user_id": user}
        client.post(CHECK, body, "application/json", headers=key)
    run("forget_user", ANNA, "--yes")  # which cannot see what another process has in memory
    buffer.flush()

    assert ANNA not in everything()
    assert RequestLog.objects.filter(user_id=None, from_cache=True).count() == 1
    assert RequestLog.objects.filter(user_id=BEN).count() == 2


@pytest.mark.parametrize("is_of_another_app", [False, True])
def test_the_answer_to_who_is_being_forgotten_names_them_in_no_row(
    client: Client, model: DashScopeServer, is_of_another_app: bool
) -> None:
    key, other = bearer(make_app("camera")), App.objects.create(name="other")
    app = other if is_of_another_app else App.objects.get(name="camera")
    forgotten.mark([ANNA], app.pk)  # as a process does that is erasing them
    assert upload(client, photo(), user_id=ANNA, headers=key).status_code == 200

    logged = RequestLog.objects.get()
    assert (logged.outcome, logged.cost > 0) == ("ok", True)
    assert (logged.user_id, logged.image_hash) == (
        (ANNA, sha256(photo())) if is_of_another_app else (None, "")
    )


def test_who_comes_back_is_somebody_new(client: Client, model: DashScopeServer) -> None:
    key = bearer(make_app())
    use(client, key, ANNA, ADDRESS, 1)
    run("forget_user", ANNA, "--yes")
    use(client, key, ANNA, ADDRESS, 2)

    assert RequestLog.objects.filter(user_id=ANNA).count() == 3
    assert Vote.objects.get().user_id == ANNA


def test_marks_end_a_day_later(client: Client) -> None:
    run("forget_user", ANNA, "--yes")
    assert ForgottenUser.objects.count() == 2  # as it is, and hashed
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        forgotten.prune()
    assert not ForgottenUser.objects.exists()


def test_a_user_is_found_by_a_hash_of_an_older_secret(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.USER_IDS = "hash"
    use(client, {}, ANNA, ADDRESS, 1)
    older = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [older]
    run("forget_user", ANNA, "--yes")

    assert hashed_user_id(ANNA, older) not in everything()


def test_the_export_is_all_that_there_is(
    client: Client, model: DashScopeServer, tmp_path: Path
) -> None:
    live_two_days(client, bearer(make_app()))
    path = tmp_path / "anna.json"
    with time_machine.travel(NEXT_NOON, tick=False):
        call_command("export_user", ANNA, "--output", str(path))
    exported = json.loads(path.read_text())

    assert path.stat().st_mode & 0o077 == 0
    assert [row["ip_address"] for row in exported["request_log"]] == [ADDRESS] * 6
    assert {row["app"] for row in exported["request_log"]} == {"camera"}
    assert [row["declared_hash"] for row in exported["declared_hashes"]] == [
        f"{n:064x}" for n in (1, 3)
    ]
    assert [row["category"] for row in exported["votes"]] == ["foods", "foods"]
    assert exported["figures"][0] == {"day": "2026-11-25", "requests": 3}
    assert BEN not in path.read_text()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_user", ANNA, "--output", str(path))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["", "--yes"], "not a valid user id"),
        ([ANNA, "--app", "nobody", "--yes"], "no app nobody"),
        ([ANNA], "Pass --yes"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("forget_user", *arguments)
    assert not Erasure.objects.exists()
