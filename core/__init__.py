"""Infrastructure that is independent of photos: configuration, database, requests, logs, staff
access."""

__version__ = "0.1.0"
