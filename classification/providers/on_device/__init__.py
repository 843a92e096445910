"""A model that runs on this machine: free, without a network, and less sure than a large one."""

import os

# ONNX Runtime would keep an id of this machine on its disk and report to its maker. It reads
# this when it is imported, so it is set before any module of ours imports it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
