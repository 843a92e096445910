"""How long others' new photos wait while one client does its worst, on two processes.

    python -m benchmarks.photos.fairness --seconds 20 scans png trickle

One address sends photos of a kind as fast as it can over many connections, each with bytes of its
own, so that no cache and no single flight spares the server anything. Meanwhile others, each with
an address of its own, upload ordinary new photos against a fake model that takes a second. Prints
their times beside those of an idle server, in seconds. Exit status 1: one of them was refused, or
took a second longer than the longest when idle.
"""

import argparse
import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from benchmarks.load import processes, uploads
from benchmarks.photos.servers import serving
from tests.support.odd_photos import chunk, segment
from tests.support.pictures import photo
from tests.support.ports import free_port

CONNECTIONS = 200
MODEL_SECONDS = 1.0
MOST_DELAY_SECONDS = 1.0
PAUSE_SECONDS = 0.25
HEAD_START_SECONDS = 3.0
MEGABYTE = 1024 * 1024
HOSTILE = "192.0.2.66"

Files = dict[str, bytes]


@dataclass(slots=True)
class Figures:
    """Seconds of the ordinary uploads that were answered, by kind; the codes of those that were
    not; and how the hostile ones were answered."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    hostile: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[*HOSTILE_FILES, "trickle"])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--attack", type=int, help=argparse.SUPPRESS)  # the port: see _attack()
    options = parser.parse_args()
    if options.attack:
        asyncio.run(_attack(options.kinds[0], options.attack, options.seconds))
        return
    files = {name: make() for name, make in ORDINARY_FILES.items()}
    model_port = free_port()
    model = ["-m", "tests.support.dashscope_server", "--port", str(model_port)]
    is_bad = False
    with processes.running([*model, "--delay", str(MODEL_SECONDS)], model_port):
        for kind in options.kinds:
            with serving(workers=2, model_port=model_port) as (port, _):
                idle = _measure(port, files, options.seconds)
                attacked = _measure(port, files, options.seconds, attack=kind)
            is_bad |= _report(kind, idle, attacked)
    sys.exit(is_bad)


def _measure(port: int, files: Files, seconds: float, *, attack: str = "") -> Figures:
    command = [sys.executable, "-m", "benchmarks.photos.fairness", attack]
    command += ["--attack", str(port), "--seconds", str(seconds)]
    if not attack:
        return asyncio.run(_ordinary(port, files, seconds))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        assert attacker.stdout
        attacker.stdout.readline()  # its files are made
        time.sleep(HEAD_START_SECONDS)
        figures = asyncio.run(_ordinary(port, files, seconds))
        figures.hostile = attacker.stdout.read().strip()
    return figures


async def _ordinary(port: int, files: Files, seconds: float) -> Figures:
    """One photo of each kind in turn, whether or not those before have been answered."""
    figures, numbers = Figures(), itertools.count(time.time_ns())
    tasks = []
    until = time.monotonic() + seconds
    for name in itertools.cycle(files):
        if time.monotonic() > until:
            break
        number = next(numbers)
        request = uploads.upload(_unique(files[name], number), port, f"198.51.100.{number % 250}")
        tasks.append(asyncio.create_task(_one(figures, name, request, port)))
        await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.gather(*tasks)
    return figures


async def _one(figures: Figures, kind: str, request: bytes, port: int) -> None:
    reply = await uploads.send(request, port)
    if reply.status == 200:
        figures.seconds.setdefault(kind, []).append(reply.seconds)
    else:
        figures.refused[str(reply.body.get("error_code"))] += 1


async def _attack(kind: str, port: int, seconds: float) -> None:
    """What one client does, in a process of its own; prints how it was answered."""
    outcomes: Counter[str] = Counter()
    data = b"" if kind == "trickle" else HOSTILE_FILES[kind]()
    print("begun", flush=True)
    until = time.monotonic() + HEAD_START_SECONDS + seconds
    send = _trickle(outcomes, port, until) if kind == "trickle" else _flood(outcomes, data, port)
    tasks = [asyncio.create_task(send()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(until - time.monotonic())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(dict(outcomes.most_common()))


def _flood(
    outcomes: Counter[str], data: bytes, port: int
) -> Callable[[], Coroutine[Any, Any, None]]:
    numbers = itertools.count(time.time_ns())

    async def send() -> None:
        while True:
            request = uploads.upload(_unique(data, next(numbers)), port, HOSTILE)
            reply = await uploads.send(request, port)
            outcomes[f"{reply.status} {reply.body.get('error_code', '')}"] += 1

    return send


def _trickle(
    outcomes: Counter[str], port: int, until: float
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Long bodies that come a byte at a time."""
    request = uploads.upload(bytes(10 * MEGABYTE - 1000), port, HOSTILE)

    async def send() -> None:
        status = b""
        while time.monotonic() < until:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request[:1000])
                for byte in request[1000:]:
                    writer.write(bytes([byte]))
                    with contextlib.suppress(asyncio.TimeoutError):
                        status = await asyncio.wait_for(reader.read(12), 0.5)
                        break
            except OSError:
                status = b"lost"
            finally:
                writer.close()
            outcomes[status.decode()] += 1

    return send


def _unique(data: bytes, number: int) -> bytes:
    """The same picture in a file of its own."""
    mark = str(number).encode()
    if data.startswith(b"\xff\xd8"):
        return data[:2] + segment(0xFE, mark) + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:-12] + chunk(b"tEXt", b"a\0" + mark) + data[-12:]
    if data.startswith(b"RIFF"):
        body = data[8:] + b"note" + len(mark).to_bytes(4, "little") + mark + bytes(len(mark) % 2)
        return b"RIFF" + len(body).to_bytes(4, "little") + body
    if data[4:8] == b"ftyp":
        return data + (8 + len(mark)).to_bytes(4, "big") + b"free" + mark
    return data + mark


def _saved(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _noise(side: int) -> Image.Image:
    tile = Image.effect_noise((512, 512), 60).convert("RGB")
    image = Image.new("RGB", (side, side))
    for left, top in itertools.product(range(0, side, 512), repeat=2):
        image.paste(tile, (left, top))
    return image


def _scans() -> bytes:
    """Few enough scans to be decoded, which takes as long as a file may."""
    data = _saved(Image.new("L", (4096, 4096), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 300 + b"\xff\xd9"


HOSTILE_FILES: dict[str, Callable[[], bytes]] = {
    "scans": _scans,
    "png": lambda: _saved(Image.new("RGBA", (8192, 8192), "red"), "PNG"),
    "webp": lambda: _saved(Image.new("RGB", (6000, 6000), "red"), "WEBP", lossless=True, method=0),
    "avif": lambda: _saved(_noise(3072), "AVIF", speed=10, quality=50),
    "heic": lambda: _saved(_noise(1536), "HEIF", quality=50),
    "jpeg": lambda: _saved(_noise(4096), "JPEG", quality=60, progressive=True),
    "junk": lambda: bytes(10 * MEGABYTE - 1000),
    "ordinary": lambda: photo(size=(1024, 768)),
}
ORDINARY_FILES: dict[str, Callable[[], bytes]] = {
    "1024x768 JPEG": lambda: photo(size=(1024, 768)),
    "12 megapixel JPEG": lambda: photo(size=(4000, 3000)),
    "screenshot": lambda: photo("PNG", size=(1080, 2400)),
    "12 megapixel HEIC": lambda: photo("HEIF", size=(4000, 3000)),
}


def _report(kind: str, idle: Figures, attacked: Figures) -> bool:
    print(f"{kind}: hostile {attacked.hostile}; others refused: {dict(attacked.refused)}")
    is_bad = bool(attacked.refused)
    for name in ORDINARY_FILES:
        before, during = (sorted(each.seconds.get(name, [])) for each in (idle, attacked))
        print(f"  {name:18} idle {_shown(before)}; attacked {_shown(during)}")
        if before and during:
            is_bad |= during[-1] - before[-1] > MOST_DELAY_SECONDS
    sys.stdout.flush()
    return is_bad


def _shown(seconds: list[float]) -> str:
    """Median, 99th percentile and longest."""
    if not seconds:
        return "none answered"
    picked = (seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100], seconds[-1])
    return "{:.2f} {:.2f} {:.2f}".format(*picked) + f" ({len(seconds)})"


if __name__ == "__main__":
    main()
