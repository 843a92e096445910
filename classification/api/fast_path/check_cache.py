"""Fast path of check-cache."""

from typing import TYPE_CHECKING

from classification.api.fast_path import answers, requests
from classification.images import HASH
from classification.pipeline import classify
from classification.pipeline.request_log import ClientInfo

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MAX_BODY_BYTES = 1024


def answer(environ: "WSGIEnvironment") -> answers.Response | None:
    """The response to a plain request; None for any other."""
    body = requests.plain_json(environ, MAX_BODY_BYTES)
    if body is None:
        return None
    image_hash, body_user = body.get("image_hash"), body.get("user_id")
    user_id = environ.get("HTTP_X_USER_ID") or body_user
    if not (
        isinstance(image_hash, str)
        and HASH.fullmatch(image_hash)
        and requests.is_plain_user(user_id)
        and requests.is_plain_user(body_user)
    ):
        return None
    sender = requests.sender(environ)
    if sender is None:
        return None
    language = environ.get("HTTP_ACCEPT_LANGUAGE", "")

    def render_members(client: ClientInfo) -> str:
        found = classify.check_cache(image_hash=image_hash.lower(), client=client)
        if found is None:
            message = answers.unknown_photo(language)
            return f'"cached":false,"data":null,"from_cache":false,"message":{message}'
        return f'"cached":true,"data":{answers.classification_json(found)},"from_cache":true'

    return answers.answer(environ, sender, user_id, render_members)
