"""Who can look at a photo: the protocol of a provider, its answer and its errors."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from classification.photos import Photo
from classification.results import Classification

# What only an operator can mend; "" is anything else, which may pass by itself.
Cause = Literal["", "key_refused", "account_unpaid", "quota_used_up", "model_retired", "no_key"]
CAUSES: tuple[Cause, ...] = get_args(Cause)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a paid model, for the ledger.

    `outcome` is "ok" or one of the contract's error codes. `billed` is "perhaps" when the
    request was sent and no answer told how it ended.
    """

    model: str
    outcome: str
    billed: Literal["yes", "no", "perhaps"]
    duration_ms: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    provider_request_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A classification with the model that made it (at most 50 characters), the model's own
    words or findings for staff to see, and the paid calls it took, the last one having
    succeeded."""

    classification: Classification
    model: str
    raw: dict[str, Any] | None
    calls: tuple[Call, ...] = ()


class ProviderError(Exception):
    """No classification. `code` is the contract's error code, `retry_after` whole seconds;
    `cause` says what an operator must mend.

    The message is for the log and holds no photo, key or answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        cause: Cause = "",
        retry_after: int | None = None,
        calls: tuple[Call, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.cause = cause
        self.retry_after = retry_after
        self.calls = calls


@dataclass(frozen=True, slots=True)
class Rest:
    """Why no calls are made, for how many seconds now, and in how many one is tried again."""

    code: str
    cause: Cause
    lasted: float
    remaining: float


@dataclass(frozen=True, slots=True)
class Status:
    """How a provider is in this process; `denied_models` are left out for a while, as they are
    retired or not for this account."""

    calls_in_flight: int = 0
    rest: Rest | None = None
    denied_models: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`available`, or `failing` while no calls are made because the last ones failed."""
        return "failing" if self.rest else "available"


class Provider(Protocol):
    """Something that classifies photos; `name` is what LLM_PROVIDER calls it."""

    name: str

    @property
    def status(self) -> Status: ...

    def classify(self, photo: Photo, prompt: str) -> Answer:
        """Classify one photo; raises ProviderError. Safe to call from many threads."""
        ...
