"""Uploads as HTTP libraries really write them: names, types and what they accept."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.support.api import is_known
from tests.support.pictures import photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]

CLASSIFY = "/api/v1/classify"
BATCH = "/api/v1/classify/batch"
CHECK_CACHE = "/api/v1/classify/check-cache"


def part(field: str, name: bytes, data: bytes) -> bytes:
    disposition = b'Content-Disposition: form-data; name="%s"; %s' % (field.encode(), name)
    return b"--edge\r\n" + disposition + b"\r\nContent-Type: image/jpeg\r\n\r\n" + data + b"\r\n"


def post(client: Client, path: str, *parts: bytes, **headers: Any) -> Any:
    body = b"".join(parts) + b"--edge--\r\n"
    content_type = headers.pop("content_type", "multipart/form-data; boundary=edge")
    return client.post(path, body, content_type=content_type, **headers)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('filename="猫.jpg"'.encode(), "猫.jpg"),
        ('filename="照片.jpg"'.encode("gbk"), "照片.jpg"),
        # Its second byte is a backslash.
        ('filename="誠.jpg"'.encode("gbk"), "誠.jpg"),
        (b'filename="\xff\xfe.jpg"', "ÿþ.jpg"),
        (b"filename*=UTF-8''%E7%8C%AB.jpg", "猫.jpg"),
        (b"filename*=no-such''%E7%8C%AB.jpg", "photo"),
        (b'filename=".."', "photo"),
        (b'filename="pictures/"', "photo"),
    ],
)
def test_no_file_is_lost_for_its_name(client: Client, name: bytes, shown: str) -> None:
    data = photo()
    single = post(client, CLASSIFY, part("image", name, data))
    album = post(client, BATCH, part("images", name, data), part("images", b'filename="b"', data))

    assert single.status_code == 200, single.content
    assert is_known(client, data)
    assert [item["success"] for item in album.json()["items"]] == [True, True]
    assert album.json()["items"][0]["filename"] == shown


@pytest.mark.parametrize("size", [(2200, 1600), (640, 480), (20, 20)])
def test_photos_of_any_length_arrive_whole_behind_such_a_name(
    client: Client, size: tuple[int, int]
) -> None:
    photos = [photo("PNG", size=size, seed=seed) for seed in range(3)]
    names = [f'filename="照片{number}.png"'.encode("gbk") for number in range(3)]
    parts = [part("images", name, data) for name, data in zip(names, photos, strict=True)]

    assert post(client, BATCH, *parts).json()["success_count"] == 3
    assert all(is_known(client, data) for data in photos)


@pytest.mark.parametrize("boundary", ["x", "a" * 70, "----WebKitFormBoundaryAbC123"])
def test_a_photo_may_hold_what_looks_like_an_edge(client: Client, boundary: str) -> None:
    data = photo() + f"\r\n--{boundary[:-1]}".encode() * 40_000
    body = part("image", b'filename="a.jpg"', data).replace(b"--edge", f"--{boundary}".encode())
    body += f"--{boundary}--\r\n".encode()
    content_type = f"multipart/form-data; boundary={boundary}"
    reply = client.post(CLASSIFY, body, content_type=content_type)

    assert reply.status_code == 200
    assert is_known(client, data)


@pytest.mark.parametrize("kind", ["Multipart/Form-Data", "MULTIPART/FORM-DATA"])
def test_the_type_may_be_in_capitals(client: Client, kind: str) -> None:
    content_type = f"{kind}; boundary=edge"
    reply = post(
        client, CLASSIFY, part("image", b'filename="a.jpg"', photo()), content_type=content_type
    )

    assert reply.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"],
)
def test_a_form_without_a_boundary_is_invalid(client: Client, content_type: str) -> None:
    reply = post(
        client, CLASSIFY, part("image", b'filename="a"', photo()), content_type=content_type
    )

    assert (reply.status_code, reply.json()["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "accept",
    ["text/html", "none", "application/xml", "image/*;q=0.8", "*/*", ";;;", "text/html;q=x"],
)
def test_json_is_what_there_is(client: Client, accept: str) -> None:
    data = photo()
    replies = [
        post(client, CLASSIFY, part("image", b'filename="a.jpg"', data), HTTP_ACCEPT=accept),
        client.post(
            CHECK_CACHE,
            json.dumps({"image_hash": "0" * 64}),
            content_type="application/json",
            HTTP_ACCEPT=accept,
            HTTP_ORIGIN="https://app.example.com",
        ),
        client.get("/api/v1/health", HTTP_ACCEPT=accept),
        client.get("/api/v1/health?format=xml", HTTP_ACCEPT=accept),
    ]

    assert [reply.status_code for reply in replies] == [200] * 4
    assert {reply["Content-Type"] for reply in replies} == {"application/json"}


def test_an_error_is_json_whatever_is_accepted(client: Client) -> None:
    reply = post(
        client, CLASSIFY, part("image", b'filename="a"', b"no photo"), HTTP_ACCEPT="text/html"
    )

    assert (reply.status_code, reply.json()["error_code"]) == (400, "invalid_image")
