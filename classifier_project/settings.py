"""Every setting of the service, read from the environment and from `.env`.

An invalid value stops the start with a message that names the variable.
"""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from classification.billing.prices import PriceTable
from classification.provider_settings import first_provider, second_provider
from classification.providers.model_table.reading import read_table
from core import __version__
from core.configuration import addresses, caches, databases, folders, secret_key
from core.configuration.env import Env
from operations.alerts import webhooks

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(BASE_DIR / ".env")
SETTING_SOURCE = env.source
SETTING_LOOK_ALIKES = env.look_alikes
# Files that must survive a restart. systemd sets STATE_DIRECTORY, as a colon-separated list if the
# unit has several; the first is used.
STATE_DIR = BASE_DIR / env.text("STATE_DIRECTORY", "var").partition(":")[0]
if env.text("STATE_DIRECTORY"):
    folders.make_writable(STATE_DIR, "STATE_DIRECTORY")

# --- Django's own -------------------------------------------------------------------------

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
DEBUG = env.boolean("DEBUG", False)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", LOCAL_HOSTS)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = env.words("CORS_ALLOWED_ORIGINS") == ["*"]
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else env.origins("CORS_ALLOWED_ORIGINS")

SECRET_KEY = env.text("SECRET_KEY")
# Older secrets; sessions and signatures made with them stay valid while they are listed.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
SECRET_KEY_IS_GENERATED = not SECRET_KEY
if SECRET_KEY_IS_GENERATED:
    if not set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS):
        raise ImproperlyConfigured("SECRET_KEY must be set when ALLOWED_HOSTS names a public host.")
    SECRET_KEY = secret_key.read_or_create(STATE_DIR / "secret_key")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "classification",
    "stats",
    "quality",
    "privacy",
    "operations",
    "accounts",
    "clients",
]

MIDDLEWARE = [
    "core.request_id.request_id",
    "core.security_headers.security_headers",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "classification.api.request_bodies.buffering.refuse_long_bodies",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "core.page_language.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.LoginThrottle",
]

ROOT_URLCONF = "classifier_project.urls"
WSGI_APPLICATION = "classifier_project.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected once per release, and part of it.
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "core.static_files.StaticFiles"
    },
}
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "zh-hans", ("zh-hans", "en"))
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", "Asia/Shanghai")
USE_TZ = True

LOGIN_URL = "admin:login"
LOGOUT_REDIRECT_URL = "admin:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "classifier_project.error_handlers.csrf_failure"

# Where staff use https only, pages redirect to it and cookies are sent over nothing else. Apps in
# the field may still call the API over http.
HAS_TLS = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HAS_TLS
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^metrics$"]
# Browsers ignore it over plain http, and log an error on every page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HAS_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if HAS_TLS else 0
# Whether the whole domain is served over https is not for this service to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Database and cache -------------------------------------------------------------------

# The web server stops waiting for a silent database after a few seconds; commands may run long
# statements. The workers of `manage.py serve` inherit its environment.
IS_SERVING = "SERVING" in os.environ or sys.argv[1:2] == ["serve"]
WEB_DATABASE_READ_TIMEOUT_SECONDS = 3
DATABASE_URL = databases.database_url(env, STATE_DIR)
_read_timeout = WEB_DATABASE_READ_TIMEOUT_SECONDS if IS_SERVING else None
DATABASES = {"default": databases.database(DATABASE_URL, TIME_ZONE, read_timeout=_read_timeout)}
# A replica of DATABASE_URL, from which statistics are read.
STATS_DATABASE_URL = env.text("STATS_DATABASE_URL")
if STATS_DATABASE_URL:
    DATABASES["stats"] = databases.database(
        STATS_DATABASE_URL,
        TIME_ZONE,
        read_timeout=_read_timeout,
        variable="STATS_DATABASE_URL",
    )
    DATABASE_ROUTERS = ["stats.routers.ReplicaRouter"]

CACHE_URL = env.text("CACHE_URL")
CACHES = caches.configure(CACHE_URL, caches.installation(SECRET_KEY, DATABASES["default"]))

# --- The model ----------------------------------------------------------------------------

LLM_MODELS_FILE = env.text("LLM_MODELS_FILE")
try:
    MODEL_TABLE = read_table(Path(LLM_MODELS_FILE) if LLM_MODELS_FILE else None)
except (OSError, ValueError) as error:
    raise ImproperlyConfigured(f"LLM_MODELS_FILE cannot be used: {error}.") from None
LLM_PROVIDER, LLM_API_KEY, LLM_MODEL, LLM_BASE_URL = first_provider(env, MODEL_TABLE)
LLM_FALLBACK_MODELS = env.tokens("LLM_FALLBACK_MODELS")
# Asked when the first provider cannot answer, before falling back to the on-device model.
(
    LLM_FALLBACK_PROVIDER,
    LLM_FALLBACK_API_KEY,
    LLM_FALLBACK_MODEL,
    LLM_FALLBACK_BASE_URL,
) = second_provider(env, LLM_PROVIDER, MODEL_TABLE)
LLM_TIMEOUT = env.integer("LLM_TIMEOUT", 30, maximum=600)
LLM_MAX_TOKENS = env.integer("LLM_MAX_TOKENS", 500, maximum=100_000)
LLM_MAX_CONCURRENCY = env.integer("LLM_MAX_CONCURRENCY", 32, maximum=1000)
LLM_IMAGE_MAX_SIDE = env.integer("LLM_IMAGE_MAX_SIDE", 1024, minimum=64, maximum=8192)
ON_MODEL_FAILURE = env.choice("ON_MODEL_FAILURE", "local", ("local", "error", "other"))
CLASSIFICATION_PROMPT = env.text("CLASSIFICATION_PROMPT").replace("\\n", "\n")

COST_PER_API_CALL = env.decimal("COST_PER_API_CALL", "0.01")
# Yuan per local day; beyond it, new photos are handled as ON_MODEL_FAILURE says.
DAILY_COST_LIMIT = env.optional_decimal("DAILY_COST_LIMIT")
LLM_PRICES = PriceTable.parse(env.json("LLM_PRICES"), COST_PER_API_CALL, TIME_ZONE, MODEL_TABLE)

# --- Photos -------------------------------------------------------------------------------

MAX_IMAGE_SIZE_MB = env.integer("MAX_IMAGE_SIZE_MB", 10, maximum=100)
ALLOWED_IMAGE_FORMATS = [
    name.lower()
    for name in env.words(
        "ALLOWED_IMAGE_FORMATS", ("jpg", "jpeg", "png", "webp", "gif", "heic", "avif")
    )
]
KNOWN_IMAGE_FORMATS = {"jpg", "jpeg", "mpo", "png", "webp", "gif", "heic", "heif", "avif"}
if set(ALLOWED_IMAGE_FORMATS) - KNOWN_IMAGE_FORMATS:
    raise ImproperlyConfigured(
        f"ALLOWED_IMAGE_FORMATS must be some of {', '.join(sorted(KNOWN_IMAGE_FORMATS))}."
    )
# Whether an app may send the hash of the original file with an upload that is a smaller copy.
DECLARED_HASHES = env.choice("DECLARED_HASHES", "own", ("own", "refuse"))
CACHE_MIN_CONFIDENCE = env.decimal("CACHE_MIN_CONFIDENCE", "0.3", maximum="1")
# Photos never touch the disk: uploads of any allowed size are held in memory.
FILE_UPLOAD_HANDLERS = ["classification.api.request_bodies.uploads.MemoryUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Alerts -------------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL")
if EMAIL_URL:
    vars().update(addresses.email("EMAIL_URL", EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", "photo-classification@localhost")
ALERT_EMAILS = env.emails("ALERT_EMAILS")
if ALERT_EMAILS and not EMAIL_URL:
    raise ImproperlyConfigured(
        "ALERT_EMAILS needs EMAIL_URL, such as smtp+tls://user:pass@host:587."
    )
ALERT_WEBHOOKS = webhooks.parse(env.json("ALERT_WEBHOOKS"))
ALERT_DAILY_COST = env.optional_decimal("ALERT_DAILY_COST")
ALERT_FAILURE_RATE = env.decimal("ALERT_FAILURE_RATE", "20", minimum="0.1", maximum="100")
ALERT_WINDOW_MINUTES = env.integer("ALERT_WINDOW_MINUTES", 10, maximum=1440)
ALERT_MIN_REQUESTS = env.integer("ALERT_MIN_REQUESTS", 20)
ALERT_HIT_RATE_FALL = env.decimal("ALERT_HIT_RATE_FALL", "20", minimum="0.1", maximum="100")
ALERT_AGREEMENT_FALL = env.decimal("ALERT_AGREEMENT_FALL", "10", minimum="0.1", maximum="100")

# --- Log and server -----------------------------------------------------------------------

ENABLE_REQUEST_LOG = env.boolean("ENABLE_REQUEST_LOG", True)
LOG_RETENTION_DAYS = env.integer("LOG_RETENTION_DAYS", 90, maximum=36_500)
# How user ids and addresses are kept in the log and the statistics; hashes are keyed by SECRET_KEY.
USER_IDS = env.choice("USER_IDS", "keep", ("keep", "hash", "drop"))
IP_ADDRESSES = env.choice("IP_ADDRESSES", "keep", ("keep", "hash", "drop", "truncate"))
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOG_FILE = env.text("LOG_FILE")
if LOG_FILE:
    folders.check_file(Path(LOG_FILE), "LOG_FILE")
# The bearer token for /metrics; without it, that path does not exist.
METRICS_TOKEN = env.token("METRICS_TOKEN")
APP_HOST = addresses.listening("APP_HOST", env.text("APP_HOST", "127.0.0.1"))
APP_PORT = env.integer("APP_PORT", 8000, maximum=65535)
WEB_WORKERS = env.integer("WEB_WORKERS", min(os.cpu_count() or 1, 4), maximum=64)
# Each upload waits for the model, or for a free slot, on a thread of its own; one client gets three
# quarters of them at most.
WEB_THREADS = env.integer("WEB_THREADS", 3 * LLM_MAX_CONCURRENCY + 32, minimum=4, maximum=4000)
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_handler: dict[str, Any] = (
    {"class": "core.logs.LogFileHandler", "filename": LOG_FILE}
    if LOG_FILE
    else {"class": "logging.StreamHandler"}
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "core.request_id.RequestIdFilter"},
        "one_line": {"()": "core.logs.OneLineFilter"},
        "refusal": {"()": "core.logs.RefusalFilter"},
        "own_advice": {"()": "core.logs.OwnAdviceFilter"},
    },
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} {request_id} {message}", "style": "{"},
        "json": {"()": "core.logs.JsonFormatter"},
    },
    "handlers": {
        "default": {**_handler, "formatter": LOG_FORMAT, "filters": ["request_id", "refusal"]}
    },
    "root": {"handlers": ["default"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # 4xx responses are not worth a line.
        "django.request": {"level": "ERROR", "filters": ["one_line"]},
        # At DEBUG these log whole requests, photo and prompt included.
        "dashscope": {"level": "CRITICAL"},  # we log each call's failure ourselves
        "_granian": {"filters": ["own_advice"]},
        "urllib3": {"level": "WARNING"},
        "PIL": {"level": "WARNING"},
        "django.db.backends": {"level": "INFO"},
        # At DEBUG this logs template contexts, users and prompts included.
        "django.template": {"level": "INFO"},
    },
}

# --- The API ------------------------------------------------------------------------------

CORS_URLS_REGEX = r"^/api/.*$"
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Retry-After", "RateLimit-Policy", "RateLimit"]
CORS_ALLOW_HEADERS = [
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "x-csrftoken",
    "x-requested-with",
    "x-user-id",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "classification.api.staff_tokens.StaffTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["classification.api.request_bodies.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": (
        "classification.api.negotiation.LenientContentNegotiation"
    ),
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "classification.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": _("Photo classification"),
    "DESCRIPTION": _("Look up a photo by its hash first; upload it only if it is unknown."),
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    # Docstrings are in English, for developers.
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
