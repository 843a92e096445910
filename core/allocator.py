"""Tunes how glibc returns memory to the system."""

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE_BYTES = 1024 * 1024
# How much free memory a heap keeps at its end.
SPARE_BYTES = 2 * LARGE_BYTES


def return_large_blocks() -> None:
    """Have blocks of LARGE_BYTES or more returned to the system as soon as they are freed.

    By default, glibc raises the threshold up to 32 MB when such blocks are freed. Uploads are then
    allocated in the heaps of dozens of threads, between blocks that stay: after 64 photos of 8 MB a
    worker kept 1 GB; with this setting, 200 MB. Smaller blocks, such as the photos that apps are
    told to send, stay in the heaps: new pages from the system cost more than hashing the photo.
    Other C libraries have no such setting, or do not need it.
    """
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
