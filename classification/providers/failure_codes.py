"""Maps providers' error codes and messages to the API's error code, a remedy and a cause.

One table for all remote providers, and for everything that interprets their errors: calls, doctor,
alerts and dashboard. Advice on each cause is in causes.py.
"""

import re
from typing import Literal, NamedTuple

from classification.providers.causes import Cause

Remedy = Literal["none", "retry", "slow down", "other model", "without feature"]


class Meaning(NamedTuple):
    """The API's error code, the remedy to try at once, and the cause an operator has to fix."""

    code: str
    remedy: Remedy = "none"
    cause: Cause = ""


REJECTED = Meaning("image_rejected")
KEY = Meaning("model_not_configured", cause="key_refused")
UNPAID = Meaning("model_not_configured", cause="account_unpaid")
FREE_QUOTA = Meaning("model_not_configured", "other model", "quota_used_up")
RETIRED = Meaning("model_not_configured", "other model", "model_retired")
BLIND = Meaning("model_not_configured", "other model", "model_without_vision")
ADDRESS = Meaning("model_unavailable", cause="wrong_address")
BUSY = Meaning("model_busy", "slow down")
FAILING = Meaning("model_unavailable", "retry")
REFUSED = Meaning("model_unavailable")


class Row(NamedTuple):
    """Matches an error with one of `statuses` whose code and message both match; codes are compared
    in lower case, without punctuation."""

    meaning: Meaning
    code: str = ""
    message: str = ""
    statuses: range = range(400, 600)


CLIENT_ERRORS = range(400, 500)
# The first row that matches wins.
ROWS = (
    Row(REJECTED, code="datainspectionfailed|contentfilter|contentpolicyviolation"),
    Row(REJECTED, message="datainspectionfailed|inappropriate content|content management policy"),
    Row(KEY, code="^(invalidapikey|invalidauthentication|authenticationerror)"),
    Row(UNPAID, code="^(arrearage|commoditynotpurchased|(pre|post)paidbilloverdue)"),
    Row(UNPAID, code="^(insufficientbalance|billing)"),
    Row(UNPAID, code="^insufficientquota", message="billing"),
    Row(FREE_QUOTA, code="^allocationquotafreetieronly"),
    Row(
        BLIND,
        message=r"(does not|doesn't) support (image|vision|multimodal)|"
        r"images?( input|_url)? (is|are) (not|only) supported|at most 0 image|"
        r"missing data required for image|expected `?text`?|not a (vision|multimodal) model",
    ),
    Row(RETIRED, code="^(modelnotfound|modelnotexist|modelnotsupported|unsupportedmodel)"),
    Row(RETIRED, code="^(modelaccessdenied|endpointaccessdenied|accessdenied)"),
    Row(
        RETIRED,
        message=r"model (does )?not exist|model .{0,120}(does not exist|not found)|"
        r"unsupported model|unknown model|no such model",
        statuses=CLIENT_ERRORS,
    ),
    Row(BUSY, code="^(throttling|ratelimit|limitrequests|limitburst|insufficientquota)"),
    Row(
        REJECTED,
        message=r"\b(image|picture|photo|media|multimodal file|data-?uri|aspect ratio|"
        r"width|height)\b|图片|图像",
        statuses=CLIENT_ERRORS,
    ),
)
BY_STATUS = {401: KEY, 403: RETIRED, 404: ADDRESS, 405: ADDRESS, 408: FAILING, 429: BUSY}


def meaning_of(status: int, code: str, message: str) -> Meaning:
    """The meaning of an error in the provider's own format, by HTTP status, code and message."""
    plain_code = re.sub(r"[\W_]", "", code.lower())
    for row in ROWS:
        if (
            status in row.statuses
            and re.search(row.code, plain_code)
            and re.search(row.message, message, re.IGNORECASE)
        ):
            return row.meaning
    return BY_STATUS.get(status, FAILING if status >= 500 else REFUSED)
