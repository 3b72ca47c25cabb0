"""Every row error of the contract, at the column where it is, and nothing of the row recorded."""

from __future__ import annotations

import pytest
from django.utils import translation

from merchants.imports.faults import RowError
from merchants.imports.kinds import KINDS
from merchants.services import load_feed
from merchants.states import FeedKind
from tests.merchants.imports.feeds import ACTOR, GOOD, Feeds, Row, counts, errors

FUTURE = "2999-01-01T00:00:00Z"

# kind, what is wrong with the good row, column, code
CASES: list[tuple[str, Row, str, str]] = [
    ("partners", {"partner_code": "P 2"}, "partner_code", "malformed"),
    ("partners", {"partner_code": "P" * 65}, "partner_code", "malformed"),
    ("partners", {"partner_code": "P-é"}, "partner_code", "malformed"),
    ("partners", {"category": "Logistics"}, "category", "malformed"),
    ("partners", {"name": "x" * 256}, "name", "malformed"),
    ("partners", {"country": "XX"}, "country", "malformed"),
    ("partners", {"commitment": "-1"}, "commitment", "malformed"),
    ("partners", {"commitment": "2147483648"}, "commitment", "malformed"),
    ("partners", {"commitment": "1.5"}, "commitment", "malformed"),
    ("partners", {"contact_email": "nobody"}, "contact_email", "malformed"),
    ("partners", {"certified_from": "2026-02-29"}, "certified_from", "malformed"),
    ("partners", {"certified_from": "01/02/2026"}, "certified_from", "malformed"),
    ("partners", {"certified_from": ""}, "certified_from", "missing"),
    ("partners", {"certified_until": "2024-12-31"}, "certified_until", "period"),
    ("partners", {"name": "Zero\u200bwidth"}, "name", "characters"),
    ("partners", {"name": "Turned\u202eround"}, "name", "characters"),
    ("partners", {"name": "Control\x07bell"}, "name", "characters"),
    ("partners", {"name": "two\nlines"}, "name", "characters"),
    ("partners", {"partner_code": "P\u200b2"}, "partner_code", "characters"),
    ("targets", {"program": "NONE"}, "program", "unknown_reference"),
    ("targets", {"partner_code": "p-1"}, "partner_code", "unknown_reference"),
    ("targets", {"country": ""}, "country", "missing"),
    ("targets", {"registration_no": "", "brand": ""}, "registration_no", "names_nobody"),
    ("targets", {"registration_no": "", "brand": "No  Brand"}, "registration_no", "names_nobody"),
    ("targets", {"registration_no": "", "brand": "无品牌"}, "registration_no", "names_nobody"),
    ("targets", {"registration_no": " - "}, "registration_no", "malformed"),
    ("targets", {"partner_code": ""}, "partner_code", "track_partner"),
    ("targets", {"track": "target"}, "partner_code", "track_partner"),
    ("targets", {"delisted_on": "2026-01-01"}, "delisted_on", "period"),
    ("targets", {"review": "open"}, "review", "malformed"),
    ("invites", {"target_code": "T-9"}, "target_code", "unknown_reference"),
    ("invites", {"program": ""}, "program", "missing"),
    ("invites", {"expires_at": "2026-01-01T00:00:00+08:00"}, "expires_at", "period"),
    ("invites", {"revoked_at": "2025-12-31T23:59:59+08:00"}, "revoked_at", "order_of_times"),
    ("invites", {"starts_at": "2026-01-01"}, "starts_at", "malformed"),
    ("claims", {"target_code": "T-9"}, "target_code", "unknown_reference"),
    ("claims", {"partner_code": "P-9"}, "partner_code", "unknown_reference"),
    ("claims", {"expires_at": "2026-01-05T00:00:00+08:00"}, "expires_at", "period"),
    ("claims", {"status": ""}, "status", "missing"),
    ("shops", {"merchant_name": ""}, "merchant_name", "missing"),
    ("shops", {"invite_code": "L-9"}, "invite_code", "unknown_reference"),
    ("shops", {"partner_code": "P-9"}, "partner_code", "unknown_reference"),
    ("shops", {"receipt": "R-9"}, "receipt", "unknown_reference"),
    ("shops", {"certified_at": "2026-01-10T09:59:59+08:00"}, "certified_at", "order_of_times"),
    ("shops", {"certified_at": FUTURE}, "certified_at", "future"),
    ("shops", {"market": "de"}, "market", "malformed"),
    ("shop_statuses", {"shop_code": "S-9"}, "shop_code", "unknown_reference"),
    ("shop_statuses", {"status": "shut"}, "status", "malformed"),
    ("shop_statuses", {"at": FUTURE}, "at", "future"),
    ("shop_statuses", {"corrects": "yes"}, "corrects", "malformed"),
    ("settlements", {"amount": "0"}, "amount", "sign"),
    ("settlements", {"amount": "-1"}, "amount", "sign"),
    ("settlements", {"kind": "refund"}, "amount", "sign"),
    ("settlements", {"kind": "refund", "amount": "0.00"}, "amount", "sign"),
    ("settlements", {"amount": "1.00001"}, "amount", "decimals"),
    ("settlements", {"amount": "1,000.00"}, "amount", "malformed"),
    ("settlements", {"amount": "1e3"}, "amount", "malformed"),
    ("settlements", {"amount": "NaN"}, "amount", "malformed"),
    ("settlements", {"amount": "1" * 16}, "amount", "malformed"),
    ("settlements", {"currency": "eur"}, "currency", "malformed"),
    ("settlements", {"currency": "DEM"}, "currency", "malformed"),
    ("settlements", {"shop_code": "s-1"}, "shop_code", "unknown_reference"),
    ("settlements", {"settled_at": "2026-01-21T09:59:59+08:00"}, "settled_at", "order_of_times"),
    ("settlements", {"settled_at": FUTURE}, "settled_at", "future"),
    ("settlements", {"ordered_at": "2026-01-21T24:00:00+08:00"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "2026-02-30T10:00:00+08:00"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "2026-01-21T10:00:60+08:00"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "2026-01-21T10:00:00+16:00"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "2026-01-21T10:00:00.1234567Z"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "1899-12-31T10:00:00Z"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "2026-W04-3T10:00:00"}, "ordered_at", "malformed"),
    ("settlements", {"ordered_at": "yesterday"}, "ordered_at", "malformed"),
    ("settlements", {"line_code": ""}, "line_code", "missing"),
    ("stock", {"sellable": "-1"}, "sellable", "malformed"),
    ("stock", {"sellable": "1.5"}, "sellable", "malformed"),
    ("stock", {"country": "UK"}, "country", "malformed"),
    ("stock", {"observed_at": FUTURE}, "observed_at", "future"),
    ("violations", {"category": "two words"}, "category", "malformed"),
    ("violations", {"enforced_closure": "1"}, "enforced_closure", "malformed"),
    ("violations", {"penalised_at": FUTURE}, "penalised_at", "future"),
    ("violations", {"overturned_at": "2026-02-10T09:59:59+08:00"}, "overturned_at", "order_of_times"),
    ("violations", {"appealed_at": FUTURE}, "appealed_at", "future"),
    ("fx", {"rate": "0"}, "rate", "rate"),
    ("fx", {"rate": "-1"}, "rate", "rate"),
    ("fx", {"rate": "1.0000000000001"}, "rate", "decimals"),
    ("fx", {"rate": "1000000000000"}, "rate", "malformed"),
    ("fx", {"rate_date": "2999-01-01"}, "rate_date", "future"),
    ("fx", {"rate_date": "2026-1-2"}, "rate_date", "malformed"),
]

ACCEPTED: list[tuple[str, Row]] = [
    ("partners", {"certified_from": "", "certified_until": "", "commitment": "", "contact_email": ""}),
    ("partners", {"certified_until": "9999-12-31"}),
    ("targets", {"registration_no": "", "country": ""}),
    ("targets", {"brand": "", "track": "target", "partner_code": ""}),
    ("invites", {"target_code": ""}),
    ("invites", {"target_code": "", "program": ""}),
    ("invites", {"expires_at": "9999-12-31T23:59:59Z"}),
    ("shops", {"registered_at": "2999-01-01T00:00:00Z", "certified_at": ""}),
    ("settlements", {"amount": "1.50000"}),
    ("settlements", {"amount": "+1"}),
    ("settlements", {"kind": "refund", "amount": "-0.0001"}),
    ("settlements", {"ordered_at": "2026-01-21 10:00"}),
    ("settlements", {"ordered_at": "2026-01-21T10:00:00.123456+0800"}),
    ("settlements", {"ordered_at": "2024-02-29T10:00:00Z"}),
    ("settlements", {"line_code": "L" * 64}),
    ("settlements", {"amount": " 12.50\u3000"}),
    ("stock", {"sellable": "0"}),
    ("stock", {"sellable": "5.0"}),
    ("violations", {"enforced_closure": "FALSE", "appealed_at": "2026-02-01T00:00:00Z"}),
    ("fx", {"rate": "8.1908000000000000"}),
]


# What makes each of several good rows of a kind another row.
KEYS = {
    "partners": ("partner_code", "P-A{}"),
    "targets": ("target_code", "T-A{}"),
    "invites": ("invite_code", "L-A{}"),
    "shops": ("shop_code", "S-A{}"),
    "settlements": ("line_code", "LINE-A{}"),
    "stock": ("observed_at", "2026-01-22T10:00:0{}Z"),
    "violations": ("violation_code", "V-A{}"),
    "fx": ("rate_date", "2026-01-0{}"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_bad_rows_are_quarantined(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    cases = [(wrong, column, code) for name, wrong, column, code in CASES if name == kind]
    rows = [{**GOOD[kind], **wrong} for wrong, _, _ in cases]
    loaded = feeds.load(kind, *rows)
    # A cell with a line break takes two lines of the file.
    lines = [2 + sum(1 + str(row).count("\\n") for row in rows[:number]) for number in range(len(rows))]
    expected = [(line, column, code) for line, (_, column, code) in zip(lines, cases, strict=True)]
    assert errors(loaded) == expected
    assert counts(loaded) == (0, 0, 0, len(cases))
    for kept, row, (_, column, code) in zip(loaded.rejected_rows.order_by("line"), rows, cases, strict=True):
        assert column in kept.message or code == "names_nobody"
        assert kept.cells == {name: text.strip() for name, text in row.items()}
    # Mended, it lands: nothing of it was recorded.
    assert counts(feeds.load(kind)) == (1, 0, 0, 0)


@pytest.mark.parametrize("kind", KEYS)
def test_unusual_rows_are_no_bad_ones(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    column, form = KEYS[kind]
    unusual = [row for name, row in ACCEPTED if name == kind]
    rows = [{**GOOD[kind], column: form.format(number), **row} for number, row in enumerate(unusual, start=1)]
    loaded = feeds.load(kind, *rows)
    assert errors(loaded) == []
    assert counts(loaded) == (len(rows), 0, 0, 0)
    assert counts(feeds.load(kind, *rows)) == (0, len(rows), 0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_required_cell_is_missed(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    required = [column.name for column in KINDS[FeedKind(kind)].columns if column.required]
    found = errors(feeds.load(kind, *({**GOOD[kind], name: " "} for name in required)))
    for line, name in enumerate(required, start=2):
        assert (line, name, "missing") in found


def test_partner_codes_that_differ_in_case(feeds: Feeds) -> None:
    feeds.world(until="targets")
    known = {**GOOD["partners"], "partner_code": "p-1"}
    first, second = ({**GOOD["partners"], "partner_code": code} for code in ("New", "NEW"))
    bad = {**GOOD["partners"], "partner_code": "new", "category": "?"}
    loaded = feeds.load("partners", known, bad, first, second)
    # The first good spelling in the file counts.
    assert errors(loaded) == [
        (2, "partner_code", "code_case"),
        (3, "category", "malformed"),
        (5, "partner_code", "code_case"),
    ]
    assert loaded.new == 1


def test_claims_overlap(feeds: Feeds) -> None:
    feeds.world(until="claims")
    feeds.load("partners", {**GOOD["partners"], "partner_code": "P-2"})

    def claim(partner: str, first: str, last: str, status: str = "approved") -> Row:
        return {
            **GOOD["claims"],
            "partner_code": partner,
            "claimed_at": f"2026-{first}T00:00:00+08:00",
            "expires_at": f"2026-{last}T00:00:00+08:00",
            "status": status,
        }

    loaded = feeds.load(
        "claims",
        claim("P-1", "01-01", "01-31"),
        claim("P-2", "01-30", "02-20"),  # overlaps the first
        claim("P-1", "02-15", "02-28"),  # would overlap the second, which was rejected
        claim("P-2", "01-31", "02-15"),  # half-open: touches both and overlaps none
        claim("P-2", "01-10", "01-11", "pending"),
        claim("P-2", "01-10", "01-11", "approved"),  # overlaps the first
    )
    assert errors(loaded) == [(3, "claimed_at", "claim_overlap"), (7, "claimed_at", "claim_overlap")]
    assert counts(loaded) == (4, 0, 0, 2)
    # Once the first is rejected, the pending one may be approved, in one file.
    loaded = feeds.load(
        "claims", claim("P-1", "01-01", "01-31", "rejected"), claim("P-2", "01-10", "01-11", "approved")
    )
    assert (errors(loaded), counts(loaded)) == ([], (0, 0, 2, 0))


def test_cells_beside_the_header(feeds: Feeds) -> None:
    feeds.world(until="fx")
    path = feeds.folder / "shape.csv"
    path.write_text(
        "rate_date,currency,rate\n2026-01-01,EUR\n2026-01-02,EUR,8.1,9\n\n   \n2026-01-03,EUR,8.1\n,,\n",
        encoding="utf-8",
    )
    with translation.override("en"):
        loaded = load_feed(actor=ACTOR, kind="fx", path=path)
    assert errors(loaded) == [
        (2, "", "malformed"),
        (3, "", "malformed"),
        (7, "rate_date", "missing"),
        (7, "currency", "missing"),
        (7, "rate", "missing"),
    ]
    assert counts(loaded) == (1, 0, 0, 3)
    assert loaded.rows == 4
    first = loaded.rejected_rows.order_by("line")[0]
    assert "2 cells" in first.message
    assert "3" in first.message


def test_a_row_with_several_faults_counts_once(feeds: Feeds) -> None:
    feeds.world(until="settlements")
    bad = {**GOOD["settlements"], "amount": "-1.00001", "currency": "?", "settled_at": FUTURE, "line_code": "bad code"}
    loaded = feeds.load("settlements", bad, GOOD["settlements"])
    assert counts(loaded) == (1, 0, 0, 1)
    # The first fault of each column.
    assert [(column, code) for _, column, code in errors(loaded)] == [
        ("line_code", "malformed"),
        ("currency", "malformed"),
        ("amount", "sign"),
        ("settled_at", "future"),
    ]


def test_lines_are_those_of_the_file(feeds: Feeds) -> None:
    feeds.world(until="shop_statuses")
    path = feeds.folder / "lines.csv"
    path.write_bytes(
        b"shop_code,status,at,reason\r\n"
        b'S-1,open,2026-01-21T00:00:00Z,"a reason\r\nof two lines"\r\n'
        b"\r\n"
        b"S-1,shut,2026-01-21T00:00:00Z,\r\n"
    )
    loaded = load_feed(actor=ACTOR, kind="shop_statuses", path=path)
    assert errors(loaded) == [(2, "reason", "characters"), (5, "status", "malformed")]


def test_the_list_of_errors_is_closed_and_each_has_a_test() -> None:
    elsewhere = {"code_case", "claim_overlap", "forbidden_repeat", "too_often"}
    tested = {code for _, _, _, code in CASES} | elsewhere
    assert tested == set(RowError)
