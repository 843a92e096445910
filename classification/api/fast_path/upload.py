"""Fast path of classify, for uploads whose answer is known.

Django would copy the photo twice and take ten times as long. Uploads of unknown photos, and
anything that may have to be rejected, are passed to Django unchanged.
"""

import hashlib
import time
from io import BytesIO
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError

from classification.api.fast_path import answers, plain_form, requests
from classification.errors import error_code
from classification.pipeline import answer_cache, classify
from classification.pipeline.answer_cache import CachedAnswer
from classification.pipeline.classify import Miss
from classification.pipeline.request_log import ClientInfo

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where a request's environment keeps the Miss of its photo, which need not be looked up again.
MISS = "classification.miss"


def answer(environ: "WSGIEnvironment") -> answers.Response | None:
    """The response to a plain upload of a known photo; None for any other."""
    body = environ["wsgi.input"]
    if not isinstance(body, BytesIO) or not requests.is_plain(environ):
        return None
    form = plain_form.read(environ.get("CONTENT_TYPE", ""), body.getvalue())
    if form is None:
        return None
    body_user = form.fields.get("user_id")
    user_id = environ.get("HTTP_X_USER_ID") or body_user
    if not (requests.is_plain_user(user_id) and requests.is_plain_user(body_user)):
        return None
    image_hash, size = hashlib.sha256(form.image).hexdigest(), len(form.image)
    # The pipeline stores or rejects declared hashes.
    if form.fields.get("image_hash", image_hash).lower() != image_hash:
        return None
    looked_at = time.monotonic()
    known = _look_up(image_hash)
    if known is None:
        environ[MISS] = Miss(image_hash, looked_at)
    # Identifying the sender counts the request against the rate limit, and Django would count it
    # again: so only once it is certain to be answered here.
    sender = requests.sender(environ) if known else None
    if known is None or sender is None:
        return None

    def render_members(client: ClientInfo) -> str:
        if isinstance(known, Exception):
            classify.log_failure(error_code(known), client, image_hash, size)
            raise known
        found = answers.classification_json(classify.log_hit(known, client, size))
        return (
            f'"data":{found},"from_cache":true,"source":"cache","image_hash":"{image_hash}",'
            f'"processing_time_ms":{client.elapsed_ms}'
        )

    return answers.answer(environ, sender, user_id, render_members)


def _look_up(image_hash: str) -> CachedAnswer | Exception | None:
    """The known answer, or the database's error: Django would only wait for the same error
    again."""
    try:
        return answer_cache.get(image_hash)
    except (DatabaseError, InterfaceError) as error:
        return error
