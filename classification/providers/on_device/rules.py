"""From what the networks see to one of the eight categories, in a few rules.

Each rule is one sentence; the first that holds decides. The confidences of the rules about faces
and shapes are estimates, not measurements.
"""

from dataclasses import dataclass
from typing import NamedTuple

from classification.providers.on_device.networks import Face

# A face smaller than this part of the photo's height is somebody in the background.
NEAR_FACE = 0.06
ID_PHOTO_SHAPE = (0.6, 0.9)
# Wider phones' screens have been 9:16, today's are about 9:20.
TALL_SHAPE = 0.62
PHONE_SHAPE = (0.42, 0.5)
# Below this the labels have not recognised anything.
RECOGNISED = 0.3


@dataclass(frozen=True, slots=True)
class Findings:
    """What the networks and a look at the pixels found in one photo.

    `masses` is how much of the labels' probability speaks for each category, `text` for printed
    words; `flatness` and `ground_flatness` are parts of the photo from 0 to 1; `shape` is width by
    height; `is_png` since screens are kept so, and cameras write something else.
    """

    masses: dict[str, float]
    text: float
    faces: list[Face]
    flatness: float
    ground_flatness: float
    shape: float
    has_camera_data: bool
    is_png: bool


class Verdict(NamedTuple):
    category: str
    confidence: float


def decide(findings: Findings) -> Verdict:
    """The category of a photo and how sure that is, from 0 to 1."""
    near = [face for face in findings.faces if face.height >= NEAR_FACE]
    if _is_id_photo(findings, near) or _is_card(findings, near):
        return Verdict("idcard", 0.75)
    if (screen := _screen_confidence(findings)) and len(near) < 2:
        return Verdict("screenshot", screen)
    if len(near) >= 2:
        return Verdict("social_activities", 0.9 if len(near) > 2 else 0.75)
    category, mass = max(
        ((c, m) for c, m in findings.masses.items() if c != "screenshot"), key=lambda item: item[1]
    )
    if len(near) == 1 and (category == "single_person" or mass < 0.8):
        return Verdict("single_person", near[0].score)
    if mass < RECOGNISED or (category == "single_person" and mass < 0.5):
        return Verdict("other", min(1 - mass, 0.8))
    return Verdict(category, mass)


def _is_id_photo(findings: Findings, near: list[Face]) -> bool:
    """One large face in the middle of an upright picture, before a plain ground."""
    return (
        len(near) == 1
        and 0.3 <= near[0].height <= 0.75
        and abs(near[0].middle - 0.5) < 0.1
        and ID_PHOTO_SHAPE[0] <= findings.shape <= ID_PHOTO_SHAPE[1]
        and findings.ground_flatness > 0.85
        and not findings.has_camera_data
    )


def _is_card(findings: Findings, near: list[Face]) -> bool:
    """One face beside printed words, on something wide."""
    return (
        len(near) == 1
        and near[0].height < 0.55
        and abs(near[0].middle - 0.5) > 0.12
        and findings.shape > 1.2
        and findings.text > 0.1
    )


def _screen_confidence(findings: Findings) -> float:
    """How surely this is a capture of a screen; 0 when it is none."""
    mass = findings.masses["screenshot"]
    if findings.has_camera_data:
        return 0.0
    if mass >= 0.5:
        return mass
    if findings.is_png and PHONE_SHAPE[0] <= findings.shape <= PHONE_SHAPE[1]:
        return 0.9
    has_words = findings.flatness > 0.5 and findings.text > 0.2
    if findings.shape < TALL_SHAPE and (findings.flatness > 0.75 or has_words):
        return 0.85
    return 0.7 if findings.flatness > 0.8 and mass > 0.1 else 0.0
