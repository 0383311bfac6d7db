"""Shifts the product's one wall clock in a process started with this folder on PYTHONPATH; nothing else changes."""

import os

_shift_ms = int(os.environ.get("TEST_CLOCK_SHIFT_MS", "0"))
if _shift_ms:
    import nines.clock

    _true_now_ms = nines.clock.now_ms
    nines.clock.now_ms = lambda: _true_now_ms() + _shift_ms
