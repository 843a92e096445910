"""What a photo costs, from the tokens on the wire to the ledger and the daily limit."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from classification import prompts
from classification.billing import daily_limit
from classification.models import CacheEntry, ModelCall, RequestLog, SpendingDay
from classification.pipeline.write_behind import buffer
from classification.providers import registry
from core.money import MILLION, in_yuan
from tests.support.api import upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.model_server import ModelServer
from tests.support.openai_server import OpenAIServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)

DASHSCOPE = {
    "input_tokens": 800,
    "output_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 600},
}
OPENAI = {
    "prompt_tokens": 800,
    "completion_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 600},
}
# 200 tokens at 1 yuan a million, 600 at 0.2, and 40 out at 10.
COST = Decimal("0.000720")


@pytest.fixture(params=["aliyun", "openai"])
def paid(
    request: pytest.FixtureRequest, model: DashScopeServer, settings: Settings
) -> Iterator[ModelServer]:
    """The default model, by DashScope's own form or by OpenAI's; its cache had most of it."""
    settings.LLM_PROVIDER = request.param
    if request.param == "aliyun":
        model.usage = DASHSCOPE
        yield model
        return
    with OpenAIServer() as server:
        settings.LLM_BASE_URL = server.base_url
        server.usage = OPENAI
        yield server


def test_a_photo_costs_what_its_tokens_do_cached_ones_at_their_own_price(
    client: Client, paid: ModelServer
) -> None:
    upload(client, photo())
    buffer.flush()
    call, entry, row = ModelCall.objects.get(), CacheEntry.objects.get(), RequestLog.objects.get()

    assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (800, 600, 40)
    assert call.provider == entry.provider == registry.configured()[0].name
    assert (call.cost, call.cost_is_exact) == (entry.cost, entry.cost_is_exact) == (COST, True)
    assert row.cost == COST


def test_the_daily_limit_stops_where_the_next_call_could_pass_it(
    client: Client, paid: ModelServer, settings: Settings
) -> None:
    most = daily_limit.max_cost(prompts.current().text, registry.models(), 1024)
    settings.DAILY_COST_LIMIT = in_yuan(most) + 5 * COST
    statuses = [upload(client, photo(seed=seed)).status_code for seed in range(9)]
    buffer.flush()

    assert statuses == [200] * 6 + [503] * 3
    assert len(paid.requests) == 6
    assert SpendingDay.objects.get().spent == 6 * COST * MILLION
