"""Send mutated photos through two processes, and ordinary uploads beside them.

    python -m benchmarks.photos.hostile --minutes 60

Prints how the mutated files were answered, the longest answers, the waits of the ordinary
uploads, and the most memory that any process had. Exit status 1: a 5xx, a lost connection, an
answer over 5 s, an ordinary upload over 2 s, or a process over 800 MB. Files that did so are
kept in var/hostile/.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.load import processes, uploads
from benchmarks.photos.mutations import mutate
from benchmarks.photos.servers import descendants, serving
from tests.support import odd_photos
from tests.support.pictures import photo

CLIENTS = 6
MOST_ANSWER_SECONDS, MOST_WAIT_SECONDS, MOST_MEGABYTES = 5.0, 2.0, 800
PAUSE_SECONDS = 0.25
FOLDER = processes.ROOT / "var" / "hostile"


@dataclass(slots=True)
class Figures:
    """`outcomes` counts the mutated files' answers; seconds are of each answer."""

    outcomes: Counter[str] = field(default_factory=Counter)
    mutated: list[float] = field(default_factory=list)
    ordinary: list[float] = field(default_factory=list)
    refused_ordinary: int = 0
    kept: int = 0
    megabytes: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    figures = Figures()
    with serving(workers=2) as (port, pid):
        asyncio.run(_run(figures, port, pid, options.minutes * 60, options.seed))
    sys.exit(_report(figures))


async def _run(figures: Figures, port: int, pid: int, seconds: float, seed: int) -> None:
    until = time.monotonic() + seconds
    seeds = [
        data
        for name, data in odd_photos.all_of_them().items()
        if name.split()[0] in odd_photos.FORMATS
    ]
    seeds += [photo(kind, size=(1600, 1200)) for kind in odd_photos.FORMATS]
    tasks = [_mutated(figures, port, until, seeds, seed + n) for n in range(CLIENTS)]
    await asyncio.gather(
        *tasks, _ordinary(figures, port, until), _watch_memory(figures, pid, until)
    )


async def _mutated(
    figures: Figures, port: int, until: float, seeds: list[bytes], seed: int
) -> None:
    source = random.Random(seed)  # noqa: S311
    while time.monotonic() < until:
        data = await asyncio.to_thread(mutate, source.choice(seeds), source)
        reply = await uploads.send(uploads.upload(data, port, address="192.0.2.66"), port)
        outcome = "answered" if reply.status == 200 else str(reply.body.get("error_code"))
        figures.outcomes[f"{reply.status} {outcome}"] += 1
        figures.mutated.append(reply.seconds)
        if not reply.status or reply.status >= 500 or reply.seconds > MOST_ANSWER_SECONDS:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{figures.kept}-{outcome}").write_bytes(data)
            figures.kept += 1


async def _ordinary(figures: Figures, port: int, until: float) -> None:
    number = 0
    while time.monotonic() < until:
        number += 1
        data = photo(size=(1024, 768), seed=10**6 + number)
        reply = await uploads.send(uploads.upload(data, port), port)
        figures.ordinary.append(reply.seconds)
        figures.refused_ordinary += reply.status != 200
        await asyncio.sleep(PAUSE_SECONDS)


async def _watch_memory(figures: Figures, pid: int, until: float) -> None:
    while time.monotonic() < until:
        for process in descendants(pid):
            try:
                figures.megabytes = max(figures.megabytes, processes.peak_memory(process))
            except OSError:
                continue
        await asyncio.sleep(PAUSE_SECONDS)


def _report(figures: Figures) -> int:
    print(f"{len(figures.mutated)} mutated photos: {dict(figures.outcomes.most_common())}")
    print(f"longest answers, s: {[round(s, 2) for s in sorted(figures.mutated)[-5:]]}")
    waits = sorted(figures.ordinary)
    print(
        f"{len(waits)} ordinary uploads, {figures.refused_ordinary} not answered; s: median"
        f" {waits[len(waits) // 2]:.2f}, p99 {waits[len(waits) * 99 // 100]:.2f},"
        f" longest {waits[-1]:.2f}"
    )
    print(f"most memory of a process: {figures.megabytes} MB; files kept: {figures.kept}")
    is_bad = (
        figures.kept
        or figures.refused_ordinary
        or waits[-1] > MOST_WAIT_SECONDS
        or figures.megabytes > MOST_MEGABYTES
    )
    return int(bool(is_bad))


if __name__ == "__main__":
    main()
