"""Constants that are stored in tables, with their display names."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# The outcome of a success; any other outcome is a code of errors.ERRORS.
OK = "ok"


class Source(TextChoices):
    """Where the answer to a request came from; empty for a failed request."""

    CACHE = "cache", _("from the cache")
    LLM = "llm", _("from the model")
    LOCAL = "local", _("from the on-device model")
    NONE = "none", _("no answer")


class Billed(TextChoices):
    """Whether a call is on the provider's bill. "perhaps": it was sent, and no response came."""

    YES = "yes", _("yes")
    NO = "no", _("no")
    PERHAPS = "perhaps", _("possibly")


# The providers' display names.
PROVIDERS = {
    "aliyun": _("Alibaba Cloud Model Studio"),
    "openai": _("OpenAI-compatible API"),
    "local": _("on-device model"),
}

# A reason for not asking a paid model, in addition to the providers' causes.
DAILY_LIMIT = "daily_limit"

# The prefix of request ids of demo data (manage.py seed_demo_data); real ones start with req_.
DEMO = "demo_"
