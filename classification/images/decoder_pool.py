"""The decoder pool of this process: a few child processes, started on demand."""

import atexit
import logging
import threading
import time
from typing import Any

from classification.image_decoding import limits
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import Cost
from classification.images.decoder_process import Answer, DecoderDied, DecoderProcess
from classification.images.scheduler import Scheduler

logger = logging.getLogger(__name__)

# How many files of at least this cost are decoded at once: expensive ones leave places for cheaper
# ones.
PLACES = {Cost.CHEAP: 4, Cost.ORDINARY: 3, Cost.EXPENSIVE: 2}
# Disconnected clients cannot be detected, so waiting is bounded. The README's clients time out
# after 30 s, of which the model needs a part.
MAX_WAIT_SECONDS = 15.0
# Files of clients that send many come last: hits take milliseconds. Those of others must not, since
# the server itself may be busy with refusing the former.
NICENESS, HEAVY_NICENESS = 0, 10

_scheduler = Scheduler(PLACES)
_lock = threading.Lock()
_idle: list[DecoderProcess] = []


def start() -> None:
    """Start one process in advance, which takes as long as decoding several photos."""
    _give_back(_take(NICENESS))


@atexit.register
def stop() -> None:
    """End the processes that are idle."""
    with _lock:
        while _idle:
            _idle.pop().close()


def decode(
    data: bytes, *, allowed_formats: list[str], max_side: int, client: str, is_one_of_many: bool
) -> Answer:
    """Decode a file in a child process, after waiting for its turn among all clients' files. One
    of many that its client has sent gets the processor after all else.

    Raises ImageError, also for a file that crashed its decoder or took too long, and TimeoutError
    if its turn did not come within MAX_WAIT_SECONDS or the machine is too busy.
    """
    request = {
        "allowed_formats": allowed_formats,
        "max_side": max_side,
        "max_seconds": limits.MAX_SECONDS,
    }
    until, cost = time.monotonic() + MAX_WAIT_SECONDS, Cost.CHEAP
    while True:
        with _scheduler.turn(client, cost, until) as is_heavy:
            niceness = HEAVY_NICENESS if is_heavy or is_one_of_many else NICENESS
            answer = _ask(request | {"max_cost": cost}, data, niceness)
        if "cost" not in answer.facts:
            break
        cost = Cost(answer.facts["cost"])
    if "refusal" in answer.facts:
        raise ImageError(answer.facts["refusal"])
    return answer


def _ask(request: dict[str, Any], data: bytes, niceness: int) -> Answer:
    while True:
        process = _take(niceness)
        try:
            return process.ask(request, data)
        except DecoderDied as death:
            if death.is_fault_of_file:
                logger.warning("A decoder was ended by a file of %d bytes.", len(data))
                raise ImageError from death
        finally:
            _give_back(process)


def _take(niceness: int) -> DecoderProcess:
    """An idle process of this niceness, or a new one, in place of an idle one of another."""
    with _lock:
        same = (process for process in reversed(_idle) if process.niceness == niceness)
        process = next(same, None) or (_idle[0] if _idle else None)
        if process:
            _idle.remove(process)
    if process and process.niceness == niceness:
        return process
    if process:
        process.close()
    return DecoderProcess(niceness)


def _give_back(process: DecoderProcess) -> None:
    if process.is_usable:
        with _lock:
            _idle.append(process)
    else:
        process.close()
