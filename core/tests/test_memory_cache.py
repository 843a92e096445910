from unittest.mock import patch

import pytest

from core.memory_cache import MemoryCache


@pytest.fixture
def cache() -> MemoryCache:
    cache = MemoryCache("test", {"OPTIONS": {"MAX_ENTRIES": 3}})
    cache.clear()
    return cache


def test_it_behaves_as_djangos_caches_do(cache: MemoryCache) -> None:
    value = ("immutable",)
    cache.set_many({"a": value, "b": None}, 10)

    assert cache.get("a") is value
    assert cache.get_many(["a", "b", "c"]) == {"a": value, "b": None}
    assert (cache.add("a", 2), cache.add("c", 3), cache.get("c")) == (False, True, 3)
    assert (cache.delete("a"), cache.delete("a"), cache.get("a", "gone")) == (True, False, "gone")
    assert MemoryCache("test", {}).get("c") == 3
    assert MemoryCache("other", {}).get("c") is None


def test_entries_end_with_their_time_however_the_wall_clock_is_set(cache: MemoryCache) -> None:
    with patch("time.monotonic") as clock:
        clock.return_value = 100.0
        cache.set("a", 1, 30)
        cache.set("b", 1, None)
        clock.return_value = 129.9
        assert (cache.get("a"), cache.add("a", 2)) == (1, False)
        clock.return_value = 130.0
        assert (cache.get("a"), cache.get("b"), cache.add("a", 2)) == (None, 1, True)


def test_what_was_stored_first_goes_first(cache: MemoryCache) -> None:
    for key in ("a", "b", "c", "a", "d"):
        cache.set(key, 1)

    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]
