"""A labelled set of plain pictures, and a model's answers to each of them."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.model_server import ModelServer

# Greys that stay apart whatever JPEG makes of them.
STEP = 10


class LabelledPhotos:
    """A folder to evaluate; `answers` are what the model says of each file, by its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, dict[str, Any]] = {}
        self._names: list[str] = []

    def add(self, name: str, category: str, confidence: float = 0.95) -> None:
        """A photo such as pets/cat.png, and the model's answer to it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (32, 24), STEP * len(self._names)).save(path)
        self._names.append(name)
        self.answers[name] = {"category": category, "confidence": confidence}

    def name_of(self, jpeg: bytes) -> str:
        """Which of the photos a model was sent."""
        grey = Image.open(BytesIO(jpeg)).convert("L").getpixel((16, 12))
        assert isinstance(grey, int)
        return self._names[round(grey / STEP)]

    def taught(self, model: ModelServer) -> None:
        """Let the model give the answers."""
        model.by_picture = lambda jpeg: self.answers[self.name_of(jpeg)]

    def asked(self, model: ModelServer) -> list[str]:
        """Which photos the model was sent, in order."""
        return [self.name_of(request.picture) for request in model.requests]
