"""Signals for other apps; sent outside the path of a cache hit."""

from django.dispatch import Signal

# Log rows were written. `rows`: a sequence of LogRow.
requests_logged = Signal()
# Calls were written into the ledger. `calls`: a sequence of ModelCall.
calls_logged = Signal()
# This process has determined its state. `state`: an unsaved ServerProcess.
process_observed = Signal()
