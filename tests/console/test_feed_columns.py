"""A feed's file with headings of its own: each is said to be a column of the feed before anything lands."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import openpyxl
import pytest
from django.test import Client

from core.models import AuditEvent
from merchants.imports.headings import as_said, guess
from merchants.imports.kinds import KINDS
from merchants.models import FeedUpload, Import, Rate
from merchants.services import carry_out_upload
from merchants.states import FeedKind
from tests.console.feeds import RATES, STRANGE, hand_in
from tests.console.reading import text
from tests.incentives.factories import World

SignIn = Callable[..., Client]


def choose(client: Client, upload: FeedUpload, *columns: str) -> str:
    """Say what each heading is, and read what the page then says."""
    said = {f"column-{place}": column for place, column in enumerate(columns)}
    return text(client.post(f"/operator/feeds/uploads/{upload.pk}/columns", said, follow=True))


def load(client: Client, upload: FeedUpload) -> Import:
    client.post(f"/operator/feeds/uploads/{upload.pk}/load")
    loaded = carry_out_upload(upload_id=upload.pk)
    assert loaded is not None
    return loaded


def test_other_words_in_another_order_are_mapped_seen_and_loaded(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    before = Rate.objects.count()
    upload = hand_in(olga, STRANGE, name="bank.csv")
    page = olga.get(f"/operator/feeds/uploads/{upload.pk}")
    said = text(page)
    assert "Missing: the feed needs them rate_date currency rate" in said
    assert "Load 2 rows" not in said
    headings = page.context["headings"]
    assert [(one.text, one.column, one.likely) for one in headings] == [
        ("Branch", "", False),
        ("币种", "currency", True),
        ("Middle rate", "", False),
        ("日期", "rate_date", True),
    ]
    assert headings[2].samples == ("8.19", "0.048")
    assert headings[0].samples == ("Berlin",)

    said = choose(olga, upload, "", "currency", "rate", "rate_date")
    assert "bank.csv is read by the columns that you chose." in said
    assert "2 rows were checked, and all are fine. Nothing is recorded yet." in said
    assert Rate.objects.count() == before

    loaded = load(olga, upload)
    assert (loaded.new, loaded.rejected) == (2, 0)
    assert Rate.objects.get(currency="JPY", rate_date="2026-01-21").rate == Decimal("0.048")
    pairs = [["Branch", ""], ["币种", "currency"], ["Middle rate", "rate"], ["日期", "rate_date"]]
    assert loaded.mapping == pairs
    said = text(olga.get(f"/operator/feeds/{loaded.pk}"))
    assert "How its columns were read" in said
    assert "Middle rate rate 日期 rate_date" in said
    assert olga.get(f"/api/v1/operator/imports/{loaded.pk}").json()["mapping"] == pairs
    event = AuditEvent.objects.get(action="feed_upload.mapped")
    assert event.details["columns"] == ["", "currency", "rate", "rate_date"]


def test_a_column_that_has_the_feeds_name_and_isnt_it_can_be_left_out(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, "rate_date,currency,rate,true rate\n2026-01-21,EUR,1,8.19\n2026-01-22,EUR,1,0\n")
    said = choose(olga, upload, "rate_date", "currency", "", "rate")
    assert "Of the 2 rows that were checked, 1 would be set aside." in said
    loaded = load(olga, upload)
    assert (loaded.new, loaded.rejected) == (1, 1)
    assert Rate.objects.get(currency="EUR", rate_date="2026-01-21").rate == Decimal("8.19")
    # The file to mend has the feed's names, so that it loads as it is.
    taken = b"".join(olga.get(f"/operator/feeds/{loaded.pk}/rejected.csv")).decode("utf-8-sig")
    assert taken.startswith("rate_date,currency,(rate),rate,error_line")
    again = hand_in(olga, taken.replace("2026-01-22,EUR,1,0", "2026-01-22,EUR,1,8.2"), name="mended.csv")
    assert (again.preview["rejected"], again.preview["new"]) == (0, 1)


def test_a_workbooks_dates_are_dates_under_another_heading(world: World, sign_in: SignIn) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Tag", "currency", "rate"])
    sheet.append([datetime(2026, 1, 21), "EUR", "8.19"])  # noqa: DTZ001 - a workbook knows no zone
    content = io.BytesIO()
    book.save(content)
    olga = sign_in("olga")
    upload = hand_in(olga, content.getvalue(), name="rates.xlsx")
    assert "1 row was checked, and it is fine." in choose(olga, upload, "rate_date", "currency", "rate")
    assert load(olga, upload).new == 1
    assert Rate.objects.filter(currency="EUR", rate_date="2026-01-21").exists()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (("rate", "currency", "rate", "rate_date"), "Both “Branch” and “Middle rate” are to be rate"),
        (("colour", "currency", "rate", "rate_date"), "The feed has no column colour."),
        (("", "currency", "", "rate_date"), "The file can't be loaded yet: it has no column rate"),
    ],
)
def test_what_cant_be_is_said(world: World, sign_in: SignIn, columns: tuple[str, ...], words: str) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, STRANGE)
    assert words in choose(olga, upload, *columns)
    olga.post(f"/operator/feeds/uploads/{upload.pk}/load")
    assert carry_out_upload(upload_id=upload.pk) is None


def test_saying_what_the_headings_say_themselves_maps_nothing(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    choose(olga, upload, "rate_date", "currency", "rate", "")
    upload.refresh_from_db()
    assert upload.mapping == []


def test_whoever_may_not_load_feeds_maps_none(world: World, sign_in: SignIn) -> None:
    upload = hand_in(sign_in("olga"), STRANGE)
    omar = sign_in("omar")
    assert "Look again with these columns" not in text(omar.get(f"/operator/feeds/uploads/{upload.pk}"))
    assert "Your role doesn't allow" in choose(omar, upload, "", "currency", "rate", "rate_date")
    upload.refresh_from_db()
    assert upload.mapping == []
    address = f"/operator/feeds/uploads/{upload.pk}/columns"
    assert {sign_in(name).post(address).status_code for name in ("alice", "charlie")} == {404}


def test_what_is_loaded_already_is_mapped_no_more(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    load(olga, upload)
    olga.post(f"/operator/feeds/uploads/{upload.pk}/columns", {"column-0": "rate"})
    upload.refresh_from_db()
    assert upload.mapping == []


@pytest.mark.parametrize("kind", list(FeedKind))
def test_of_the_feeds_own_headings_none_is_taken_for_another(kind: FeedKind) -> None:
    own = [column.name for column in KINDS[kind].columns]
    assert guess(KINDS[kind], own) == own
    spaced = [name.replace("_", " ").title() for name in own]
    assert guess(KINDS[kind], spaced) == own
    assert guess(KINDS[kind], [*own, "something else"]) == [*own, ""]


def test_two_headings_that_may_both_be_a_column_are_left_to_the_reader() -> None:
    assert guess(KINDS[FeedKind.FX], ["汇率", "fx rate", "币种"]) == ["", "", "currency"]
    assert as_said(KINDS[FeedKind.FX], [["rate", ""], ["(rate)", ""], ["x", "rate"]]) == {
        "rate": "((rate))",
        "(rate)": "(rate)",
        "x": "rate",
    }
