"""How the fake DashScope server can fail, and the expected outcome of each failure."""

from classification.providers.retries import MAX_CALLS
from tests.support.model_failures import COMMON_FAILURES

FAILURES = COMMON_FAILURES | {
    "missing_choices": ("model_bad_reply", 1, "yes"),
    "empty_content": ("model_bad_reply", 1, "yes"),
    "null_output": ("model_bad_reply", 1, "perhaps"),
    "InvalidParameter": ("model_unavailable", 1, "no"),
    "DataInspectionFailed": ("image_rejected", 1, "no"),
    "InvalidApiKey": ("model_not_configured", 1, "no"),
    "AccessDenied": ("model_not_configured", 1, "no"),
    "AccessDenied.Unpurchased": ("model_not_configured", 1, "no"),
    "Model.AccessDenied": ("model_not_configured", 1, "no"),
    "Endpoint.AccessDenied": ("model_not_configured", 1, "no"),
    "AllocationQuota.FreeTierOnly": ("model_not_configured", 1, "no"),
    "ModelNotFound": ("model_not_configured", 1, "no"),
    "CommodityNotPurchased": ("model_not_configured", 1, "no"),
    "PrepaidBillOverdue": ("model_not_configured", 1, "no"),
    "PostpaidBillOverdue": ("model_not_configured", 1, "no"),
    "Throttling": ("model_busy", MAX_CALLS, "no"),
    "Throttling.RateQuota": ("model_busy", MAX_CALLS, "no"),
    "Throttling.BurstRate": ("model_busy", MAX_CALLS, "no"),
    "Throttling.AllocationQuota": ("model_busy", MAX_CALLS, "no"),
    "InternalError": ("model_unavailable", MAX_CALLS, "no"),
    "InternalError.Algo": ("model_unavailable", MAX_CALLS, "no"),
    "SystemError": ("model_unavailable", MAX_CALLS, "no"),
    "RequestTimeOut": ("model_unavailable", MAX_CALLS, "no"),
    "ModelServingError": ("model_unavailable", MAX_CALLS, "no"),
    "ModelUnavailable": ("model_unavailable", MAX_CALLS, "no"),
}
