"""The memory of a child that lives for months: little of it is looked through again, what is free goes back."""

from __future__ import annotations

import ctypes
import gc


def spare_the_heap() -> None:
    """What lives as long as the process is looked through for garbage once, now, and not again with every check."""
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """To the system, what a config took while it was read: by itself glibc keeps what is free between what lives on."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # other C libraries have none
        trim(0)
