"""Files that mean harm: each is answered or refused in a bounded time, and keeps nobody waiting."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from classification import images
from classification.errors import ServiceError
from classification.image_decoding import limits
from classification.image_decoding.limits import Cost
from classification.images import decoder_pool, scheduler
from classification.images.decoder_process import Answer, DecoderDied, DecoderProcess
from tests.support.odd_photos import chunk, jpeg_with, png_with, save, scene, segment
from tests.support.pictures import photo

ALL_FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "heic", "avif"]
REQUEST: dict[str, Any] = {
    "allowed_formats": ALL_FORMATS,
    "max_side": 1024,
    "max_cost": Cost.EXPENSIVE,
    "max_seconds": limits.MAX_SECONDS,
}
MEGABYTE = 1024 * 1024
GIF_HEAD = b"GIF89a" + bytes(7)


def code(data: bytes, client: str = "") -> str:
    """`ok`, or why the file is refused."""
    try:
        images.prepare(data, allowed_formats=ALL_FORMATS, max_side=1024, client=client)
    except ServiceError as error:
        return error.code
    return "ok"


def many_scans(scans: int, side: int = 4096) -> bytes:
    """A progressive JPEG that goes over all its coefficients again and again, for 10 bytes each."""
    data = save(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def asked(data: bytes, **changes: Any) -> tuple[Answer, float]:
    """What a fresh decoder answers, and the seconds of a processor that it took."""
    decoder = DecoderProcess(0)
    try:
        decoder.ask(REQUEST, photo())
        before = processor_seconds(decoder.pid)
        answer = decoder.ask(REQUEST | changes, data)
        after = processor_seconds(decoder.pid) if decoder.is_usable else before
    finally:
        decoder.close()
    return answer, after - before


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PADDED: dict[str, Callable[[], bytes]] = {
    "tiny JPEG segments": lambda: jpeg_with(segment(0xFE, b"") * 2_500_000),
    "fill bytes": lambda: jpeg_with(b"\xff" * 10 * MEGABYTE),
    "empty PNG chunks": lambda: png_with(chunk(b"tEXt", b"") * 800_000),
    "empty PNG pixels": lambda: png_with(chunk(b"IDAT", b"") * 800_000),
    "GIF comments": lambda: GIF_HEAD + b"!\xfe" + b"\1x" * 5_000_000 + b"\0" + bytes(20),
    "empty GIF extensions": lambda: GIF_HEAD + b"!\xfe\0" * 3_000_000,
    "WebP chunks": lambda: b"RIFF" + bytes(4) + b"WEBP" + b"junk\0\0\0\0" * 1_200_000,
    "boxes": lambda: save(scene(), "AVIF")[:32] + b"\0\0\0\x08free" * 1_200_000,
    "EPS headers": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n" + b"%%a: b\n" * 1_400_000,
    "TIFF directories": lambda: b"II*\0\x08\0\0\0" + b"\xff\xff" + bytes(10 * MEGABYTE),
    "XPM": lambda: b"/* XPM */\n" + b"x\n" * 5_000_000,
    "many scans": lambda: many_scans(300),
    "scans of one small picture": lambda: many_scans(5_000, 64),
}


@pytest.mark.parametrize("name", PADDED)
def test_padding_and_repetition_cost_no_time(name: str) -> None:
    """Of a processor, whatever else the machine does; some of it is for receiving 10 MB."""
    _, seconds = asked(PADDED[name]())

    assert seconds < 5.0


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_the_system_ends_a_decoder_in_the_middle_of_its_work(image_format: str) -> None:
    side = 1200 if image_format in ("HEIF", "AVIF") else 3000  # which take minutes to make
    noise = Image.effect_noise((side, side), 100).convert("RGB")
    hard = save(noise, image_format, **({"speed": 10} if image_format == "AVIF" else {}))
    with pytest.raises(DecoderDied) as caught:
        asked(hard, max_seconds=0.02)

    assert caught.value.is_fault_of_file


def test_a_file_that_ends_its_decoder_is_no_image_and_the_next_one_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = Image.effect_noise((2000, 2000), 100)
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_SECONDS", 0.02)
        assert code(save(noise, "PNG")) == "invalid_image"

    assert code(save(noise, "PNG")) == "ok"


def test_a_decoder_that_died_while_it_was_idle_costs_nobody_a_photo() -> None:
    assert code(photo()) == "ok"
    for decoder in decoder_pool._idle:
        os.kill(decoder.pid, signal.SIGKILL)
        os.waitid(os.P_PID, decoder.pid, os.WEXITED | os.WNOWAIT)

    assert code(photo(seed=1)) == "ok"


def test_the_rest_of_an_answer_is_never_taken_for_the_next_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receive, calls = Connection.recv_bytes, iter(range(10))

    def run_out_of_memory(connection: Connection) -> bytes:
        if next(calls) == 1:  # after the facts, before the picture
            raise MemoryError
        return receive(connection)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "recv_bytes", run_out_of_memory)
        with pytest.raises(MemoryError):
            code(photo())

    assert code(photo(seed=1)) == "ok"


@pytest.mark.parametrize(
    ("mode", "size", "options", "expected"),
    [
        ("RGB", (12_000, 9000), {"format": "JPEG"}, "ok"),
        ("RGB", (16_320, 12_240), {"format": "JPEG"}, "ok"),
        ("RGB", (9000, 7000), {"format": "JPEG", "progressive": True}, "ok"),
        ("L", (16_000, 16_000), {"format": "JPEG"}, "image_dimensions"),
        ("RGBA", (8192, 8192), {"format": "PNG", "compress_level": 1}, "ok"),
        ("1", (16_000, 12_000), {"format": "PNG"}, "image_dimensions"),
        ("RGB", (8192, 8192), {"format": "WEBP", "method": 0}, "image_dimensions"),
        ("RGB", (6000, 6000), {"format": "WEBP", "method": 0}, "ok"),
        ("RGB", (6000, 6000), {"format": "AVIF", "speed": 10}, "ok"),
    ],
)
def test_what_would_take_more_memory_than_a_process_has_is_refused(
    mode: str, size: tuple[int, int], options: dict[str, Any], expected: str
) -> None:
    buffer = BytesIO()
    Image.new(mode, size).save(buffer, **options)
    answer, _ = asked(buffer.getvalue())

    assert answer.facts.get("refusal", "ok") == expected
    assert answer.peak_bytes < 800 * MEGABYTE


class Decoders:
    """A scheduler's places, each held until `leave` is set; `order` says who got them."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.order: list[str] = []
        self.leave = threading.Event()
        self._scheduler = scheduler.Scheduler(decoder_pool.PLACES)
        self._threads = threads

    def ask(self, client: str, cost: Cost, seconds: float = 60) -> "Future[None]":
        """Wait for a place for so long."""
        return self._threads.submit(self._work, client, cost, time.monotonic() + seconds)

    def have(self, places: int) -> None:
        wait_for(lambda: len(self.order) == places)

    def _work(self, client: str, cost: Cost, until: float) -> None:
        with self._scheduler.turn(client, cost, until):
            self.order.append(client)
            self.leave.wait(20)


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    with ThreadPoolExecutor(60) as threads:
        yield (decoders := Decoders(threads))
        decoders.leave.set()


@pytest.mark.parametrize("cost", Cost)
def test_one_clients_files_keep_no_other_client_waiting(decoders: Decoders, cost: Cost) -> None:
    """Somebody who sends dozens of files that are hard to decode has not all the places."""
    for number in range(30):
        decoders.ask("hostile", Cost(number % 3))
    decoders.have(2)
    decoders.ask("other", cost)
    decoders.have(3)
    first = list(decoders.order)
    decoders.leave.set()
    decoders.have(31)

    assert first == ["hostile", "hostile", "other"]


def test_expensive_files_of_many_addresses_leave_places_for_cheaper_ones(
    decoders: Decoders,
) -> None:
    for number in range(20):
        decoders.ask(f"hostile {number}", Cost.EXPENSIVE)
    decoders.have(2)
    decoders.ask("phone", Cost.ORDINARY)
    decoders.have(3)
    decoders.ask("screenshot", Cost.CHEAP)
    decoders.have(4)

    assert decoders.order[2:] == ["phone", "screenshot"]


def test_who_has_used_least_of_late_is_next_however_many_wait(decoders: Decoders) -> None:
    for number in range(20):
        decoders.ask(f"hostile {number}", Cost.EXPENSIVE)
    decoders.have(2)
    first = list(decoders.order)
    for number in range(20):
        decoders.ask(f"hostile {number}", Cost.EXPENSIVE)
    decoders.leave.set()
    decoders.have(40)

    # Whoever has had a place has another only once all others have had one.
    assert set(first) & set(decoders.order[2:20]) == set()


def test_a_file_whose_turn_does_not_come_is_given_up(decoders: Decoders) -> None:
    for _ in range(2):
        decoders.ask("hostile", Cost.CHEAP)
    decoders.have(2)
    waiting = decoders.ask("hostile", Cost.CHEAP, seconds=0)

    with pytest.raises(TimeoutError):
        waiting.result(20)
    decoders.leave.set()
    decoders.ask("hostile", Cost.CHEAP).result(20)
    assert decoders.order == ["hostile"] * 3


def test_whoever_waits_too_long_for_a_decoder_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also what has been left behind by a client that is gone, which nothing tells of."""
    until = time.monotonic() + 60
    with (
        decoder_pool._scheduler.turn("one", Cost.CHEAP, until),
        decoder_pool._scheduler.turn("one", Cost.CHEAP, until),
    ):
        monkeypatch.setattr(decoder_pool, "MAX_WAIT_SECONDS", 0.01)
        assert code(photo(seed=2), client="one") == "model_busy"
        monkeypatch.undo()
        assert code(photo(seed=2), client="other") == "ok"


def test_who_sends_many_or_has_decoded_much_of_late_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def niceness() -> tuple[int, str]:
        """The system's own figures; the second is of the process's session, where they count."""
        pid = decoder_pool._idle[-1].pid
        autogroup = Path(f"/proc/{pid}/autogroup")
        words = autogroup.read_text().split() if autogroup.exists() else []
        return os.getpriority(os.PRIO_PROCESS, pid), words[-1] if words else ""

    decoder_pool.stop()
    # Clients of no other test, whose usage of late would count.
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert code(photo(), client="198.51.100.1") == "ok"
    first = niceness()
    monkeypatch.setattr(scheduler, "HEAVY_SECONDS", 0.0)
    assert code(photo(seed=1), client="198.51.100.1") == "ok"
    heavy = niceness()
    assert code(photo(seed=2), client="198.51.100.2") == "ok"
    other = niceness()
    images.prepare(
        photo(seed=3),
        allowed_formats=ALL_FORMATS,
        max_side=1024,
        client="198.51.100.3",
        is_one_of_many=True,
    )
    one_of_many = niceness()

    assert one_of_many == heavy
    assert first == other == (before, first[1] and "0")
    assert heavy == (min(before + 10, 19), first[1] and "10")
    assert len(decoder_pool._idle) == 1


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
