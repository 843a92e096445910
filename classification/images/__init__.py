"""Photos: from the bytes of an upload to the reduced JPEG that is sent to a model."""

from classification.images.photo import HASH, Photo, digest, prepare, sample

__all__ = ["HASH", "Photo", "digest", "prepare", "sample"]
