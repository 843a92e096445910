from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from classification.errors import ServiceError
from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog
from classification.pipeline import trials
from classification.pipeline.request_log import ClientInfo
from classification.pipeline.trials import Trial
from tests.support.api import check_cache, make_entry
from tests.support.dashscope_server import DashScopeServer
from tests.support.html_forms import input_values
from tests.support.pictures import photo
from tests.support.prices import answer_cost

pytestmark = pytest.mark.django_db


def ask(prompt: PromptVersion | None = None, **picture: Any) -> Trial:
    return trials.ask(
        upload=photo(**picture),
        prompt=prompt or PromptVersion.objects.current(),
        client=ClientInfo("req_1"),
    )


def served(image_hash: str) -> str:
    """The category that clients get."""
    category: str = check_cache(Client(), image_hash).json()["data"]["category"]
    return category


def test_a_trial_is_paid_for_but_neither_cached_nor_logged(model: DashScopeServer) -> None:
    trial = ask()

    assert (trial.entry.category, trial.entry.cost) == ("pets", answer_cost())
    call = ModelCall.objects.get()
    assert (call.request_id, call.billed, call.image_hash) == (
        "req_1",
        "yes",
        trial.entry.image_hash,
    )
    assert not CacheEntry.objects.exists()
    assert not RequestLog.objects.exists()


def test_a_draft_is_what_the_model_is_told(model: DashScopeServer) -> None:
    ask(PromptVersion(text="a draft"))

    assert "a draft" in str(model.requests[0].body)


def test_a_failed_trial_is_in_the_ledger_too(model: DashScopeServer) -> None:
    model.script("DataInspectionFailed")
    with pytest.raises(ServiceError) as refusal:
        ask()

    assert refusal.value.code == "image_rejected"
    assert ModelCall.objects.get().outcome == "image_rejected"


def test_a_kept_answer_replaces_the_cached_one_and_keeps_its_hits(model: DashScopeServer) -> None:
    trial = ask()
    CacheEntry.objects.create(
        image_hash=trial.entry.image_hash,
        category="foods",
        confidence=1,
        model_used="older",
        hit_count=7,
        ask_again=True,
    )
    trials.keep(trial.seal())

    entry = CacheEntry.objects.get()
    assert (entry.category, entry.confidence) == ("pets", Decimal("0.95"))
    assert (entry.hit_count, entry.ask_again, entry.cost) == (7, False, answer_cost())


def test_a_kept_answer_does_not_outrank_a_person(model: DashScopeServer, admin_user: User) -> None:
    trial = ask()
    entry = CacheEntry(image_hash=trial.entry.image_hash, category="other", confidence=1)
    entry.correct("foods", by=admin_user)
    entry.save()
    with pytest.raises(trials.NotKept):
        trials.keep(trial.seal())

    assert CacheEntry.objects.get().category == "foods"


def test_a_kept_answer_to_an_outdated_prompt_replaces_none_that_is_served(
    model: DashScopeServer, admin_client: Client, admin_user: User
) -> None:
    trial = ask()
    publish = PromptVersion.objects.publish
    publish("a newer prompt", author=admin_user, after=1, keep_older=False)
    CacheEntry.objects.create(
        image_hash=trial.entry.image_hash,
        category="foods",
        confidence=1,
        provider="aliyun",
        prompt_version=2,
    )
    kept = admin_client.post("/test/keep/", {"sealed": trial.seal()})

    assert "请重新识别" in kept.content.decode()
    assert served(trial.entry.image_hash) == "foods"
    assert not LogEntry.objects.exists()


def test_a_card_that_was_open_meanwhile_corrects_nothing(
    admin_client: Client, admin_user: User
) -> None:
    entry = make_entry()
    card = admin_client.get("/test/answer/", {"hash": entry.image_hash}).content.decode()
    form = input_values(card) | {"category": "screenshot"}
    entry.correct("foods", by=admin_user)
    entry.save()
    answer = admin_client.post("/test/correct/", form).content.decode()

    assert served(entry.image_hash) == "foods"
    assert "未保存" in answer
    admin_client.post("/test/correct/", input_values(answer) | {"category": "screenshot"})
    assert served(entry.image_hash) == "screenshot"


def test_an_answer_that_somebody_wrote_is_not_kept(
    model: DashScopeServer, admin_client: Client
) -> None:
    forged = signing.dumps({"image_hash": "a" * 64}, salt="another")
    with pytest.raises(trials.NotKept):
        trials.keep(forged)
    response = admin_client.post("/test/keep/", {"sealed": forged})

    assert response.status_code == 200
    assert not CacheEntry.objects.exists()


def test_what_is_printed_on_a_card_is_not_in_the_sealed_answer(model: DashScopeServer) -> None:
    model.category = "idcard"
    trial = ask()

    assert trial.entry.model_response is None
    assert trial.entry.description is None
