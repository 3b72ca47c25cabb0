"""Target lists in the admin dashboard and the API: reviewed, directed, delisted; entries that look like one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import ROLE_CAPABILITIES, Capability, Role
from core.models import AuditEvent
from merchants.listing import platform_date
from merchants.models import EntryPair, TargetEntry, TargetFact
from merchants.searching import compared_name, trigram_key
from merchants.services import find_duplicates, keep_both, review_entries
from merchants.states import PairState, Review, Track
from merchants.tasks import compare_entries
from tests.console.reading import text
from tests.incentives.factories import World, batch, make_brand, make_entry, make_merchant, make_user
from tests.people import actor, person

LIST = "/operator/POP-2026Q1/lists"
API = "/api/v1/operator"


def browser(name: str) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def listed(world: World, name: str, code: str, *, review: str = Review.PENDING, brand: str = "") -> TargetEntry:
    """An entry as a feed lands it: with its fact."""
    entry = make_entry(world.program, make_merchant(name), code)
    fields = {"review": review, "merchant_name": name}
    TargetEntry.objects.filter(pk=entry.pk).update(**fields)
    landed = batch()
    TargetFact.objects.create(entry=entry, track=Track.TARGET, listed_on=entry.listed_on, review=review, batch=landed)
    if brand:
        made = TargetEntry.objects.create(
            program=world.program,
            code=f"{code}-B",
            brand=make_brand(brand),
            track=Track.TARGET,
            listed_on=date(2025, 12, 1),
            review=review,
            batch=landed,
        )
        TargetFact.objects.create(entry=made, track=Track.TARGET, listed_on=made.listed_on, review=review, batch=landed)
    return TargetEntry.objects.get(pk=entry.pk)


def page_of(entry: TargetEntry) -> str:
    return f"/operator/POP-2026Q1/entries/{entry.code}"


def seen(entry: TargetEntry) -> str:
    return str(TargetFact.objects.filter(entry=entry).latest("pk").pk)


def test_entries_are_reviewed_together_or_not_at_all(world: World) -> None:
    one, two = listed(world, "Harbour Trading", "T-A"), listed(world, "Bluefinch Outdoor", "T-B")
    lena = browser("lena")
    assert "2 Entries to review" in text(lena.get("/operator/"))
    led = lena.get("/operator/lists?review=pending")
    assert led.headers["location"] == f"{LIST}?review=pending"
    chosen = [f"{entry.pk}.{seen(entry)}" for entry in (one, two)]
    assert all(f'value="{value}"' in lena.get(LIST).content.decode() for value in chosen)
    refused = lena.post(f"{LIST}/review", {"entry": chosen, "review": "reject", "reason": " "})
    assert refused.status_code == 409
    assert "Say why" in text(refused)
    assert refused.content.decode().count(" checked") == 2
    review_entries(actor=actor("lena"), entries=[two], review=Review.REJECTED, reason="Not a seller.")
    late = lena.post(f"{LIST}/review", {"entry": chosen, "review": "approve"})
    assert "T-B was changed by Lena at 20" in text(late)
    assert TargetEntry.objects.get(pk=one.pk).review == Review.PENDING
    chosen[1] = f"{two.pk}.{seen(two)}"
    said = text(lena.post(f"{LIST}/review?review=pending", {"entry": chosen, "review": "approve"}, follow=True))
    assert "2 entries are approved. The next run counts it so." in said
    assert set(TargetEntry.objects.filter(pk__in=[one.pk, two.pk]).values_list("review", flat=True)) == {"approved"}
    fact = TargetFact.objects.filter(entry=one).latest("pk")
    assert (fact.review, fact.batch.actor, fact.batch.source) == (Review.APPROVED, person("lena"), "operator")
    assert fact.batch.recorded_at is not None
    assert AuditEvent.objects.filter(action="entry.reviewed", actor=person("lena")).count() == 3
    assert "Choose at least one entry." in text(lena.post(f"{LIST}/review", {"review": "approve"}))


def test_an_entry_is_rejected_and_its_history_says_by_whom_and_why(world: World) -> None:
    entry = listed(world, "Harbour Trading", "T-A", review=Review.APPROVED)
    lena = browser("lena")
    given = {"seen": seen(entry), "reason": "Closed down."}
    said = text(lena.post(f"{page_of(entry)}/reject", given, follow=True))
    assert "1 entry is rejected." in said
    assert "Rejected · Target list · Lena Closed down." in said
    again = lena.post(f"{page_of(entry)}/reopen", {**given, "reason": "Look again."})
    assert again.status_code == 409
    assert "Look again." in text(again)
    assert TargetEntry.objects.get(pk=entry.pk).review == Review.REJECTED


def test_an_entry_is_directed_to_one_partner_and_opened_again(world: World) -> None:
    entry = listed(world, "Harbour Trading", "T-A", review=Review.APPROVED)
    lena = browser("lena")
    refused = lena.post(f"{page_of(entry)}/direct", {"seen": seen(entry), "reason": "Theirs.", "partner": "nobody"})
    assert "There is no partner with the code nobody." in text(refused)
    given = {"seen": seen(entry), "reason": "They have the contract.", "partner": "haiqiao"}
    said = text(lena.post(f"{page_of(entry)}/direct", given, follow=True))
    assert "T-A is directed to 海桥物流: its own link alone counts for it now." in said
    entry.refresh_from_db()
    assert (entry.track, entry.assigned_to) == (Track.DIRECTED, world.haiqiao)
    assert not TargetEntry.objects.visible_to(world.actor("charlie")).filter(pk=entry.pk).exists()
    said = text(lena.post(f"{page_of(entry)}/open", {"seen": seen(entry), "reason": "Over."}, follow=True))
    assert "T-A is open to every certified partner." in said
    entry.refresh_from_db()
    assert (entry.track, entry.assigned_to) == (Track.TARGET, None)
    assert TargetFact.objects.filter(entry=entry).count() == 3


def test_an_entry_goes_off_the_list_from_a_day_to_come(world: World) -> None:
    entry, today = listed(world, "Harbour Trading", "T-A"), platform_date(timezone.now())
    lena = browser("lena")
    given = {"seen": seen(entry), "reason": "Withdrawn.", "on": str(today - timedelta(days=1))}
    assert "Give today or a later day" in text(lena.post(f"{page_of(entry)}/delist", given))
    assert "Give the day as" in text(lena.post(f"{page_of(entry)}/delist", {**given, "on": "soon"}))
    said = text(lena.post(f"{page_of(entry)}/delist", {**given, "on": str(today)}, follow=True))
    assert f"T-A is off the list from {today} on." in said
    assert [row.code for row in lena.get(f"{LIST}?listed=off").context["page"]] == ["T-A"]
    lena.post(f"{page_of(entry)}/relist", {"seen": seen(entry), "reason": "A mistake."})
    assert TargetEntry.objects.get(pk=entry.pk).delisted_on is None


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER, Role.MEMBER, Role.VIEWER}))
def test_whoever_doesnt_keep_lists_isnt_offered_it_and_is_refused(world: World, role: Role) -> None:
    entry, twin = listed(world, "Harbour Trading", "T-A"), listed(world, "Harbour Trading Ltd", "T-C")
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    pair = EntryPair.objects.get(first=entry, second=twin)
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(make_user("reader", role))
    may = Capability.KEEP_LISTS in ROLE_CAPABILITIES[role]
    assert (f"{LIST}/review" in reader.get(LIST).content.decode()) is may
    assert (f"{page_of(entry)}/approve" in reader.get(page_of(entry)).content.decode()) is may
    assert (f"/operator/duplicates/{pair.pk}" in reader.get("/operator/duplicates").content.decode()) is may
    if not may:
        before = AuditEvent.objects.count()
        refused = reader.post(f"{page_of(entry)}/approve", {"seen": seen(entry)})
        assert refused.status_code == 403
        assert "Your role doesn't allow you to do this." in text(refused)
        for step, given in (("direct", {"partner": "rival"}), ("delist", {"on": "2999-01-01"})):
            given["reason"] = "I want it."
            assert reader.post(f"{page_of(entry)}/{step}", given).status_code == 403
        assert reader.post(f"/operator/duplicates/{pair.pk}", {"answer": "keep"}).status_code == 403
        assert reader.post("/operator/duplicates/look", {"program": "POP-2026Q1"}).status_code == 403
        answered = reader.post(f"{API}/entries/POP-2026Q1/T-A/review", {"review": "approved"}, "application/json")
        assert answered.status_code == 403
        assert AuditEvent.objects.count() == before


def test_the_list_is_found_sorted_and_taken_along(world: World) -> None:
    entry = listed(world, "Talleres Añordeza S.L.", "T-A", review=Review.APPROVED, brand="Sarviphanyx")
    listed(world, "深圳市青鸟贸易有限公司", "T-C")
    lena = browser("lena")

    def codes(query: str) -> list[str]:
        return [row.code for row in lena.get(f"{LIST}?{query}").context["page"]]

    assert codes("q=añordeza") == codes("q=ＡÑORDEZA s.l.") == ["T-A"]
    assert codes("q=青鸟") == ["T-C"]
    assert codes("q=sarviphanyx") == ["T-A-B"]
    assert codes(f"q={entry.merchant.registration_no[-9:]}") == ["T-A"]  # type: ignore[union-attr]
    assert codes("review=pending") == ["T-C"]
    assert codes("sort=-listed_on&track=target&listed=now&held=no")[:1] == ["T-A"]
    assert codes("partner=haiqiao") == []
    csv = b"".join(lena.get(f"{LIST}.csv?review=pending").streaming_content).decode()  # type: ignore[attr-defined]
    assert "T-C,深圳市青鸟贸易有限公司,CN" in csv
    assert "T-A" not in csv


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("深圳市青鸟贸易有限公司", "深圳市青鸟贸易"),
        ("Ｂｌｕｅ－Ｆｉｎｃｈ　Ｏｕｔｄｏｏｒ　Ltd.", "Bluefinch OUTDOOR Limited"),
        ("Grünpfand Versand GmbH", "GRÜNPFAND VERSAND"),
        ("株式会社青鳥", "青鳥"),
        ("Orschhagen S.r.l.", "orschhagen srl"),
    ],
)
def test_names_are_compared_without_width_case_and_legal_form(one: str, other: str) -> None:
    assert compared_name(one) == compared_name(other) != ""
    assert trigram_key(one) == trigram_key(other)
    assert trigram_key(one).isascii()
    assert trigram_key(one).isalnum()


def test_a_pair_is_found_once_and_what_was_decided_on_it_stays(world: World) -> None:
    one = listed(world, "深圳市青鸟贸易有限公司", "T-A")
    two = listed(world, "深圳青鸟贸易 有限责任公司", "T-C", brand="Blue Finch")
    listed(world, "Harbour Trading", "T-D", brand="ＢＬＵＥＦＩＮＣＨ GmbH")
    lena = browser("lena")
    assert "Compare 5 new entries of POP-2026Q1" in text(lena.get("/operator/duplicates"))
    said = text(lena.post("/operator/duplicates/look", {"program": "POP-2026Q1"}, follow=True))
    assert "Compared 5 entries. 2 new pairs look alike." in said
    pairs = {(pair.first.code, pair.second.code): pair for pair in EntryPair.objects.all()}
    assert set(pairs) == {("T-A", "T-C"), ("T-C-B", "T-D-B")}
    assert pairs["T-C-B", "T-D-B"].brands == 100
    assert "2 pairs look like one" in text(lena.get(LIST))
    page = f"/operator/duplicates/{pairs['T-A', 'T-C'].pk}"
    assert "Say why" in text(lena.post(page, {"answer": "second", "reason": ""}))
    said = text(lena.post(page, {"answer": "second", "reason": "One company."}, follow=True))
    assert "T-C is rejected as a duplicate." in said
    two.refresh_from_db()
    assert two.review == Review.REJECTED
    assert TargetFact.objects.filter(entry=two).latest("pk").reason.text == "One company."  # type: ignore[union-attr]
    kept = pairs["T-C-B", "T-D-B"]
    said = text(lena.post(f"/operator/duplicates/{kept.pk}", {"answer": "keep"}, follow=True))
    assert "T-C-B and T-D-B both stay. The pair isn't shown again." in said
    late = lena.post(f"/operator/duplicates/{kept.pk}", {"answer": "first", "reason": "No."})
    assert late.status_code == 409
    assert "Lena has decided on this pair already: Both stay." in text(late)
    TargetEntry.objects.filter(pk=one.pk).update(merchant_name="深圳市青鸟贸易股份有限公司")
    compare_entries()
    assert EntryPair.objects.count() == 2
    assert not lena.get("/operator/duplicates").context["page"].object_list
    assert [row.pk for row in lena.get("/operator/duplicates?state=kept").context["page"]] == [kept.pk]
    assert AuditEvent.objects.filter(action__startswith="duplicate.").count() == 2


def test_one_merchants_entries_for_other_brands_are_no_duplicates(world: World) -> None:
    merchant = make_merchant("Harbour Trading")
    for code, brand in (("T-A", "Bluefinch"), ("T-C", "Moristauelle"), ("T-D", "Bluefinch Kids")):
        TargetEntry.objects.create(
            program=world.program,
            code=code,
            merchant=merchant,
            brand=make_brand(brand),
            track=Track.TARGET,
            listed_on=date(2025, 12, 1),
            review=Review.PENDING,
            batch=batch(),
        )
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    found = [(pair.first.code, pair.second.code, pair.one_merchant) for pair in EntryPair.objects.all()]
    assert found == [("T-A", "T-D", True)]


def test_two_who_decide_on_a_pair_at_once_dont_both(world: World) -> None:
    listed(world, "Harbour Trading", "T-A")
    listed(world, "Harbour Trading Ltd", "T-C")
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    pair = EntryPair.objects.get()
    keep_both(actor=actor("lena"), pair=pair, at=timezone.now())
    answer = browser("lena").post(
        f"{API}/duplicates/{pair.pk}/reject", {"target_code": "T-A", "reason": "Late."}, "application/json"
    )
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "decided"
    assert EntryPair.objects.get().state == PairState.KEPT
    assert TargetEntry.objects.get(code="T-A").review == Review.PENDING


def test_the_api_does_what_the_pages_do(world: World) -> None:
    entry = listed(world, "Harbour Trading", "T-A")
    lena = browser("lena")
    shown = lena.get(f"{API}/entries?q=harbour").json()["results"]
    assert [(row["target_code"], row["review"], row["fact"]) for row in shown] == [("T-A", "pending", int(seen(entry)))]
    one = f"{API}/entries/POP-2026Q1/T-A"

    def post(step: str, **given: object) -> dict[str, object]:
        answer = lena.post(f"{one}/{step}", given, "application/json")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    assert post("review", review="approved", seen=int(seen(entry)))["review"] == "approved"
    assert post("direct", partner_code="haiqiao", reason="Theirs.")["partner_code"] == "haiqiao"
    assert post("direct", partner_code=None, reason="Over.")["track"] == "target"
    assert post("delist", delisted_on="2999-01-01", reason="Over.")["delisted_on"] == "2999-01-01"
    assert lena.get(one).json()["delisted_on"] == "2999-01-01"
    late = lena.post(f"{one}/review", {"review": "rejected", "reason": "No.", "seen": 1}, "application/json")
    assert (late.status_code, late.json()["errors"][0]["code"]) == (409, "stale")
    assert browser("charlie").get(one).status_code == 404


def test_a_list_costs_the_same_queries_however_long_it_is(world: World) -> None:
    listed(world, "Harbour Trading", "T-A")
    listed(world, "Harbour Trading Ltd", "T-A2")
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    lena = browser("lena")

    def cost(path: str) -> int:
        lena.get(path)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert lena.get(path).status_code == 200
        return len(found)

    paths = (LIST, "/operator/duplicates", f"{API}/entries", f"{API}/duplicates")
    few = [cost(path) for path in paths]
    for number in range(50):
        listed(world, f"Harbour Trading {number:02d}", f"T-B{number}")
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    assert [cost(path) for path in paths] == few
    assert max(few) <= 20
