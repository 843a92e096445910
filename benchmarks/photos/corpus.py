"""Compare what the service makes of each file in a folder with what Chromium shows of it.

    python -m benchmarks.photos.corpus FOLDER

Lists every refusal of what Chromium shows, every 5xx and every picture that differs, then time
and memory by file, the most expensive first. Fetches nothing. HEIC is only tried, as Chromium
does not show it.
"""

import argparse
import asyncio
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.load import uploads
from benchmarks.photos.servers import serving
from classification.image_decoding import limits
from classification.image_decoding.reduce import shown_part
from classification.images.decoder_process import DecoderDied, DecoderProcess
from tests.support.browser_pictures import shown
from tests.support.likeness import difference

MOST_BYTES = 10 * 1024 * 1024
REQUEST = {
    "allowed_formats": ["jpg", "jpeg", "mpo", "png", "webp", "gif", "heic", "avif"],
    "max_side": 1024,
    "max_cost": limits.Cost.EXPENSIVE,
    "max_seconds": limits.MAX_SECONDS,
}
# Of 255; beyond it, people would call the pictures different.
TOLERANCE = 24
# What the service says itself of files that it takes no part in comparing.
BY_DESIGN = {"unsupported_format": "not allowed", "image_dimensions": "size"}
# Smaller pictures are set on a ground of white, and have no likeness to measure.
LEAST_SIDE = 24


@dataclass(frozen=True, slots=True)
class Finding:
    """`verdict` is one of those that the report lists, same, or neither: no picture for anyone."""

    file: str
    verdict: str
    answer: str
    seconds: float
    megabytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    files = [path for path in files if path.stat().st_size <= MOST_BYTES]
    # First these: Chromium is steered by a loop of its own.
    with serving() as (port, _):
        replies = [_upload(path, port) for path in files]
    with _blank_page() as page:
        findings = [
            _compare(path, options.folder, reply, page)
            for path, reply in zip(files, replies, strict=True)
        ]
    if options.json:
        json.dump([finding.__dict__ for finding in findings], sys.stdout)
    else:
        _report(findings)


@contextmanager
def _blank_page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def _upload(path: Path, port: int) -> uploads.Reply:
    return asyncio.run(uploads.send(uploads.upload(path.read_bytes(), port), port))


def _compare(path: Path, folder: Path, reply: uploads.Reply, page: Page) -> Finding:
    data = path.read_bytes()
    answer = "answered" if reply.status == 200 else str(reply.body.get("error_code"))
    picture, megabytes = _decoded(data)
    try:
        theirs = shown(page, data)
    except Exception as error:  # a page that Chromium gave up
        print(f"{path}: Chromium: {error}", file=sys.stderr)
        page.reload()
        theirs = None
    verdict = "same"
    if reply.status >= 500 or not reply.status:
        verdict = "5xx"
    elif theirs is None:
        verdict = "neither" if picture is None else "only here"
    elif picture is None:
        verdict = BY_DESIGN.get(answer, "refused")
    elif min(theirs.size) >= LEAST_SIDE and not _is_alike(picture, theirs.picture):
        verdict = "differs"
    name = str(path.relative_to(folder))
    return Finding(name, verdict, answer, round(reply.seconds, 3), megabytes)


def _is_alike(ours: Image.Image, theirs: Image.Image) -> bool:
    """Whether they show the same; of a picture that is too long, ours is a part."""
    return difference(ours, theirs.crop(shown_part(theirs.size, 1))) <= TOLERANCE


def _decoded(data: bytes) -> tuple[Image.Image | None, int]:
    """The picture that a model would be sent, and the megabytes that decoding it took."""
    decoder = DecoderProcess(0)
    try:
        answer = decoder.ask(REQUEST, data)
    except DecoderDied:
        return None, 0
    finally:
        decoder.close()
    megabytes = answer.peak_bytes // 1_000_000
    return (Image.open(BytesIO(answer.jpeg)) if answer.jpeg else None), megabytes


def _report(findings: list[Finding]) -> None:
    for verdict in ("5xx", "refused", "differs", "size", "not allowed", "only here"):
        for finding in findings:
            if finding.verdict == verdict:
                print(f"{verdict:<12}{finding.answer:<20}{finding.file}")
    print()
    print(dict(Counter(finding.verdict for finding in findings)))
    print(f"\n{'seconds':>8}{'MB':>6}  file")
    for finding in sorted(findings, key=lambda one: -one.seconds)[:20]:
        print(f"{finding.seconds:>8}{finding.megabytes:>6}  {finding.file}")
    print(f"\nmost memory: {max(finding.megabytes for finding in findings)} MB")


if __name__ == "__main__":
    main()
