"""Many uploads at once from one thread: requests are made beforehand, so that the load
generator takes little of the processors."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """The status (0: the connection was lost), the JSON body, and the seconds it took."""

    status: int
    body: dict[str, Any]
    seconds: float


def upload(photo: bytes, port: int, address: str = "") -> bytes:
    """A request that uploads a photo, ready to be sent, on behalf of another `address` if given."""
    body = form(photo)
    content_type = "multipart/form-data; boundary=7d1f0c55e2"
    if address:
        content_type += f"\r\nX-Forwarded-For: {address}"
    return _request("/api/v1/classify", content_type, body, port)


def form(photo: bytes) -> bytes:
    """The body of such a request."""
    head = (
        b'--7d1f0c55e2\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n"
    )
    return head + photo + b"\r\n--7d1f0c55e2--\r\n"


def _request(path: str, content_type: str, body: bytes, port: int) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send(request: bytes, port: int) -> Reply:
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        raw = await reader.read(-1)
    except OSError as error:
        return Reply(0, {"error_code": repr(error)}, time.perf_counter() - started)
    seconds = time.perf_counter() - started
    writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        body = body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    return Reply(int(head.split()[1]), json.loads(body), seconds)


async def send_all(requests: list[bytes], port: int) -> list[Reply]:
    """Send every request at once; their replies in the same order."""
    return list(await asyncio.gather(*(send(request, port) for request in requests)))
