"""Registration numbers as typed into the form: check digits where the country's register gives them. All invented."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.entrants import problems
from merchants.registration_numbers import REGISTERS, Fault, fault
from tests.merchants.invites import ENTRANT, NUMBERS

GOOD = {
    # The first is the example of GB 32100 itself.
    "CN": ("91350100M000100Y43", *NUMBERS, NUMBERS[0].lower(), f" {NUMBERS[1][:8]} {NUMBERS[1][8:]}"),
    "JP": ("8000000000042", "8-0000-0000-0042"),
    "FR": ("999 999 998", "999 999 998 00019"),
    "ES": ("B99999997", "b-9999999-7"),
    "BR": ("99.999.999/0001-91", "99ZZZ99900A122"),
    "SG": ("199900001G", "99999999X"),
    "IT": ("99999990015", "MI-1234567"),
    "PL": ("999999990", "0000123456"),
    # No check digits there: as typed.
    "HK": ("1234567", "INV-0001"),
    "DE": ("HRB 99123",),
    "US": ("12-3456789",),
    "VN": ("anything",),
}
# The last sign changed, or two neighbours swapped: what typing does.
MISTYPED = {
    "CN": ("91350100M000100Y44", "91350100M001000Y43"),
    "JP": ("8000000000043", "8000000000024"),
    "FR": ("999999997", "99999999800018"),
    "ES": ("B99999996",),
    "BR": ("99.999.999/0001-92",),
    "SG": ("199900001H",),
    "IT": ("99999990016",),
    "PL": ("999999991",),
}
OTHER_FORM = {
    "CN": ("INV-1", "91350100M000100Y4", "440301103000001"),
    "JP": ("800000000004",),
    "FR": ("Paris 12",),
    "ES": ("INV-1",),
    "BR": ("1234",),
    "SG": ("12",),
}


def each(numbers: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(country, number) for country, some in numbers.items() for number in some]


@pytest.mark.parametrize(("country", "number"), each(GOOD))
def test_a_number_that_can_be_one(country: str, number: str) -> None:
    assert fault(country, number) is None


@pytest.mark.parametrize(("country", "number"), each(MISTYPED))
def test_a_typing_error_is_seen(country: str, number: str) -> None:
    assert fault(country, number) is Fault.CHECK_DIGIT


@pytest.mark.parametrize(("country", "number"), each(OTHER_FORM))
def test_another_form_is_seen_where_a_country_has_only_one(country: str, number: str) -> None:
    assert fault(country, number) is Fault.FORM


def test_each_register_is_looked_at() -> None:
    assert set(REGISTERS) == set(MISTYPED)
    assert {country for country, register in REGISTERS.items() if register.form} == set(OTHER_FORM)


def test_any_one_wrong_sign_of_a_chinese_number_is_seen() -> None:
    for number in GOOD["CN"][:3]:
        for place, sign in enumerate(number):
            changed = number[:place] + ("8" if sign != "8" else "9") + number[place + 1 :]
            assert fault("CN", changed), changed


@given(country=st.sampled_from([*REGISTERS, "HK", "XX", ""]), number=st.text(max_size=24))
def test_whatever_is_typed_gets_an_answer(country: str, number: str) -> None:
    assert fault(country, number) in (None, *Fault)


def test_a_merchant_is_told_what_to_do() -> None:
    def said(country: str, number: str) -> str:
        return problems(replace(ENTRANT, country=country, registration_no=number), ["DE"])["registration_no"]

    assert "check digit doesn't fit" in said("CN", MISTYPED["CN"][0])
    assert said("CN", "INV-1") == "This is no such number: enter the 18 signs of the unified social credit code."
    assert "the 13 digits of the corporate number" in said("JP", "12")
