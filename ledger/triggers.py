"""What the database itself refuses: changing the journal, a dated definition or a stored document."""

from __future__ import annotations

# A REPLACE deletes without a DELETE trigger unless recursive_triggers is on; the INSERT trigger speaks in any case.
_FIRST = (
    """CREATE TRIGGER journal_is_not_updated BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_is_one_chain BEFORE INSERT ON journal
WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
  OR NEW.prev IS NOT (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'the journal is one chain: a record follows the last one'); END""",
    """CREATE TRIGGER definition_is_not_updated BEFORE UPDATE ON definition
BEGIN SELECT RAISE(ABORT, 'a dated definition never changes'); END""",
    """CREATE TRIGGER definition_is_not_deleted BEFORE DELETE ON definition
BEGIN SELECT RAISE(ABORT, 'a dated definition is never deleted'); END""",
    """CREATE TRIGGER definition_is_not_replaced BEFORE INSERT ON definition
WHEN EXISTS (SELECT 1 FROM definition AS d WHERE d.number IS NEW.number
  OR (d.kind = NEW.kind AND d.id = NEW.id AND d.known_from_ms = NEW.known_from_ms))
BEGIN SELECT RAISE(ABORT, 'a dated definition is never replaced'); END""",
)
_YEARS_OF_HISTORY = (
    """CREATE TRIGGER journal_record_is_not_replaced BEFORE INSERT ON journal
WHEN EXISTS (SELECT 1 FROM journal AS j WHERE j.hash IS NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_body_is_only_erased BEFORE UPDATE ON journal_body
WHEN NEW.seq IS NOT OLD.seq OR OLD.body IS NULL OR NEW.body IS NOT NULL
  OR NEW.erased_ms IS NULL OR NEW.erased_reason IS NULL
BEGIN SELECT RAISE(ABORT, 'the body of a record is erased once, with reason and date, and never changed'); END""",
    """CREATE TRIGGER journal_body_is_not_deleted BEFORE DELETE ON journal_body
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_body_is_not_replaced BEFORE INSERT ON journal_body
WHEN EXISTS (SELECT 1 FROM journal_body AS b WHERE b.seq IS NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER document_is_not_updated BEFORE UPDATE ON document
BEGIN SELECT RAISE(ABORT, 'a stored document never changes'); END""",
    """CREATE TRIGGER document_is_not_deleted BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'a stored document is never deleted'); END""",
    """CREATE TRIGGER document_is_not_replaced BEFORE INSERT ON document
WHEN EXISTS (SELECT 1 FROM document AS d WHERE d.number IS NEW.number OR d.id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a stored document is never replaced'); END""",
)
_SINCE = {"0001": _FIRST, "0003": _YEARS_OF_HISTORY}  # the revision that makes them
TRIGGERS = (*_FIRST, *_YEARS_OF_HISTORY)


def triggers_of(revision: str) -> tuple[str, ...]:
    """Those that a ledger of that revision has."""
    return tuple(sql for since, made in _SINCE.items() if since <= revision for sql in made)
