"""Reads the settings of the first and the second provider from the environment."""

from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

from classification.providers.model_table.table import ModelTable
from core.configuration.env import Env

DASHSCOPE = "https://dashscope.aliyuncs.com/api/v1"
# Other names of DashScope.
PROVIDER_ALIASES = {"qwen": "aliyun", "dashscope": "aliyun"}


class ProviderSettings(NamedTuple):
    """The settings of a provider; all empty if there is no second one."""

    name: str = ""
    api_key: str = ""
    model: str = ""
    base_url: str = ""


def first_provider(env: Env, table: ModelTable) -> ProviderSettings:
    """The provider of LLM_PROVIDER; by default DashScope if there is a key, else the on-device
    model. Raises ImproperlyConfigured."""
    # Rejected if a header cannot carry it: the SDK would log all of it.
    api_key = env.token("LLM_API_KEY")
    name = env.choice(
        "LLM_PROVIDER",
        "aliyun" if api_key else "local",
        ("aliyun", "openai", "local"),
        PROVIDER_ALIASES,
    )
    if env.boolean("USE_LOCAL_INFERENCE", False):  # the older service's setting
        name = "local"
    return _with_address(env, "LLM", name, api_key, table)


def second_provider(env: Env, first: str, table: ModelTable) -> ProviderSettings:
    """The provider of LLM_FALLBACK_PROVIDER, if any. Raises ImproperlyConfigured."""
    api_key = env.token("LLM_FALLBACK_API_KEY")
    if not env.text("LLM_FALLBACK_PROVIDER"):
        return ProviderSettings()
    name = env.choice("LLM_FALLBACK_PROVIDER", "", ("aliyun", "openai"), PROVIDER_ALIASES)
    if first == "local":
        raise ImproperlyConfigured(
            "LLM_FALLBACK_PROVIDER is asked after another provider: set LLM_PROVIDER, too."
        )
    if name == "aliyun" and not api_key:
        raise ImproperlyConfigured("LLM_FALLBACK_PROVIDER is aliyun: set LLM_FALLBACK_API_KEY.")
    return _with_address(env, "LLM_FALLBACK", name, api_key, table)


def _with_address(
    env: Env, prefix: str, name: str, api_key: str, table: ModelTable
) -> ProviderSettings:
    is_openai = name == "openai"
    model = env.token(f"{prefix}_MODEL", "" if is_openai else table.default("aliyun"))
    base_url = env.url(f"{prefix}_BASE_URL", "" if is_openai else DASHSCOPE, ("https", "http"))
    if not model or not base_url:
        raise ImproperlyConfigured(
            f"{prefix}_PROVIDER is openai: set {prefix}_BASE_URL, such as "
            f"http://127.0.0.1:8000/v1, and {prefix}_MODEL."
        )
    return ProviderSettings(name, api_key, model, base_url.rstrip("/"))
