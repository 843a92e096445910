"""Parsers of each format's container, without decoding, in a bounded number of steps."""
