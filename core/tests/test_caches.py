from django.core.cache import cache


def test_the_default_cache_keeps_djangos_contract() -> None:
    cache.set("key", 1)
    cache.set("key", 10, version=2)
    cache.incr("key")
    mutable = [1]
    cache.set("list", mutable)
    mutable.append(2)

    assert (cache.get("key"), cache.get("key", version=2)) == (2, 10)
    assert cache.get("list") == [1]
    assert cache.get("absent", "gone") == "gone"
