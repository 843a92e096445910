"""The two networks, run by ONNX Runtime: an image classifier and a face detector."""

import functools
import os
import threading
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

WEIGHTS = Path(__file__).parent / "weights"
LABEL_SIDE = 224
FACE_SIDE = 352
DETAIL_SIDE = 448
FACE_SCORE = 0.5
OVERLAP = 0.3

Floats = NDArray[np.float32]

# One inference at a time per core: more would only starve requests for known photos.
_cores = threading.BoundedSemaphore(os.cpu_count() or 1)


class Face(NamedTuple):
    """A face, in fractions of the photo's width and height, with the network's confidence."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


# Two threads must not both load a network.
_loading = threading.Lock()


@functools.cache
def _session(name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = str(WEIGHTS / f"{name}.onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _run(name: str, photo: Floats) -> list[Floats]:
    with _loading:
        session = _session(name)
    with _cores:
        outputs: list[Any] = session.run(None, {session.get_inputs()[0].name: photo})
    return outputs


def decode(jpeg: bytes) -> Image.Image:
    """Decode the photo at the smallest size that has all the detail the networks use."""
    image = Image.open(BytesIO(jpeg))
    scale = DETAIL_SIDE / max(image.size)
    image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
    return image


def label_probabilities(image: Image.Image) -> Floats:
    """The probability of each of ImageNet's thousand labels. Only uses the central square: the rest
    of a wide photo did not improve results."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    middle = (left, top, left + side, top + side)
    square = image.resize((LABEL_SIDE, LABEL_SIDE), Image.Resampling.BILINEAR, middle)
    pixels = (np.asarray(square, np.float32) - np.float32(127)) / np.float32(128)
    (scores,) = _run("efficientnet-lite0", pixels.transpose(2, 0, 1)[None])
    exponents = np.exp(scores[0] - scores[0].max())
    probabilities: Floats = exponents / exponents.sum()
    return probabilities


def faces(image: Image.Image) -> list[Face]:
    """The faces in the photo, most confident first."""
    scale = FACE_SIDE / max(image.size)
    width, height = (max(32, round(side * scale / 32) * 32) for side in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    heat, scales, offsets, _ = _run("centerface", pixels.transpose(2, 0, 1)[None])
    rows, columns = np.where(heat[0, 0] > FACE_SCORE)
    found = []
    for row, column in zip(rows, columns, strict=True):
        face_height, face_width = np.exp(scales[0, :, row, column]) * 4
        middle_y = (row + offsets[0, 0, row, column] + 0.5) * 4
        middle_x = (column + offsets[0, 1, row, column] + 0.5) * 4
        found.append(
            Face(
                float((middle_x - face_width / 2) / width),
                float((middle_y - face_height / 2) / height),
                float((middle_x + face_width / 2) / width),
                float((middle_y + face_height / 2) / height),
                float(heat[0, 0, row, column]),
            )
        )
    return _without_doubles(sorted(found, key=lambda face: -face.score))


def _without_doubles(found: list[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in found:
        if all(_overlap(face, other) < OVERLAP for other in kept):
            kept.append(face)
    return kept


def _overlap(one: Face, other: Face) -> float:
    """The intersection over union of two faces."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(face.right - face.left) * face.height for face in (one, other)]
    return width * height / (sum(areas) - width * height)


def ground(image: Image.Image) -> float:
    """The fraction of the photo in its commonest shade of grey: high for screenshots, low for
    camera photos."""
    counts = np.bincount((np.asarray(image.convert("L")) >> 2).ravel())
    return float(counts.max() / counts.sum())


def corners_ground(image: Image.Image) -> float:
    """The plain fraction of the upper corners, where an ID photo shows its background. The corners
    are too small for hair and shoulders."""
    small = np.asarray(image.convert("L").resize((64, 64)), np.int16)
    corners = np.concatenate([small[:14, :6].ravel(), small[:14, -6:].ravel()])
    return float((np.abs(corners - np.median(corners)) <= 12).mean())
