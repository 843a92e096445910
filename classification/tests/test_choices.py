"""Values that are stored in one place and told in another have one list."""

from typing import get_args, get_type_hints

from classification.choices import Billed
from classification.providers.base import Call


def test_providers_tell_of_a_call_what_the_ledger_knows() -> None:
    assert set(get_args(get_type_hints(Call)["billed"])) == set(Billed.values)
