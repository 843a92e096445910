"""Fast path of batch-check-cache, which apps call when somebody opens an album."""

import re
from typing import TYPE_CHECKING, Any

from classification.api.fast_path import answers, requests
from classification.api.request_bodies.limits import JSON_BYTES
from classification.api.serializers import MAX_HASHES
from classification.pipeline import classify
from classification.pipeline.request_log import ClientInfo
from core.sharing.turns import Turns

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Validates all hashes, joined by commas, in one match.
HASHES = re.compile(r"[0-9a-f]{64}(?:,[0-9a-f]{64})*")
UNKNOWN = ',"cached":false,"data":null'
# An album takes most of a millisecond of Python, which runs one thread at a time, in no order: of
# dozens at once, some would wait for ten times as long as the others.
_turns = Turns(6, patience=0.5)


def answer(environ: "WSGIEnvironment") -> answers.Response | None:
    """The response to a plain request; None for any other."""
    body = requests.plain_json(environ, JSON_BYTES)
    if body is None:
        return None
    hashes, body_user = _plain_hashes(body.get("image_hashes")), body.get("user_id")
    user_id = environ.get("HTTP_X_USER_ID") or body_user
    if not (hashes and requests.is_plain_user(user_id) and requests.is_plain_user(body_user)):
        return None
    sender = requests.sender(environ)
    if sender is None:
        return None

    def render_members(client: ClientInfo) -> str:
        found = classify.check_cache_many(image_hashes=hashes, client=client)
        answered = {
            image_hash: f',"cached":true,"data":{answers.classification_json(answer)}'
            for image_hash, answer in found.items()
        }
        items = [f'{{"image_hash":"{each}"{answered.get(each, UNKNOWN)}}}' for each in hashes]
        count = sum(map(answered.__contains__, hashes))
        return f'"total":{len(hashes)},"cached_count":{count},"items":[{",".join(items)}]'

    with _turns.hold():
        return answers.answer(environ, sender, user_id, render_members)


def _plain_hashes(image_hashes: Any) -> list[str]:
    """The hashes in lower case; an empty list for anything but a list of valid hashes."""
    if not isinstance(image_hashes, list) or not 0 < len(image_hashes) <= MAX_HASHES:
        return []
    try:
        joined = ",".join(image_hashes).lower()
    except TypeError:
        return []
    hashes = joined.split(",")
    # A comma within an item would split it in two.
    is_plain = len(hashes) == len(image_hashes) and HASHES.fullmatch(joined)
    return hashes if is_plain else []
