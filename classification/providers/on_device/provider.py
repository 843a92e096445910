"""The on-device model as a provider."""

from io import BytesIO
from typing import Any

from PIL import Image

from classification.photos import Photo
from classification.providers.base import Answer, ProviderError
from classification.providers.on_device import labels, networks
from classification.providers.on_device.descriptions import describe
from classification.providers.on_device.rules import Findings, decide
from classification.results import Classification

MODEL = "local/efficientnet-lite0+centerface-1"
TOP_LABELS = 5


class OnDeviceProvider:
    """Classifies on this machine's processor; free of charge, loaded at the first photo."""

    name = "local"
    state = "available"

    def classify(self, photo: Photo, prompt: str) -> Answer:
        """One answer; the prompt plays no part. Raises ProviderError."""
        try:
            return self._classify(photo)
        except Exception as error:
            raise ProviderError("model_unavailable", f"on-device: {error!r}") from error

    def _classify(self, photo: Photo) -> Answer:
        image = Image.open(BytesIO(photo.jpeg))
        probabilities = networks.label_probabilities(image)
        findings = Findings(
            masses={
                category: float(probabilities[list(labels.numbers(category))].sum())
                for category in labels.SPEAKS_FOR
            },
            text=float(probabilities[list(labels.TEXT)].sum()),
            faces=networks.faces(image),
            flatness=networks.flatness(image),
            ground_flatness=networks.ground_flatness(image),
            shape=photo.width / photo.height,
            has_camera_data=photo.has_camera_data,
            is_png=photo.format == "PNG",
        )
        verdict = decide(findings)
        best = [int(number) for number in probabilities.argsort()[::-1][:TOP_LABELS]]
        raw: dict[str, Any] = {
            "labels": {labels.names()[n]: round(float(probabilities[n]), 3) for n in best},
            "faces": len(findings.faces),
            "flatness": round(findings.flatness, 2),
        }
        description = describe(verdict.category, best, len(findings.faces))
        confidence = round(min(verdict.confidence, 0.99), 4)
        return Answer(Classification(verdict.category, confidence, description), MODEL, raw)
