import pytest


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No writer of these tests takes long."""
    monkeypatch.setattr("stats.rollup.chunks.SETTLING_SECONDS", 0)
