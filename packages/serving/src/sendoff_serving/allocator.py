"""How the C library keeps memory that was freed; for the front and its workers alike."""

import sys


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to 32 MiB for the next request.

    Its first setting gives every large block back to the kernel at once and pays for each page again: for bodies
    of a mebibyte that was half of the time.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        library = ctypes.CDLL(None)
        library.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD
    except (ImportError, OSError, AttributeError):
        return  # another C library, which has its own ways
