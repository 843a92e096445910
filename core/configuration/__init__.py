"""Reads the environment, and builds Django's settings from it."""
