"""The protocol of a provider, its answers and its errors."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from classification.images import Photo
from classification.model_output import Classification
from classification.providers.causes import Cause

# Whether a call is on the bill; "perhaps" if it was sent, and no response came.
Billed = Literal["yes", "no", "perhaps"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a failed call returned, for staff: HTTP status, the provider's error code and message,
    and `reply`, the model's unreadable answer. Truncated, and free of secrets."""

    status: int | None = None
    code: str = ""
    message: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a paid model, for the ledger.

    `outcome` is "ok" or an error code of the API. `cached_tokens` are the input tokens found in the
    provider's context cache.
    """

    model: str
    outcome: str
    billed: Billed
    duration_ms: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    provider_request_id: str = ""
    provider: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A classification, the name of the model (at most 50 characters), its raw output for staff,
    and the paid calls it took, of which the last one succeeded."""

    classification: Classification
    model: str
    raw: dict[str, Any] | None
    calls: tuple[Call, ...] = ()


class ProviderError(Exception):
    """A provider could not classify a photo. `code` is an error code of the API, `retry_after` is
    in seconds, `cause` is what an operator has to fix.

    With `is_about_photo`, the provider itself responded with an error, which may be due to this
    photo. The message is for the log, and contains no photo, key or answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        cause: Cause = "",
        retry_after: int | None = None,
        calls: tuple[Call, ...] = (),
        is_about_photo: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.cause = cause
        self.retry_after = retry_after
        self.calls = calls
        self.is_about_photo = is_about_photo


@dataclass(frozen=True, slots=True)
class Pause:
    """Why calls are paused, for how many seconds they have been, and in how many one is tried."""

    code: str
    cause: Cause
    lasted: float
    remaining: float


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a provider in this process. `denied_models` are skipped for a while, since they
    are retired or not available to this account."""

    calls_in_flight: int = 0
    pause: Pause | None = None
    denied_models: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`available`, or `failing` while calls are paused after failures."""
        return "failing" if self.pause else "available"


class Provider(Protocol):
    """Something that classifies photos; `name` is what LLM_PROVIDER calls it."""

    name: str

    @property
    def status(self) -> Status: ...

    def models_today(self) -> list[str]:
        """The models that are asked today, in order; empty if nothing is billed."""
        ...

    def classify(self, photo: Photo, prompt: str, timeout: float | None = None) -> Answer:
        """Classify one photo within `timeout` seconds, or the provider's own limit if that is less.
        Raises ProviderError. Thread-safe."""
        ...
