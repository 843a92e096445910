"""Converts pictures to sRGB, as a phone shows them: ICC profiles, and the coding points of HEIC,
AVIF and PNG."""

from io import BytesIO

from PIL import Image, ImageCms

from classification.image_decoding import hdr, icc, profiles
from classification.image_decoding.containers.source import CodingPoints, Source

# The colour space of a profile -> the mode of pictures that it applies to.
MODES_OF_PROFILES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
# The names of profiles that are sRGB. Others that begin so are not: some are linear.
SRGB_NAMES = ("sRGB IEC61966-2", "sRGB built-in")
CICP_TAG_BYTES = 12
# The class of a profile, for which browsers do not care.
DISPLAY = b"mntr"
SRGB_GAMMA = 0.45455

_SRGB = ImageCms.createProfile("sRGB")


def to_srgb(image: Image.Image, source: Source) -> Image.Image:
    """Convert a picture of mode L, RGB or CMYK to RGB in sRGB.

    A profile that is damaged, or for another colour space than the picture's, is ignored.
    """
    points = _points_of_profile(source.icc) if source.icc else source.coding_points
    if points and points.transfer in hdr.TRANSFERS:
        return hdr.to_srgb(image.convert("RGB"), *points)
    profile = source.icc or _profile_of_numbers(source)
    if profile and icc.is_sound(profile):
        image = _through_profile(image, profile)
    return image.convert("RGB")


def _profile_of_numbers(source: Source) -> bytes | None:
    if source.coding_points:
        return profiles.of_coding_points(source.coding_points)
    # sRGB is approximated by 1/2.2.
    is_srgb = not source.chromaticities and abs((source.gamma or 0) - SRGB_GAMMA) <= 0.01
    if source.gamma and not is_srgb:
        return profiles.of_gamma(source.gamma, source.chromaticities)
    return None


def _through_profile(image: Image.Image, data: bytes) -> Image.Image:
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(data[:12] + DISPLAY + data[16:]))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if MODES_OF_PROFILES.get(space) != image.mode or _is_srgb(profile, space):
            return image
        # The transform is cheaper than it looks: the picture has been reduced before.
        shown = ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, SyntaxError):
        return image
    return shown or image


def _is_srgb(profile: ImageCms.ImageCmsProfile, space: str) -> bool:
    """Whether the profile is sRGB, by far the commonest, so that there is nothing to convert."""
    name = profile.profile.profile_description or ""
    return space == "RGB" and (name == "sRGB" or name.startswith(SRGB_NAMES))


def _points_of_profile(profile: bytes) -> CodingPoints | None:
    """The coding points in a profile's `cicp` tag, which HDR pictures have."""
    tags = int.from_bytes(profile[128:132], "big")
    for number in range(min(tags, 100)):
        entry = profile[132 + 12 * number : 144 + 12 * number]
        if entry[:4] == b"cicp":
            start = int.from_bytes(entry[4:8], "big")
            tag = profile[start : start + CICP_TAG_BYTES]
            return CodingPoints(tag[8], tag[9]) if len(tag) == CICP_TAG_BYTES else None
    return None
