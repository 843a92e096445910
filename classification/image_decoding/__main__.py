"""The decoder process: `python -m classification.image_decoding FD NICENESS`.

A request is two messages: JSON (`allowed_formats`, `max_side`, `max_cost`, `max_seconds`) and the
file. So is the response: JSON and the reduced JPEG. A file above `max_cost` is not decoded; the
response only has its `cost`.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from classification.image_decoding import limits
from classification.image_decoding.decode import decode, inspect
from classification.image_decoding.errors import ImageError

KILOBYTE = 1024
AUTOGROUP = Path("/proc/self/autogroup")
AUTOGROUP_ATTEMPTS = 10


def main(connection: Connection, niceness: int) -> None:
    """Answer requests, with this niceness, until the other end is closed, or memory has grown."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The system may forbid either; the checks in `limits` apply all the same.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limits.MAX_PROCESS_BYTES,) * 2)
    _yield_cpu(niceness)
    # The parent is gone, for whatever reason: nobody to report to.
    with contextlib.suppress(EOFError, ConnectionError):
        while _peak_bytes() <= limits.KEPT_BYTES:
            _answer_next(connection)


def _yield_cpu(niceness: int) -> None:
    with contextlib.suppress(OSError):
        os.nice(niceness)
    # Where the system groups processes by session, niceness counts only within a session, and this
    # process has its own.
    for _ in range(AUTOGROUP_ATTEMPTS):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:  # all processes together may write every 100 ms
            time.sleep(0.1)
        except OSError:
            return
        else:
            return


def _answer_next(connection: Connection) -> None:
    request = json.loads(connection.recv_bytes())
    answer, jpeg = _answer(connection.recv_bytes(), **request)
    answer["peak_bytes"] = _peak_bytes()
    answer["is_last"] = answer["peak_bytes"] > limits.KEPT_BYTES
    connection.send_bytes(json.dumps(answer).encode())
    connection.send_bytes(jpeg)


def _answer(
    data: bytes,
    *,
    allowed_formats: list[str],
    max_side: int,
    max_cost: int,
    max_seconds: float,
) -> tuple[dict[str, Any], bytes]:
    """Decode a file. A timer kills this process if that takes more time than the file's size
    warrants."""
    try:
        _limit_time(min(limits.INSPECT_SECONDS, max_seconds))
        source = inspect(data, allowed_formats)
        cost = limits.cost(source.seconds, source.memory)
        if cost > max_cost:
            return {"cost": cost}, b""
        _limit_time(min(limits.allowed_seconds(source.seconds), max_seconds))
        answer = asdict(decode(source, max_side))
    except ImageError as error:
        return {"refusal": error.code}, b""
    except Exception:  # decoders raise nearly anything on broken data
        return {"refusal": "invalid_image"}, b""
    finally:
        _limit_time(0)
    return answer, answer.pop("jpeg")


def _limit_time(seconds: float) -> None:
    """Have SIGPROF end this process after so many seconds of CPU time; 0 removes the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _peak_bytes() -> int:
    """The peak memory of this process in bytes; 0 where the system does not report it. Not from
    getrusage(), which includes the parent's memory at the time of the fork."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * KILOBYTE for line in lines if line[:6] == "VmHWM:"), 0)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), int(sys.argv[2]))
