"""Invented contracts written from their text and config/README.md alone (tests/contracts_own).

Their terms are of the kinds that hosters, carriers, data centres, software services and public buyers write.
Their figures were worked out by hand with fractions, before the program computed any, and are compared exactly.
"""

from pathlib import Path

import pytest
from test_contracts_published import agree

OWN = Path(__file__).parent / "contracts_own"


@pytest.mark.parametrize("path", sorted(OWN.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_contract_of_our_own_pays_what_was_worked_out_by_hand(path: Path) -> None:
    agree(path)


def test_each_contract_of_our_own_says_its_text() -> None:
    texts = [path.read_text(encoding="utf-8").split("contract:\n")[0] for path in sorted(OWN.glob("*.yaml"))]
    assert len(texts) == 20
    assert all(text.startswith("# ") and text.count(".") >= 2 for text in texts)
