"""Why a file is not accepted as a photo."""


class ImageError(Exception):
    """`code` is the contract's: invalid_image, unsupported_format or image_dimensions."""

    def __init__(self, code: str = "invalid_image") -> None:
        super().__init__(code)
        self.code = code
