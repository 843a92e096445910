"""Signals for other apps."""

from django.dispatch import Signal

# Log rows older than `before`, a datetime, were deleted; receivers delete data with the same
# retention.
log_purged = Signal()
