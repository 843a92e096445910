import pytest
from django.contrib.auth.models import User
from django.test import Client

from stats import snapshot


@pytest.fixture
def staff(client: Client) -> Client:
    """A client that a member of staff has logged in."""
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader rolls up for half a second of real time, which a busy machine may need for less
    than what a test expects."""
    monkeypatch.setattr(snapshot, "READER_SECONDS", 60.0)
