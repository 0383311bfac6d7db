"""Stored documents: any bytes come back as they were, under a short id, and never change."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from ledger_scenes import T0, new_ledger
from sqlalchemy.exc import IntegrityError

from ledger.backup import back_up
from ledger.documents import DocumentDamaged, Stored, document, documents, store_document
from ledger.store import Ledger, open_ledger

ANY = {
    "empty": b"",
    "nothing but NUL": b"\x00" * 1000,
    "text": "Grüße\r\n".encode(),
    "large": random.Random(5).randbytes(5_000_000),
}


def keep(ledger: Ledger, content: bytes, name: str = "a.pdf", subject: str = "S-1") -> Stored:
    with ledger.decide() as connection:
        return store_document(
            connection, content, kind="statement", subject=subject, name=name, media_type="application/pdf", at_ms=T0
        )


def test_any_bytes_come_back_from_the_ledger_and_from_its_backup(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        kept = {name: keep(ledger, content, name) for name, content in ANY.items()}
        backup = back_up(ledger, tmp_path / "backup.db", at_ms=T0).path
        with open_ledger(backup, at_ms=T0) as copy:
            for name, content in ANY.items():
                assert document(ledger, kept[name].id) == document(copy, kept[name].id) == (kept[name], content)


def test_a_document_has_a_short_id_its_size_and_its_hash(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        stored = keep(ledger, b"%PDF")
        assert stored.id.startswith("D-")
        assert len(stored.id) == 7
        assert (stored.size, stored.sha256) == (4, hashlib.sha256(b"%PDF").hexdigest())
        again = keep(ledger, b"%PDF")  # handed out twice: two documents
        assert again.id != stored.id
        assert document(ledger, "D-00000") is None


def test_documents_are_listed_in_their_order_by_kind_and_subject(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        first, other, last = keep(ledger, b"1"), keep(ledger, b"2", subject="S-2"), keep(ledger, b"3")
        assert list(documents(ledger)) == [first, other, last]
        assert list(documents(ledger, subject="S-1")) == [first, last]
        assert list(documents(ledger, kind="statement", subject="S-2")) == [other]
        assert list(documents(ledger, kind="mail")) == []


def test_a_document_is_never_changed_or_deleted_and_a_forged_one_is_noticed(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        stored = keep(ledger, b"%PDF")
        for forgery in ("UPDATE document SET content = x'00'", "DELETE FROM document"):
            with pytest.raises(IntegrityError, match=r"a stored document (is )?never"):
                run_raw(ledger, forgery)
        run_raw(ledger, "DROP TRIGGER document_is_not_updated")
        run_raw(ledger, "UPDATE document SET content = x'00'")
        with pytest.raises(DocumentDamaged, match=rf"nines\.db: {stored.id}: this document is no longer what was"):
            document(ledger, stored.id)


def run_raw(ledger: Ledger, sql: str) -> None:
    with ledger.decide() as connection:
        connection.exec_driver_sql(sql)
