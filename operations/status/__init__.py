"""The state of the whole installation: one word for the dashboard, and the status page."""
