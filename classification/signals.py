"""What others may listen to: sent from the background, never on a hit's way."""

from django.dispatch import Signal

# Rows of the request log were written: `rows`, a sequence of LogRow.
requests_logged = Signal()
# Calls were written into the ledger: `calls`, a sequence of ModelCall.
calls_logged = Signal()
# This process has looked at itself: `state`, an unsaved ServerProcess.
process_observed = Signal()
