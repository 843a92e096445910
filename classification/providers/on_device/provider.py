"""The on-device model as a provider."""

from typing import Any

from classification.images import Photo
from classification.model_output import Classification
from classification.providers.base import Answer, ProviderError, Status
from classification.providers.on_device import labels, networks
from classification.providers.on_device.descriptions import describe
from classification.providers.on_device.rules import Findings, decide
from core.sharing import cpu_gate

MODEL = "local/efficientnet-lite0+centerface-4"
TOP_LABELS = 5
# The cap on the confidence of so small a network.
MAX_CONFIDENCE = 0.96


class OnDeviceProvider:
    """Classifies on the CPU of this machine, free of charge; loaded at the first photo."""

    name = "local"
    status = Status()

    def models_today(self) -> list[str]:
        """Empty: nothing is billed."""
        return []

    def classify(self, photo: Photo, prompt: str, timeout: float | None = None) -> Answer:
        """Classify a photo; ignores prompt and timeout. Raises ProviderError."""
        try:
            with cpu_gate.released():
                return self._classify(photo)
        except Exception as error:
            raise ProviderError("model_unavailable", f"on-device: {error!r}") from error

    def _classify(self, photo: Photo) -> Answer:
        image = networks.decode(photo.jpeg)
        probabilities = networks.label_probabilities(image)
        findings = Findings(
            masses=labels.masses(probabilities.tolist()),
            faces=networks.faces(image),
            ground=networks.ground(image),
            corners_ground=networks.corners_ground(image),
            shape=photo.width / photo.height,
            format=photo.format,
            has_camera_data=photo.has_camera_data,
        )
        category, sureness = decide(findings)
        best = [int(number) for number in probabilities.argsort()[::-1][:TOP_LABELS]]
        raw: dict[str, Any] = {
            "labels": {labels.names()[n]: round(float(probabilities[n]), 3) for n in best},
            "faces": len(findings.faces),
            "ground": round(findings.ground, 2),
        }
        description = describe(category, best, len(findings.faces))
        confidence = round(min(sureness, MAX_CONFIDENCE), 4)
        return Answer(Classification(category, confidence, description), MODEL, raw)
