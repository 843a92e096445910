"""Requests as an app sends them, to Django's test client."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from classification.models import CacheEntry

HASH = "ab" * 32
CHECK_CACHE = "/api/v1/classify/check-cache"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def upload(client: Client, data: bytes, name: str = "p.jpg", **fields: Any) -> Any:
    headers = fields.pop("headers", {})
    form = {"image": SimpleUploadedFile(name, data, "image/jpeg")} | fields
    return client.post("/api/v1/classify", form, headers=headers)


def check_cache(client: Client, image_hash: Any = HASH, **extra: Any) -> Any:
    headers = extra.pop("headers", {})
    body = {"image_hash": image_hash} | extra
    return client.post(CHECK_CACHE, json.dumps(body), "application/json", headers=headers)


def is_known(client: Client, data: bytes) -> bool:
    known: bool = check_cache(client, sha256(data)).json()["cached"]
    return known


def make_entry(image_hash: str = HASH, **fields: Any) -> CacheEntry:
    """A paid model's cached answer."""
    defaults = {
        "category": "pets",
        "confidence": Decimal("0.9"),
        "description": "一只猫",
        "model_used": "qwen-vl-plus",
        "provider": "aliyun",
        "prompt_version": 1,
        "cost": Decimal("0.0012"),
    }
    return CacheEntry.objects.create(image_hash=image_hash, **(defaults | fields))


def open_form(staff: Client, image_hash: str = HASH) -> dict[str, str]:
    """What a browser sends of an entry's page in the admin, nothing having been touched."""
    page: Any = staff.get(reverse("admin:classification_cacheentry_change", args=[image_hash]))
    shown = page.context["adminform"].form.initial
    values = {name: shown[name] or "" for name in ("category", "description")}
    return values | {f"initial-{name}": value for name, value in values.items()}


def correct(staff: Client, image_hash: str = HASH, **changes: str) -> Any:
    """The answer to a correction in the admin."""
    address = reverse("admin:classification_cacheentry_change", args=[image_hash])
    return staff.post(address, open_form(staff, image_hash) | changes, follow=True)
