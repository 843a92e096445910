"""Checks, without a paid call, whether DashScope accepts the key and serves the model.

The request names the model but contains no message, so nothing is billed: the response is the first
obstacle.
"""

import requests

from classification.providers.causes import Cause
from classification.providers.dashscope.replies import REPLY_FORMAT
from classification.providers.reachability import SECONDS, Reachability
from classification.providers.reachability import reach as reach_by
from classification.providers.replies import Failure, read_response

PATH = "/services/aigc/multimodal-generation/generation"


def reach(base_url: str, api_key: str, model: str) -> Reachability:
    """Send a request without a message; never raises."""

    def send(session: requests.Session) -> requests.Response:
        return session.post(
            base_url + PATH,
            json={"model": model, "input": {}, "parameters": {}},
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=SECONDS,
            allow_redirects=False,
        )

    return reach_by(send, _judge)


def _judge(response: requests.Response) -> tuple[str, Cause]:
    result = read_response(response, REPLY_FORMAT, ())
    if not isinstance(result, Failure):
        return "", ""
    # The only objection is that the message is missing.
    is_well = response.status_code == 400 and result.is_answer and not result.cause
    return ("", "") if is_well else (result.why, result.cause)
