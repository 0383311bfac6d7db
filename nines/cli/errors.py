"""Which exceptions are a person's to mend, and the lines they are shown with."""

from __future__ import annotations

import errno

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def lines_for(error: Exception) -> list[str] | None:
    """One line per problem, or None where the fault is ours and the traceback should be seen."""
    from config.problems import ConfigError

    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    if isinstance(error, _mendable()):
        return [f"nines: {error}"]
    if isinstance(error, OSError) and error.filename is not None:
        return [f"nines: {error.filename}: {error.strerror}"]
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return [f"nines: the output cannot be written: {error.strerror}; free some space, or send it elsewhere"]
    return None


def _mendable() -> tuple[type[Exception], ...]:
    """Imported when something went wrong, so that a command that needs none of these rooms starts at once."""
    from config.secret import SecretError
    from ledger.errors import LedgerError
    from reporting.report.libraries import ReportError
    from reporting.statements import StatementError
    from sla.period import PeriodError

    return (LedgerError, PeriodError, StatementError, ReportError, SecretError)
