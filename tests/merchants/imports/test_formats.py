"""The same rows in another wrapping are the same rows; and what a strict load leaves behind."""

from __future__ import annotations

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from core.errors import NotAllowed
from merchants.imports.escapes import escape, unescape
from merchants.imports.rejected import write_csv
from merchants.models import Import, Rate, RejectedRow, Settlement
from merchants.services import load_feed
from merchants.states import ImportState
from tests.merchants.imports.feeds import ACTOR, GOOD, KINDS, Feeds, counts, errors
from tests.people import actor


def pack(path: Path) -> Path:
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def as_workbook(path: Path, kind: str) -> Path:
    """The good row as people keep it in a spreadsheet: numbers, dates, moments and flags in cells of their type."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*GOOD[kind], None])
    sheet.append([])
    sheet.append([_typed(text) for text in GOOD[kind].values()])
    book.create_sheet("notes").append(["not", "read"])
    book.save(path)
    return path


def _typed(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(Decimal(text))
    except ArithmeticError:
        pass
    try:
        # A cell has no time zone: it is read in the platform's, which is the rows' own.
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return text
    return moment if "T" in text else moment.date()


@pytest.mark.parametrize("kind", KINDS)
def test_csv_gzip_and_xlsx_hold_the_same_rows(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    assert counts(feeds.load(kind)) == (1, 0, 0, 0)
    plain = max(feeds.folder.glob(f"*-{kind}.csv"))
    for path in (pack(plain), as_workbook(feeds.folder / "book.xlsx", kind)):
        loaded = load_feed(actor=ACTOR, kind=kind, path=path)
        assert (errors(loaded), counts(loaded)) == ([], (0, 1, 0, 0)), path.name


@pytest.mark.parametrize("shown", ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "General"])
def test_a_real_date_is_what_its_column_holds_however_it_is_shown(feeds: Feeds, shown: str) -> None:
    """Whoever writes a workbook by program gives every date a time of day, and people hide midnight's."""
    feeds.world(until="stock")
    midnight = datetime(2026, 2, 1)  # noqa: DTZ001 - a cell has no time zone
    for kind, column in (("fx", "rate_date"), ("settlements", "settled_at")):
        row = {**GOOD[kind], column: midnight}
        if kind == "settlements":
            row = {**row, "line_code": "L-X", "ordered_at": datetime(2026, 1, 30)}  # noqa: DTZ001
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(list(row))
        sheet.append(list(row.values()))
        for cell in sheet[2]:
            if isinstance(cell.value, datetime) and shown != "General":
                cell.number_format = shown
        book.save(feeds.folder / f"{kind}.xlsx")
        loaded = load_feed(actor=ACTOR, kind=kind, path=feeds.folder / f"{kind}.xlsx")
        assert (errors(loaded), counts(loaded)) == ([], (1, 0, 0, 0))
    assert Rate.objects.filter(rate_date=midnight.date()).exists()
    # The platform's midnight.
    assert Settlement.objects.get(line_code="L-X").settled_at.isoformat() == "2026-01-31T16:00:00+00:00"


def test_an_import_says_what_it_did(feeds: Feeds) -> None:
    path = feeds.folder / "rates.csv"
    path.write_text("rate_date,currency,rate,note\n2026-01-01,EUR,8.1,\n2026-01-01,EUR,8.1,\n2026-01-01,EUR,9,\n")
    told: list[int] = []
    loaded = load_feed(
        actor=actor("olga"), kind="fx", path=path, file_name="from the browser.csv", progress=told.append
    )
    loaded = Import.objects.get(pk=loaded.pk)
    assert loaded.state == ImportState.LANDED
    assert (loaded.rows, *counts(loaded)) == (3, 1, 1, 0, 1)
    assert (loaded.file_name, loaded.size, loaded.actor) == (
        "from the browser.csv",
        path.stat().st_size,
        loaded.batch and loaded.batch.actor,
    )
    assert loaded.actor is not None
    assert loaded.actor.email == "olga@example.com"
    assert len(loaded.sha256) == 64
    assert (loaded.columns, loaded.ignored_columns) == (["rate_date", "currency", "rate", "note"], ["note"])
    assert loaded.finished_at is not None
    assert told == [3]


@pytest.mark.django_db
def test_partners_load_nothing(tmp_path: Path) -> None:
    for name in ("alice", "omar"):
        with pytest.raises(NotAllowed):
            load_feed(actor=actor(name), kind="fx", path=tmp_path / "none.csv")


def test_a_strict_load_records_nothing_but_what_was_wrong(feeds: Feeds) -> None:
    feeds.world(until="fx")
    good, bad = GOOD["fx"], {**GOOD["fx"], "currency": "EURO"}
    again = {**GOOD["fx"], "rate": "9"}
    loaded = feeds.load("fx", good, bad, again, strict=True)
    assert (loaded.state, loaded.batch) == (ImportState.REFUSED, None)
    assert (loaded.rows, *counts(loaded)) == (3, 0, 0, 0, 2)
    assert errors(loaded) == [(3, "currency", "malformed"), (4, "rate", "forbidden_repeat")]
    assert not Rate.objects.exists()
    assert counts(feeds.load("fx", good, strict=True)) == (1, 0, 0, 0)


def test_keys_that_come_twice_among_many_lines(feeds: Feeds) -> None:
    """The quick way for new lines gives up where a key comes twice, and takes back what it had put in."""
    feeds.world(until="stock")
    rows = [
        {**GOOD["settlements"], "line_code": f"N-{number % 7}", "order_code": f"O-{number}"} for number in range(10)
    ]
    loaded = feeds.load("settlements", *rows, rows[0], GOOD["settlements"])
    assert counts(loaded) == (7, 2, 0, 3)
    assert [(line, column) for line, column, _ in errors(loaded)] == [
        (9, "order_code"),
        (10, "order_code"),
        (11, "order_code"),
    ]
    assert sorted(Settlement.objects.values_list("line_code", "order_code")) == [
        ("LINE-1", "O-1"),
        *((f"N-{number}", f"O-{number}") for number in range(7)),
    ]


def test_rejected_rows_can_be_mended_and_loaded_again(feeds: Feeds) -> None:
    feeds.world(until="partners")
    path = feeds.folder / "partners.csv"
    path.write_text(
        "partner_code,name,category,note\n"
        '=A,"=cmd(""x"")",?,-5\n'
        '-B,"quoted, and ""so"" on",?,\'=kept\n'
        "C,too,few\n"
        "D,one,too,many,cells\n"
        "E,good,erp,\n",
        encoding="utf-8",
    )
    first = load_feed(actor=ACTOR, kind="partners", path=path)
    assert counts(first) == (1, 0, 0, 4)

    handed_out = feeds.folder / "rejected.csv"
    with handed_out.open("w", encoding="utf-8-sig", newline="") as file:
        assert write_csv(first, file) == 4
    text = handed_out.read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "partner_code,name,category,note,error_line,error_column,error_code,error_message"
    assert lines[1].startswith('\'=A,"\'=cmd(""x"")",?,-5,2,partner_code category,malformed malformed,')
    assert lines[2].startswith('\'-B,"quoted, and ""so"" on",?,\'\'=kept,3,category,malformed,')
    assert lines[3].startswith("C,too,few,4,")
    assert lines[4].startswith("D,one,too,many,cells,5,")

    # As it is, it is rejected again, with the same cells.
    second = load_feed(actor=ACTOR, kind="partners", path=handed_out)
    assert counts(second) == (0, 0, 0, 4)
    own = ("partner_code", "name", "category", "note")
    kept = [
        [
            [row.cells.get(name) for name in own]
            for row in RejectedRow.objects.filter(import_of=each, line__lte=3, column="category")
        ]
        for each in (first, second)
    ]
    assert kept[0] == kept[1] == [["=A", '=cmd("x")', "?", "-5"], ["-B", 'quoted, and "so" on', "?", "'=kept"]]

    # Mended in its place, it lands; the columns about errors are unknown ones.
    mended = text.replace("?", "erp").replace("'=A", "A").replace("C,too,few,", "C,too few,erp,,")
    handed_out.write_text(mended.replace("D,one,too,many,cells,", '"D","one, too many",erp,,'), encoding="utf-8")
    third = load_feed(actor=ACTOR, kind="partners", path=handed_out)
    assert (errors(third), counts(third)) == ([], (4, 0, 0, 0))
    assert third.ignored_columns == ["note", "error_line", "error_column", "error_code", "error_message"]
    from partners.models import Partner

    names = dict(Partner.objects.values_list("code", "name"))
    assert names["A"] == '=cmd("x")'
    assert names["-B"] == 'quoted, and "so" on'


@pytest.mark.parametrize(
    ("cell", "escaped"),
    [
        ("=1", "'=1"),
        ("+1", "+1"),
        ("-1.50", "-1.50"),
        ("-x", "'-x"),
        ("@a", "'@a"),
        ("'=1", "''=1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_only_formulas_are_escaped(cell: str, escaped: str) -> None:
    assert escape(cell) == escaped
    assert unescape(escaped) == cell
