"""Every setting of the service, read from the environment and from `.env`.

A wrong value stops the start with a sentence that names the variable.
"""

import os
import sys
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from classification.pricing import PriceTable
from classifier_project import __version__, databases, secret_key
from classifier_project.env import Env
from operations.alerts import webhooks

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = Env(str(BASE_DIR / ".env"))
SETTING_SOURCE = env.source

# --- Django's own -------------------------------------------------------------------------

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
DEBUG = env.boolean("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", LOCAL_HOSTS)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
if CORS_ALLOWED_ORIGINS == ["*"]:
    CORS_ALLOWED_ORIGINS, CORS_ALLOW_ALL_ORIGINS = [], True

SECRET_KEY = env.text("SECRET_KEY")
# Older secrets, whose sessions and seals stay good while they are listed.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
SECRET_KEY_IS_GENERATED = not SECRET_KEY
if SECRET_KEY_IS_GENERATED:
    if not set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS):
        raise ImproperlyConfigured("SECRET_KEY must be set when ALLOWED_HOSTS names a public host.")
    SECRET_KEY = secret_key.read_or_create(VAR_DIR / "secret_key")

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
    "operations",
    "logins",
]

MIDDLEWARE = [
    "classifier_project.middleware.request_id",
    "classifier_project.middleware.security_headers",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "classifier_project.bodies.body_limit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "classifier_project.middleware.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "logins.middleware.LoginThrottle",
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
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "zh-hans", ("zh-hans", "en"))
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "Asia/Shanghai")
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
CSRF_FAILURE_VIEW = "classifier_project.error_pages.csrf_failure"

# Where staff come by https only, cookies and pages stay there. Apps in the field may still call
# the API by its old address.
HAS_TLS = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HAS_TLS
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^metrics$"]
# Over plain http browsers ignore it, and say so as an error on every page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HAS_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if HAS_TLS else 0
# Whether the whole domain is served by https is not this service's to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Database and cache -------------------------------------------------------------------

# The web server gives up on a silent database; commands may run long statements. The workers of
# `manage.py serve` inherit its settings.
IS_SERVING = "SERVING" in os.environ or sys.argv[1:2] == ["serve"]
WEB_DATABASE_READ_TIMEOUT_SECONDS = 3
DATABASE_URL = databases.database_url(env, VAR_DIR)
DATABASES = {
    "default": databases.database(
        DATABASE_URL,
        TIME_ZONE,
        read_timeout=WEB_DATABASE_READ_TIMEOUT_SECONDS if IS_SERVING else None,
    )
}

CACHE_URL = env.url("CACHE_URL", "", ("redis", "rediss"))
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
    if CACHE_URL
    else {
        "BACKEND": "classifier_project.memory_cache.MemoryCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- The model ----------------------------------------------------------------------------

# Stripped, because a key with a trailing newline ends up in the SDK's log.
LLM_API_KEY = env.text("LLM_API_KEY")
LLM_PROVIDER = env.choice("LLM_PROVIDER", "aliyun" if LLM_API_KEY else "local", ("aliyun", "local"))
LLM_MODEL = env.text("LLM_MODEL", "qwen-vl-plus")
LLM_FALLBACK_MODELS = env.words("LLM_FALLBACK_MODELS")
LLM_BASE_URL = env.url(
    "LLM_BASE_URL", "https://dashscope.aliyuncs.com/api/v1", ("https", "http")
).rstrip("/")
LLM_TIMEOUT = env.integer("LLM_TIMEOUT", 30, maximum=600)
LLM_MAX_TOKENS = env.integer("LLM_MAX_TOKENS", 500, maximum=100_000)
LLM_MAX_CONCURRENCY = env.integer("LLM_MAX_CONCURRENCY", 32, maximum=1000)
LLM_IMAGE_MAX_SIDE = env.integer("LLM_IMAGE_MAX_SIDE", 1024, minimum=64, maximum=8192)
ON_MODEL_FAILURE = env.choice("ON_MODEL_FAILURE", "local", ("local", "error", "other"))
CLASSIFICATION_PROMPT = env.text("CLASSIFICATION_PROMPT")

COST_PER_API_CALL = env.decimal("COST_PER_API_CALL", "0.01")
# Yuan of a local day; beyond it, new photos are answered as ON_MODEL_FAILURE says.
DAILY_COST_LIMIT = env.optional_decimal("DAILY_COST_LIMIT")
LLM_PRICES = PriceTable.parse(env.json("LLM_PRICES"), COST_PER_API_CALL, TIME_ZONE)

# --- Photos -------------------------------------------------------------------------------

MAX_IMAGE_SIZE_MB = env.integer("MAX_IMAGE_SIZE_MB", 10, maximum=100)
ALLOWED_IMAGE_FORMATS = [
    name.lower()
    for name in env.words("ALLOWED_IMAGE_FORMATS", ("jpg", "jpeg", "png", "webp", "gif", "heic"))
]
KNOWN_IMAGE_FORMATS = {"jpg", "jpeg", "png", "webp", "gif", "heic", "heif"}
if unknown := set(ALLOWED_IMAGE_FORMATS) - KNOWN_IMAGE_FORMATS:
    raise ImproperlyConfigured(
        f"ALLOWED_IMAGE_FORMATS knows {', '.join(sorted(KNOWN_IMAGE_FORMATS))}, "
        f"not {', '.join(sorted(unknown))}."
    )
CACHE_MIN_CONFIDENCE = env.decimal("CACHE_MIN_CONFIDENCE", "0.3", maximum="1")
# Photos never touch the disk: uploads of any allowed size are held in memory.
FILE_UPLOAD_HANDLERS = ["classification.api.uploads.MemoryUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Alerts -------------------------------------------------------------------------------

EMAIL_URL = env.url("EMAIL_URL", "", ("smtp", "smtp+tls", "smtp+ssl"))
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "photo-classification@localhost")
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

# --- Log and server -----------------------------------------------------------------------

ENABLE_REQUEST_LOG = env.boolean("ENABLE_REQUEST_LOG", True)
LOG_RETENTION_DAYS = env.integer("LOG_RETENTION_DAYS", 90, maximum=36_500)
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOG_FILE = env.text("LOG_FILE")
if LOG_FILE and not os.access(Path(LOG_FILE).resolve().parent, os.W_OK):
    raise ImproperlyConfigured(f"LOG_FILE must be in a folder that can be written, not {LOG_FILE}.")
# Whoever has it may read /metrics; without one there is no such address.
METRICS_TOKEN = env.text("METRICS_TOKEN")
APP_HOST = env.text("APP_HOST", "127.0.0.1")
APP_PORT = env.integer("APP_PORT", 8000, maximum=65535)
WEB_WORKERS = env.integer("WEB_WORKERS", min(os.cpu_count() or 1, 4), maximum=64)
# Uploads wait for the model, or for a place there, on a thread each; the rest keep answering
# known photos.
WEB_THREADS = env.integer("WEB_THREADS", 2 * LLM_MAX_CONCURRENCY + 32, minimum=4, maximum=4000)
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_handler: dict[str, Any] = (
    {"class": "logging.handlers.WatchedFileHandler", "filename": LOG_FILE}
    if LOG_FILE
    else {"class": "logging.StreamHandler"}
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "classifier_project.middleware.RequestIdFilter"}},
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} {request_id} {message}", "style": "{"},
        "json": {"()": "classifier_project.logs.JsonFormatter"},
    },
    "handlers": {"default": {**_handler, "formatter": LOG_FORMAT, "filters": ["request_id"]}},
    "root": {"handlers": ["default"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # A client's bad request is its own affair.
        "django.request": {"level": "ERROR"},
        # At DEBUG these write whole requests, photo and prompt included.
        "dashscope": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "PIL": {"level": "WARNING"},
        "django.db.backends": {"level": "INFO"},
        # At DEBUG this writes what a page is made of, users and prompt included.
        "django.template": {"level": "INFO"},
    },
}

# --- The API ------------------------------------------------------------------------------

CORS_URLS_REGEX = r"^/api/.*$"
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Retry-After"]
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
        "logins.authentication.ThrottledTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["classification.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "classification.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Photo classification",
    "DESCRIPTION": "Ask by hash first; upload only when the photo is unknown.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
