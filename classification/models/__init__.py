"""The tables: cache entries, request log, ledger, leases, prompts.

The first two tables are older than this project; the names and types of their columns are fixed.
Columns that were added have database defaults, so that the older service can still insert rows
after a rollback.
"""

from classification.models.entries import CORRECTION_FIELDS, CacheEntry, DeclaredHash
from classification.models.processes import Lease, ServerProcess, TaskRun, WrittenBatch
from classification.models.prompts import PromptVersion
from classification.models.request_log import LocalDate, RequestLog
from classification.models.spending import (
    STAFF_ID,
    CallFailure,
    ModelCall,
    Reservation,
    SpendingDay,
)

__all__ = [
    "CORRECTION_FIELDS",
    "STAFF_ID",
    "CacheEntry",
    "CallFailure",
    "DeclaredHash",
    "Lease",
    "LocalDate",
    "ModelCall",
    "PromptVersion",
    "RequestLog",
    "Reservation",
    "ServerProcess",
    "SpendingDay",
    "TaskRun",
    "WrittenBatch",
]
