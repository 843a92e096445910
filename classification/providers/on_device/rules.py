"""Rules that map the networks' findings to one of the eight categories.

The first rule that applies decides. The confidence of each was measured on the tuning half of the
photos that `benchmarks/evaluation/evaluation_set.py` builds.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from classification.providers.on_device.networks import Face

# A face smaller than this fraction of the photo's height is in the background, unless there are
# three: a group further away.
NEAR_FACE = 0.05
GROUP_FACE = 0.04
# Phone screens are taller than camera photos: width by height of 9:16 or less.
TALL = 0.6
ID_PHOTO_SHAPE = (0.66, 0.82)
# The range of a face's height on a card; a smaller one is a picture on a page.
CARD_FACE = (0.1, 0.55)
# The probability is spread over a thousand labels: a quarter for one category is a clear result.
CLEAR_MASS = 0.25


@dataclass(frozen=True, slots=True)
class Findings:
    """What the networks and pixel statistics found in a photo.

    `masses` is the probability mass of each category; `ground` is the fraction of the photo in its
    commonest grey, `corners_ground` the plain fraction of its upper corners, all from 0 to 1;
    `shape` is width / height.
    """

    masses: dict[str, float]
    faces: list[Face]
    ground: float
    corners_ground: float
    shape: float
    format: str
    has_camera_data: bool


class Verdict(NamedTuple):
    category: str
    confidence: float


def decide(findings: Findings) -> Verdict:
    """The category of a photo, and the confidence from 0 to 1."""
    near = [face for face in findings.faces if face.height >= NEAR_FACE]
    group = [face for face in findings.faces if face.height >= GROUP_FACE]
    category, mass = _clearest(findings.masses)
    if _is_phone_screen(findings):
        return Verdict("screenshot", 0.95)
    if _is_id_photo(findings, near):
        return Verdict("idcard", 0.92)
    if _is_card(findings, near):
        return Verdict("idcard", 0.92)
    if len(near) >= 2 or len(group) >= 3:
        return Verdict("social_activities", 0.95 if len(group) >= 3 else 0.8)
    if _is_page(findings):
        return Verdict("screenshot", 0.92)
    if near and (category == "single_person" or mass < 0.8):
        return Verdict("single_person", 0.93)
    if mass < CLEAR_MASS or (category == "single_person" and mass < 0.5):
        return Verdict("other", 0.83)
    return Verdict(category, _sureness(mass))


def _clearest(masses: dict[str, float]) -> tuple[str, float]:
    """The category with the most probability mass, of those that labels alone can identify."""
    told = ("pets", "foods", "travel_scenery", "single_person")
    return max(((category, masses[category]) for category in told), key=lambda item: item[1])


def _sureness(mass: float) -> float:
    """The measured accuracy of labels at this much probability mass."""
    return 1 / (1 + math.exp(-(6 * mass - 0.9)))


def _is_phone_screen(findings: Findings) -> bool:
    """A tall picture, not from a camera, that is lossless (PNG) or mostly of one colour."""
    return (
        findings.shape < TALL
        and not findings.has_camera_data
        and (findings.format == "PNG" or findings.ground > 0.4)
        and max(findings.masses["foods"], findings.masses["pets"]) < 0.5
    )


def _is_page(findings: Findings) -> bool:
    """Any other picture, not from a camera, that looks like a page with text and buttons."""
    mass = findings.masses["screenshot"]
    is_plain = findings.ground > (0.3 if findings.format == "PNG" else 0.5)
    return not findings.has_camera_data and (mass >= 0.5 or (is_plain and mass > 0.1))


def _is_id_photo(findings: Findings, near: list[Face]) -> bool:
    """One large face in the middle of an upright picture, against a plain background."""
    return (
        len(near) == 1
        and 0.3 <= near[0].height <= 0.8
        and abs(near[0].middle - 0.5) < 0.12
        and ID_PHOTO_SHAPE[0] <= findings.shape <= ID_PHOTO_SHAPE[1]
        and findings.corners_ground > 0.8
        and not findings.has_camera_data
    )


def _is_card(findings: Findings, near: list[Face]) -> bool:
    """A face or two (cards repeat it small) on what reads as printed paper, wider than high."""
    return (
        1 <= len(near) <= 2
        and CARD_FACE[0] <= near[0].height <= CARD_FACE[1]
        and findings.shape > 1
        and findings.masses["paper"] > (0.05 if len(near) == 1 else 0.5)
    )
