from pathlib import Path

import pytest

from clients.models import App
from tests.support.labelled_photos import LabelledPhotos


@pytest.fixture(autouse=True)
def anonymous(db: None) -> App:
    """What the migration makes; tests that commit empty every table after themselves."""
    return App.objects.anonymous()


@pytest.fixture
def photos(tmp_path: Path) -> LabelledPhotos:
    """An empty labelled set."""
    return LabelledPhotos(tmp_path / "photos")
