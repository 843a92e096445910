"""The format of app keys.

The prefix identifies a key, so that a leaked one can be revoked without storing it, and that secret
scanners recognise it. djangorestframework-api-key was considered: it queries the table for every
request.
"""

import hashlib
import re
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
_FORMAT = re.compile(r"(pc_[0-9a-z]{8})_[0-9A-Za-z]{40}")


def generate() -> str:
    """A new key, such as pc_1a2b3c4d_ and 40 letters and digits."""
    name = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
    return f"pc_{name}_{''.join(secrets.choice(_ALPHABET) for _ in range(40))}"


def prefix_of(key: str) -> str:
    """The public part of a key; "" for anything else."""
    match = _FORMAT.fullmatch(key)
    return match[1] if match else ""


def digest(key: str) -> str:
    """The SHA-256 of a key in hexadecimal, which is what is stored."""
    return hashlib.sha256(key.encode()).hexdigest()
