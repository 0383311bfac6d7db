"""What a child frees goes back to the system, also from between things that live on."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from nines.daemon.heap import give_back

KEPT_EVERY = 64
PIECE = bytes(2_000)  # larger than what Python's own allocator takes: glibc's


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library gives nothing back")
def test_what_is_free_between_what_lives_on_goes_back_to_the_system() -> None:
    pieces = [PIECE + number.to_bytes(4, "big") for number in range(25_000)]
    kept = pieces[::KEPT_EVERY]
    del pieces
    before_mb = resident_mb()
    give_back()
    assert resident_mb() < before_mb - 20
    assert len(kept) == 25_000 // KEPT_EVERY + 1
