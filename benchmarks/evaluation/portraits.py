"""Heads and shoulders, as ID photos have them, from photos of one person."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps


def head_and_shoulders(folder: Path) -> list[Image.Image]:
    """Head and shoulders of each person whose face is found, 3 to 4 in shape."""
    finder = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = []
    for path in sorted(folder.iterdir()):
        image = Image.open(path).convert("RGB")
        boxes = finder.detectMultiScale(np.asarray(image.convert("L")), 1.1, 6, minSize=(45, 45))
        if len(boxes) != 1:
            continue
        left, top, side, _ = (int(edge) for edge in boxes[0])
        height = round(side * 2.1)
        width = height * 3 // 4
        corner = (left + side // 2 - width // 2, top - round(side * 0.45))
        inside = (max(0, corner[0]), max(0, corner[1]),
                  min(image.width, corner[0] + width), min(image.height, corner[1] + height))  # fmt: skip
        found.append(ImageOps.fit(image.crop(inside), (360, 480)))
    return found


def before(person: Image.Image, ground: str) -> Image.Image:
    """The person before a plain ground."""
    pixels: NDArray[np.uint8] = np.asarray(person)[:, :, ::-1].copy()
    mask = np.full(pixels.shape[:2], cv2.GC_BGD, np.uint8)
    cv2.ellipse(mask, (180, 225), (150, 215), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(mask, (180, 200), (75, 105), 0, 0, 360, cv2.GC_FGD, -1)
    mask[390:, 20:340] = cv2.GC_PR_FGD
    mask[430:, 80:280] = cv2.GC_FGD
    models = np.zeros((2, 1, 65))
    cv2.grabCut(pixels, mask, None, models[0], models[1], 4, cv2.GC_INIT_WITH_MASK)
    cut = Image.fromarray(np.where(mask % 2 == 1, 255, 0).astype(np.uint8))
    paper = Image.new("RGB", person.size, ground)
    paper.paste(person, mask=cut.filter(ImageFilter.GaussianBlur(2)))
    return paper
