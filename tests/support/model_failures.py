"""How the fake servers of all providers can fail, and the expected outcome of each failure."""

from classification.providers.retries import MAX_CALLS

# By the server's mode: the error code of the API, the number of calls, and whether they are billed.
COMMON_FAILURES: dict[str, tuple[str, int, str]] = {
    "empty_choices": ("model_bad_reply", 1, "yes"),
    "null_choices": ("model_bad_reply", 1, "yes"),
    "null_content": ("model_bad_reply", 1, "yes"),
    "cut_by_length": ("model_bad_reply", 1, "yes"),
    "no_verdict": ("model_bad_reply", 1, "yes"),
    "unknown_category": ("model_bad_reply", 1, "yes"),
    "json_list": ("model_bad_reply", 1, "perhaps"),
    "not_json": ("model_bad_reply", 1, "perhaps"),
    "bad_utf8": ("model_bad_reply", 1, "perhaps"),
    "empty_body": ("model_bad_reply", 1, "perhaps"),
    "null_error": ("model_bad_reply", 1, "perhaps"),
    "data_inspection_failed": ("image_rejected", 1, "no"),
    "html_error": ("model_unavailable", MAX_CALLS, "no"),
    "redirect": ("model_unavailable", 1, "no"),
    "close_before_answer": ("model_unavailable", 1, "perhaps"),
    "close_in_body": ("model_unavailable", 1, "perhaps"),
    "hang": ("model_timeout", 1, "perhaps"),
    "stall_in_body": ("model_timeout", 1, "perhaps"),
    "drip_headers": ("model_timeout", 1, "perhaps"),
    "drip_body": ("model_timeout", 1, "perhaps"),
    "Arrearage": ("model_not_configured", 1, "no"),
}
