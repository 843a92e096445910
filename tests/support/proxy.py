"""A TCP proxy between the service and its database, whose connections tests can cut."""

import asyncio
import contextlib
import threading
from types import TracebackType

from tests.support.ports import free_port

COM_QUERY = b"\x03"


class Proxy:
    """Passes the connections to 127.0.0.1:`port` on to `target`.

    `commit_delay` seconds is how long each COMMIT takes to reach the database; it gets there even
    when its client has given up meanwhile.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.commit_delay = 0.0
        self.accepted = 0
        self._is_open = True
        self.commits_delayed = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def __enter__(self) -> "Proxy":
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(started),), daemon=True
        )
        self._thread.start()
        started.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(60)
        self._loop.close()

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        """Refuse connections, and end those that there are."""
        self._is_open = False
        self.cut()

    def cut(self) -> None:
        """End every connection in the middle of whatever it says."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, started: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=256)
        started.set()
        await self._stopped.wait()
        server.close()
        self._abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_open:
            writer.transport.abort()
            return
        self.accepted += 1
        try:
            target_reader, target = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, target}
        self._writers |= ends
        back = asyncio.ensure_future(self._pass(target_reader, writer))
        try:
            await self._pass(reader, target, delays=True)
        finally:
            back.cancel()
            self._writers -= ends
            for each in ends:
                each.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delays: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                if delays and self.commit_delay and is_commit(chunk):
                    self.commits_delayed += 1
                    await asyncio.sleep(self.commit_delay)
                writer.write(chunk)
                await writer.drain()


def is_commit(packet: bytes) -> bool:
    """Whether a packet of MySQL's protocol is a COMMIT."""
    return packet[4:5] == COM_QUERY and packet[5:11].upper() == b"COMMIT"
