"""The on-device model: free, needs no network, and is less accurate than a large model."""

import os

# Otherwise ONNX Runtime stores a machine id on disk and sends telemetry. It reads the variable on
# import, so it is set before any of our modules imports it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
