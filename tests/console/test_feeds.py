"""Feeds in the admin dashboard: a file is handed in, looked at, loaded, and its bad rows mended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor, Role
from core.errors import NotAllowed
from core.models import AuditEvent, FactBatch, RoleGrant
from merchants.models import FeedUpload, Import, Rate
from merchants.services import carry_out_upload, load_feed, sweep_uploads
from merchants.states import ImportState, UploadState
from tests.console.feeds import RATES, file, hand_in, kept_files, mended
from tests.console.reading import text
from tests.incentives.factories import World, make_user

SignIn = Callable[..., Client]
Commits = Callable[..., AbstractContextManager[object]]

SYSTEM = Actor.system("tests")


def load(upload: FeedUpload) -> Import:
    """What the worker does."""
    loaded = carry_out_upload(upload_id=upload.pk)
    assert loaded is not None
    return loaded


# --- The whole way ------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_before_anything_of_it_lands(world: World, sign_in: SignIn) -> None:
    rates, batches = Rate.objects.count(), FactBatch.objects.count()
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    page = olga.get(f"/operator/feeds/uploads/{upload.pk}")
    said = text(page)
    assert "Exchange rates · rates.csv" in said
    assert "Of the 3 rows that were checked, 1 would be set aside. Nothing is recorded yet." in said
    assert "rate: 0 is not above zero; a rate is CNY for one unit." in said
    read_as = [(heading.text, heading.column) for heading in page.context["headings"]]
    assert read_as == [("rate_date", "rate_date"), ("currency", "currency"), ("rate", "rate"), ("remark", "")]
    assert "Not in the file, and not needed corrects" in said
    assert "Load 3 rows" in said
    assert (upload.preview["new"], upload.preview["rejected"], upload.total) == (2, 1, 3)
    assert upload.preview["first"][0] == [2, ["2026-01-21", "EUR", "8.19", "fixed"]]
    assert (Rate.objects.count(), FactBatch.objects.count()) == (rates, batches)
    assert not Import.objects.exists()


def test_bad_rows_are_set_aside_mended_and_loaded_again(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    said = text(olga.post(f"/operator/feeds/uploads/{upload.pk}/load", follow=True))
    assert "rates.csv is being loaded." in said
    assert "It is loaded as soon as a worker is free." in said
    first = load(upload)
    assert (first.new, first.rejected, first.actor) == (2, 1, world.olga)

    answer = olga.get(f"/operator/feeds/uploads/{upload.pk}", follow=True)
    assert answer.redirect_chain[-1][0] == f"/operator/feeds/{first.pk}"
    said = text(answer)
    assert "1 row was set aside; the others are recorded." in said
    assert "rate: 0 is not above zero; a rate is CNY for one unit." in said

    taken = olga.get(f"/operator/feeds/{first.pk}/rejected.csv")
    assert taken.headers["Content-Disposition"] == f'attachment; filename="fx-{first.pk}-rejected.csv"'
    again = hand_in(olga, mended(b"".join(taken), rate="8.21"), name="mended.csv")
    said = text(olga.get(f"/operator/feeds/uploads/{again.pk}"))
    assert "1 row was checked, and it is fine." in said
    assert "error_message" in said
    olga.post(f"/operator/feeds/uploads/{again.pk}/load")
    second = load(again)
    assert (second.new, second.rejected) == (1, 0)
    assert Rate.objects.get(currency="EUR", rate_date="2026-01-22").rate == Decimal("8.21")
    said = text(olga.get(f"/operator/feeds/{second.pk}"))
    assert "Every row is recorded." in said


def test_what_is_known_already_is_told_before_and_after(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    known = "rate_date,currency,rate\n2026-01-21,EUR,8.19\n"
    for _ in range(2):
        upload = hand_in(olga, known)
        olga.post(f"/operator/feeds/uploads/{upload.pk}/load")
        loaded = load(upload)
    assert (upload.preview["new"], upload.preview["unchanged"]) == (0, 1)
    assert "Everything in it was known already; nothing changed." in text(olga.get(f"/operator/feeds/{loaded.pk}"))


def test_of_a_long_file_the_first_rows_are_checked_and_all_are_counted(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    days = [date(2019, 1, 1) + timedelta(days=number) for number in range(2500)]
    upload = hand_in(olga, "rate_date,currency,rate\n" + "".join(f"{day},EUR,8\n" for day in days))
    assert (upload.preview["checked"], upload.preview["new"], upload.total) == (2000, 2000, 2500)
    said = text(olga.get(f"/operator/feeds/uploads/{upload.pk}"))
    assert "2,000 rows were checked, and all are fine." in said
    assert "500 further rows are checked when it is loaded." in said


def test_all_or_nothing_records_nothing_of_a_file_with_a_bad_row(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    before = Rate.objects.count()
    olga.post(f"/operator/feeds/uploads/{upload.pk}/load", {"strict": "on"})
    loaded = load(upload)
    assert loaded.state == ImportState.REFUSED
    assert Rate.objects.count() == before
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    said = text(olga.get(f"/operator/feeds/{loaded.pk}"))
    assert "1 of 3 rows are bad; nothing was recorded." in said
    assert "Take along 1 row to mend" in said


def test_a_file_that_is_done_with_is_kept_no_longer(
    world: World, sign_in: SignIn, django_capture_on_commit_callbacks: Commits
) -> None:
    olga = sign_in("olga")
    before = kept_files()
    loaded, dropped = hand_in(olga, RATES), hand_in(olga, RATES, name="other.csv")
    assert len(kept_files() - before) == 2
    olga.post(f"/operator/feeds/uploads/{loaded.pk}/load")
    with django_capture_on_commit_callbacks(execute=True):
        load(loaded)
        said = text(olga.post(f"/operator/feeds/uploads/{dropped.pk}/drop", follow=True))
    assert "Threw away other.csv. Nothing of it was recorded." in said
    assert kept_files() == before
    for upload in (loaded, dropped):
        upload.refresh_from_db()
        assert (upload.content.name, upload.preview) == ("", {})
    actions = (
        AuditEvent.objects.filter(action__startswith="feed_upload.").order_by("pk").values_list("action", flat=True)
    )
    assert sorted(actions) == [
        "feed_upload.dropped",
        "feed_upload.kept",
        "feed_upload.kept",
        "feed_upload.loaded",
        "feed_upload.queued",
    ]


# --- What can't be loaded -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.csv", "empty.csv is empty."),
        (b"rate_date,currency,rate\n", "header.csv", "has a header but no rows"),
        (b"PK\x03\x04 and nothing of a workbook", "rates.xlsx", "rates.xlsx"),
        (b"\x1f\x8b no gzip either", "rates.csv.gz", "rates.csv.gz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook", "rates.xls", "rates.xls"),
        (b'rate_date,currency,rate\n"2026-01-21,EUR,8\n', "open.csv", "never closes"),
        (b"rate,rate,currency,rate_date\n1,1,EUR,2026-01-21\n", "twice.csv", "names rate twice"),
        (b"a\x00b\n\x00\x01\n", "zeros.csv", "zeros.csv"),
    ],
)
def test_what_is_no_feed_is_refused_in_words_and_not_kept(
    world: World, sign_in: SignIn, content: bytes, name: str, words: str
) -> None:
    before = kept_files()
    answer = sign_in("olga").post("/operator/feeds/upload", {"kind": "fx", "file": file(content, name)}, follow=True)
    assert answer.status_code == 200
    said = text(answer)
    kept = FeedUpload.objects.first()
    if kept is not None:  # it could be read, and lacks the feed's columns: the page says which
        assert kept.preview["refused"]
        said = str(kept.preview["refused"])
    assert words in said
    assert (kept is not None) == bool(kept_files() - before)
    assert not Import.objects.exists()


def test_a_file_without_the_columns_is_shown_what_it_lacks_and_never_loaded(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, "shop_code,country,sellable,observed_at\nS-1,DE,3,2026-01-22\n")
    said = text(olga.get(f"/operator/feeds/uploads/{upload.pk}"))
    assert "Missing: the feed needs them rate_date currency rate" in said
    assert "Its columns are those of the feed Stock. Hand it in as that." in said
    assert "Load 1 row" not in said
    said = text(olga.post(f"/operator/feeds/uploads/{upload.pk}/load", follow=True))
    assert "needs the column rate_date, currency, rate" in said
    upload.refresh_from_db()
    assert upload.state == UploadState.KEPT


@override_settings(FEED_UPLOAD_MAX_BYTES=20)
def test_a_file_that_is_too_large_is_refused(world: World, sign_in: SignIn) -> None:
    answer = sign_in("olga").post("/operator/feeds/upload", {"kind": "fx", "file": file(RATES)}, follow=True)
    assert "rates.csv is larger than" in text(answer)
    assert not FeedUpload.objects.exists()


def test_a_name_and_cells_are_shown_as_text(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, "rate_date,currency,rate,<b>x</b>\n<script>,EUR,1,\n", name="<img src=x>.csv")
    body = olga.get(f"/operator/feeds/uploads/{upload.pk}").content.decode()
    assert "<td>&lt;script&gt;</td>" in body
    assert "&lt;b&gt;x&lt;/b&gt;" in body
    assert "<img src" not in body


# --- Who may ------------------------------------------------------------------------------------------------


def test_whoever_may_not_load_feeds_isnt_offered_it_and_is_refused(world: World, sign_in: SignIn) -> None:
    upload = hand_in(sign_in("olga"), RATES)
    omar = sign_in("omar")
    assert "Look at the file" not in text(omar.get("/operator/feeds"))
    page = text(omar.get(f"/operator/feeds/uploads/{upload.pk}"))
    assert "Your role doesn't load feeds." in page
    assert "Load 3 rows" not in page
    for step in ("load", "drop"):
        said = text(omar.post(f"/operator/feeds/uploads/{upload.pk}/{step}", follow=True))
        assert "Your role doesn't allow you" in said
    said = text(omar.post("/operator/feeds/upload", {"kind": "fx", "file": file(RATES)}, follow=True))
    assert "Your role doesn't allow you" in said
    upload.refresh_from_db()
    assert upload.state == UploadState.KEPT
    assert FeedUpload.objects.count() == 1


def test_an_auditor_reads_and_changes_nothing(world: World, sign_in: SignIn) -> None:
    upload = hand_in(sign_in("olga"), RATES)
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(make_user("ann", Role.AUDITOR))
    before = AuditEvent.objects.count()
    assert auditor.get("/operator/feeds").status_code == 200
    assert auditor.get(f"/operator/feeds/uploads/{upload.pk}").status_code == 200
    for step in ("load", "drop"):
        auditor.post(f"/operator/feeds/uploads/{upload.pk}/{step}")
    auditor.post("/operator/feeds/upload", {"kind": "fx", "file": file(RATES)})
    assert AuditEvent.objects.count() == before


def test_to_partners_there_is_nothing_there(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    waiting = hand_in(olga, RATES, name="other.csv")
    olga.post(f"/operator/feeds/uploads/{upload.pk}/load")
    loaded = load(upload)
    for name in ("alice", "charlie"):
        partner = sign_in(name)
        for page in (
            "feeds",
            "feeds.csv",
            f"feeds/{loaded.pk}",
            f"feeds/{loaded.pk}/rejected.csv",
            f"feeds/uploads/{waiting.pk}",
        ):
            assert partner.get(f"/operator/{page}").status_code == 404, page
        for step in ("load", "drop"):
            assert partner.post(f"/operator/feeds/uploads/{waiting.pk}/{step}").status_code == 404
        assert partner.post("/operator/feeds/upload", {"kind": "fx", "file": file(RATES)}).status_code == 404
    waiting.refresh_from_db()
    assert waiting.state == UploadState.KEPT
    assert FeedUpload.objects.count() == 2


def test_who_lost_the_role_in_between_has_nothing_loaded(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    olga.post(f"/operator/feeds/uploads/{upload.pk}/load")
    RoleGrant.objects.filter(user=world.olga).delete()
    assert carry_out_upload(upload_id=upload.pk) is None
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    assert upload.error == "Your role doesn't allow you to load feed."
    assert not Import.objects.exists()


# --- Twice, late, or never ----------------------------------------------------------------------------------


def test_a_file_is_loaded_once_however_often_it_is_asked_for(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    olga.post(f"/operator/feeds/uploads/{upload.pk}/load")
    said = text(olga.post(f"/operator/feeds/uploads/{upload.pk}/load", follow=True))
    assert "This was done already." in said
    load(upload)
    assert carry_out_upload(upload_id=upload.pk) is None
    said = text(olga.post(f"/operator/feeds/uploads/{upload.pk}/drop", follow=True))
    assert "can't become dropped" in said
    assert Import.objects.count() == 1


def test_the_sweep_queues_again_what_died_with_its_worker_and_gives_up_in_the_end(
    world: World, sign_in: SignIn
) -> None:
    upload = hand_in(sign_in("olga"), RATES)
    long_ago = timezone.now() - timedelta(minutes=6)
    stuck = {"state": UploadState.LOADING, "moved_at": long_ago, "asked_by": world.olga}
    FeedUpload.objects.filter(pk=upload.pk).update(**stuck, tries=1)
    assert sweep_uploads(actor=SYSTEM) == 1
    upload.refresh_from_db()
    assert upload.state == UploadState.QUEUED
    FeedUpload.objects.filter(pk=upload.pk).update(**stuck, tries=3)
    assert sweep_uploads(actor=SYSTEM) == 1
    upload.refresh_from_db()
    assert (upload.state, upload.error) == (UploadState.FAILED, "Its worker ended without a word, 3 times.")
    assert sweep_uploads(actor=SYSTEM) == 0


def test_the_sweep_leaves_alone_what_is_at_work_or_waits(world: World, sign_in: SignIn) -> None:
    upload = hand_in(sign_in("olga"), RATES)
    assert sweep_uploads(actor=SYSTEM, at=timezone.now() + timedelta(days=6)) == 0
    assert sweep_uploads(actor=SYSTEM, at=timezone.now() + timedelta(days=8)) == 1
    upload.refresh_from_db()
    assert upload.state == UploadState.DROPPED
    with pytest.raises(NotAllowed):
        sweep_uploads(actor=world.actor("omar"))


# --- The list and an import's page --------------------------------------------------------------------------


@pytest.fixture
def loaded(world: World, tmp_path: Path) -> Callable[..., Import]:
    """Loads a file as Olga."""

    def loads(content: str, *, kind: str = "fx", name: str = "rates.csv") -> Import:
        path = tmp_path / name
        path.write_text(content)
        return load_feed(actor=world.actor("olga"), kind=kind, path=path)

    return loads


def test_the_list_is_narrowed_and_sorted_by_the_address(
    world: World, sign_in: SignIn, loaded: Callable[..., Import]
) -> None:
    loaded(RATES, name="with-errors.csv")
    loaded("rate_date,currency,rate\n2026-02-01,EUR,8\n", name="clean.csv")
    omar = sign_in("omar")

    def names(query: str) -> list[str]:
        return [row.file_name for row in omar.get(f"/operator/feeds{query}").context["page"]]

    assert names("") == ["clean.csv", "with-errors.csv"]
    assert names("?sort=-rejected") == ["with-errors.csv", "clean.csv"]
    assert names("?outcome=troubled") == ["with-errors.csv"]
    assert names("?outcome=clean") == ["clean.csv"]
    assert names("?search=clean") == ["clean.csv"]
    assert names("?kind=stock") == []
    assert names(f"?who={world.omar.pk}") == []
    assert names(f"?who={world.olga.pk}&state=landed") == ["clean.csv", "with-errors.csv"]
    exported = b"".join(omar.get("/operator/feeds.csv?outcome=troubled")).decode().splitlines()
    assert exported[0].startswith("import,batch,kind,state,file_name")
    assert len(exported) == 2
    assert ",fx,landed,with-errors.csv," in exported[1]


def test_an_import_at_work_tells_how_far_it_is_and_asks_again_by_itself(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    upload = hand_in(olga, RATES)
    now = timezone.now()
    running = Import.objects.create(kind="fx", file_name="rates.csv", sha256="", size=1, started_at=now)
    FeedUpload.objects.filter(pk=upload.pk).update(
        state=UploadState.LOADING, import_of=running, tries=1, asked_by=world.olga, total=400
    )
    cache.set(f"feed-upload-{upload.pk}-1", 100, 60)
    answer = olga.get(f"/operator/feeds/uploads/{upload.pk}", follow=True)
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert "25% read: 100 of 400 rows." in text(answer)


def test_the_list_asks_the_database_as_often_for_many_imports_as_for_one(
    world: World, sign_in: SignIn, loaded: Callable[..., Import]
) -> None:
    loaded(RATES)
    olga = sign_in("olga")
    olga.get("/operator/feeds")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert olga.get("/operator/feeds").status_code == 200
        return len(queries)

    few = asked()
    for number in range(20):
        loaded(RATES, name=f"{number}.csv")
    assert asked() == few
    assert few <= 15
