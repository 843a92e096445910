import pytest

from clients.models import App


@pytest.fixture(autouse=True)
def anonymous(db: None) -> App:
    """What the migration makes; tests that commit empty every table after themselves."""
    return App.objects.anonymous()
