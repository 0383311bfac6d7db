"""Programs of others see neither the ledger nor the credentials: Linux's Landlock, which needs no privilege.

A Landlock domain holds for a thread and what it starts. So one thread of ours goes into it, once, and starts every
command from there: `Popen` as ever, nothing between fork and exec, and no launcher. Inside, whatever lies in a hidden
folder can be neither read nor written, our own processes can be neither traced nor (Linux 6.12) signalled.

Landlock knows only what is allowed, with all that lies beneath. Allowed is therefore everything beside the way to a
hidden folder, as it stood when the thread began.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import logging
import os
import queue
import stat
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

log = logging.getLogger("nines.probe")

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # by version of Landlock
_OF_A_FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # execute, write, read, truncate, ioctl
_SCOPE_SIGNAL = 1 << 1
_SCOPED_FROM = 6
_NO_NEW_PRIVS = 38  # prctl
Answer = TypeVar("Answer")
_Call = Callable[[OSError | None], None]  # told why it must not be made, where that is so


class Confined:
    """Calls functions in a thread that sees nothing of the hidden folders, nor does any process that it starts.

    With nothing to hide, or on a kernel without Landlock (said once), they are called as they are.
    """

    def __init__(self, hidden: Iterable[Path] = ()) -> None:
        self._hidden: tuple[Path, ...] = ()
        self._programs: frozenset[Path] = frozenset()
        self._calls: queue.SimpleQueue[_Call | None] | None = None
        self._told = False  # that nothing can be hidden
        self.hide(hidden)

    def hide(self, folders: Iterable[Path]) -> None:
        """These as well, from the next call on; what is hidden stays so."""
        hidden = tuple(sorted({*self._hidden, *(path.resolve() for path in folders)}))
        if hidden != self._hidden:
            self.close()
            self._hidden = hidden

    def call(self, function: Callable[[], Answer], *, program: Path) -> Future[Answer]:
        """What the function gives or raises. `program` may be read, also where it lies in a hidden folder."""
        answer: Future[Answer] = Future()
        if not self._hidden or rights() is None:
            self._say_unconfined()
            _answer(answer, function)
            return answer
        if self._calls is None or not self._may_run(program):
            self._begin_with(program)
        assert self._calls is not None
        self._calls.put(lambda refusal: _answer(answer, function, refusal))
        return answer

    def close(self) -> None:
        """The thread ends when what was asked of it is done."""
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None

    def _say_unconfined(self) -> None:
        if self._hidden and not self._told:
            log.warning(
                "this kernel has no Landlock: commands may read what the service's user may, the ledger included"
            )
            self._told = True

    def _may_run(self, program: Path) -> bool:
        return program in self._programs or not any(program.resolve().is_relative_to(path) for path in self._hidden)

    def _begin_with(self, program: Path) -> None:
        """A domain can only become narrower: for a program more there is a new thread."""
        self.close()
        if not self._may_run(program):
            self._programs |= {program}
        calls = self._calls = queue.SimpleQueue()
        work = threading.Thread(target=_work, args=(calls, self._hidden, self._programs), name="commands", daemon=True)
        work.start()


def _answer(answer: Future[Answer], function: Callable[[], Answer], refusal: OSError | None = None) -> None:
    try:
        if refusal is not None:
            raise refusal
        answer.set_result(function())
    except BaseException as error:
        answer.set_exception(error)


def _work(calls: queue.SimpleQueue[_Call | None], hidden: tuple[Path, ...], programs: frozenset[Path]) -> None:
    """Whoever cannot be confined starts nothing: each call gets the reason."""
    refusal: OSError | None = None
    try:
        confine(hidden, programs)
    except OSError as error:
        refusal = error
    while (call := calls.get()) is not None:
        call(refusal)


def rights() -> int | None:
    """The rights that this kernel's Landlock knows, as bits; None where it has none."""
    version = landlock_version()
    return _RIGHTS[max(known for known in _RIGHTS if known <= version)] if version else None


@functools.cache
def landlock_version() -> int:
    """0 where this kernel has none, or does not use it."""
    return max(int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))), 0)


@functools.cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def confine(hidden: Iterable[Path], programs: Iterable[Path] = ()) -> None:
    """Take this thread, and what it starts from now on, out of the hidden folders for good. Raises OSError."""
    known, version = rights(), landlock_version()
    assert known is not None
    attributes = struct.pack("=QQQ", known, 0, _SCOPE_SIGNAL if version >= _SCOPED_FROM else 0)
    size = 24 if version >= _SCOPED_FROM else 8
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path in (*_beside(tuple(hidden)), *programs):
            _allow(ruleset, path, known)
        if _libc().syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)) == 0:
            return
        if ctypes.get_errno() != errno.EPERM:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
        _libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)  # who has no privilege may confine only what can gain none
        _call(_RESTRICT, ruleset, ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _call(number: int, *arguments: Any) -> int:
    found = _libc().syscall(number, *arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(found)


def _allow(ruleset: int, path: Path, known: int) -> None:
    """What is gone meanwhile, or may not be opened by us, needs no rule."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            allowed = known if stat.S_ISDIR(os.fstat(handle).st_mode) else known & _OF_A_FILE
            _call(_ADD, ruleset, ctypes.c_int(_PATH_BENEATH), struct.pack("=Qi", allowed, handle), ctypes.c_uint32(0))
        finally:
            os.close(handle)


def _beside(hidden: tuple[Path, ...], folder: Path = Path("/")) -> Iterator[Path]:
    """Everything that is neither hidden nor on the way to it, as the fewest paths."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for path in (folder / name for name in names):
        if path in hidden or path.is_symlink():  # a link is followed to where it leads, and allowed there or not
            continue
        if any(one.is_relative_to(path) for one in hidden):
            yield from _beside(hidden, path)
        else:
            yield path
