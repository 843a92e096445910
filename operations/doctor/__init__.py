"""Looks at everything the service stands on, and says what to do about what it finds."""
