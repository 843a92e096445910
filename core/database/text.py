"""Text that every database column takes."""


def storable(text: str) -> str:
    """The text without lone surrogates and NUL, which are valid in JSON but in no column."""
    return text.encode("utf-8", "ignore").decode().replace("\0", "")
