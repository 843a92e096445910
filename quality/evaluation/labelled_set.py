"""Reads a labelled set: a folder of photos with one subfolder per category."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from classification import images
from classification.categories import BY_KEY


class SetError(ValueError):
    """The folder cannot be used; the message names it or a file in it."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A file with its `name` relative to the folder, its category and its hash."""

    path: Path
    name: str
    category: str
    image_hash: str

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """The distinct photos of a folder; `copies` are duplicate files."""

    name: str
    photos: list[LabelledPhoto]
    copies: list[str]

    @property
    def hash(self) -> str:
        """A digest of the photos and their labels, independent of paths and file names."""
        lines = sorted(f"{photo.image_hash} {photo.category}" for photo in self.photos)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_set(folder: Path) -> LabelledSet:
    """Read the photos in the subfolders named after categories' keys.

    Raises SetError, and OSError for unreadable files.
    """
    if not folder.is_dir():
        raise SetError(f"No such folder: {folder}.")
    found: dict[str, LabelledPhoto] = {}
    copies = []
    for photo in _photos(folder):
        known = found.setdefault(photo.image_hash, photo)
        if known.category != photo.category:
            raise SetError(f"{known.name} and {photo.name} are one photo: it has one category.")
        if known is not photo:
            copies.append(photo.name)
    if not found:
        raise SetError(f"{folder} has no photos in folders named {', '.join(BY_KEY)}.")
    return LabelledSet(folder.resolve().name, list(found.values()), copies)


def _photos(folder: Path) -> Iterator[LabelledPhoto]:
    for category in BY_KEY:
        for path in sorted((folder / category).glob("*")):
            if path.is_file() and not path.name.startswith("."):
                image_hash = images.digest(path.read_bytes())
                yield LabelledPhoto(path, f"{category}/{path.name}"[:255], category, image_hash)
