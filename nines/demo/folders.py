"""Where the demo writes: its papers into `--out`, the rest beside them (`--keep`) or into a folder that goes away."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = ".made-by-nines-demo"  # a folder without it is not ours to empty


class ForeignFolder(Exception):
    """The demo would have to empty a folder that it did not make."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: exists and was not made by nines demo; choose another folder with --out")


@dataclass(frozen=True, slots=True)
class Folders:
    """`out` keeps what a person looks at afterwards; `live` and `sample` hold each act's config and ledger."""

    out: Path
    live: Path
    sample: Path


@contextlib.contextmanager
def folders(out: Path, *, keep: bool) -> Iterator[Folders]:
    """Empty folders for one run. Raises ForeignFolder where emptying would destroy what is not ours."""
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as ends:
        if keep:
            base = out.resolve()
        else:
            base = Path(
                ends.enter_context(tempfile.TemporaryDirectory(prefix="nines-demo-", ignore_cleanup_errors=True))
            )
        yield Folders(out=out, live=_emptied(base / "live"), sample=_emptied(base / "sample"))


def _emptied(folder: Path) -> Path:
    if folder.exists():
        if not (folder / MARK).exists():
            raise ForeignFolder(folder)
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    (folder / MARK).touch()
    return folder
