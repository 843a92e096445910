import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def staff(client: Client) -> Client:
    """A client that a member of staff has logged in."""
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client
