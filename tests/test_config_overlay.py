"""Other terms laid over a contract: the present ones change nothing, others change what they say and no more."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.bodies import contract_of, resolved
from config.calc import OPTION_PATHS
from config.contract import Contract
from config.overlay import option_terms, terms_like, under
from sla.facts import Definition

VALUES: dict[str, list[str]] = {
    "maintenance": ["exclude", "count_up", "ignore"],
    "exclusions": ["exclude", "count_up"],
    "unknown": ["exclude", "up", "down"],
    "min_coverage": ["90 %", "95 %"],
    "outage_start": ["first_failure", "midpoint"],
    "min_outage": ["none", ">= 60 s"],
    "merge_gap": ["0 s", "5 min"],
    "degraded": ["up", "0.5"],
    "before_first_check": ["unknown", "not_contracted"],
    "partial_period": ["prorate", "counts_up"],
    "base": ["actual", "730 h"],
    "quorum_of": ["all", "voting"],
    "rounding": ["half_up", "half_even"],
    "digits": ["3", "5"],
}
options = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
targets = st.sampled_from(["99", "99.9", "99.95"])
fees = st.sampled_from(["100.00 EUR", "2500.00 EUR"])
tables = st.sampled_from([{"< 99.95": "10 %"}, {"< 99.95": "5 %", "< 99": "25 %"}])


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    more = {"target": draw(targets), "fee": draw(fees), "credits": draw(tables)}
    return {**option_terms(draw(options)), **{key: more[key] for key in draw(st.sets(st.sampled_from(sorted(more))))}}


def body(terms: dict[str, Any]) -> dict[str, Any]:
    basic = {"client": "c", "services": "s", "from": "2026-01-01"}
    contract = Contract.model_validate({**basic, **terms, "id": "k"}, by_alias=True, by_name=False)
    return resolved(contract, plan=None, tz="UTC", currency="EUR")


@given(written())
def test_the_present_terms_laid_over_a_contract_leave_it_as_it_is(terms: dict[str, Any]) -> None:
    assert under(body(terms), terms_like(terms)) == body(terms)


@given(written(), written())
def test_terms_laid_over_a_contract_say_what_they_would_say_in_it(agreed: dict[str, Any], laid: dict[str, Any]) -> None:
    both = {
        key: {**agreed.get(key, {}), **value} if isinstance(value, dict) and key != "credits" else value
        for key, value in laid.items()
    }
    assert read(under(body(agreed), terms_like(laid))) == read(body({**agreed, **both}))


def read(stored: dict[str, Any]) -> Any:
    return contract_of([Definition("contract", "k", 0, stored)], None).versions


def test_every_option_that_can_be_laid_over_is_tried() -> None:
    assert set(VALUES) < set(OPTION_PATHS)
