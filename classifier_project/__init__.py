"""Settings, addresses and the server of the service."""

__version__ = "0.1.0"
