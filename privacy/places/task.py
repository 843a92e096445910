"""The types that places use for forgetting."""

from typing import Any, NamedTuple, TypeAlias

from privacy.people import Person

# A table, and the number of rows processed.
ForgottenRows: TypeAlias = tuple[str, int]
Row: TypeAlias = dict[str, Any]


class ErasureTask(NamedTuple):
    """The person to forget, and the alias for them in statistics."""

    person: Person
    alias: str
