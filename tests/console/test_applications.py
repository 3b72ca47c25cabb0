"""Applications in the admin dashboard: the queue, one application, and the decisions on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Role
from core.models import AuditEvent, User
from partners.models import Application, ApplicationFile, Membership, Partner
from partners.services import (
    add_application_file,
    answer_application,
    claim_application,
    reject_application,
    save_draft,
    submit_application,
)
from partners.states import ApplicationState
from tests.console.reading import text
from tests.incentives.factories import World, make_user
from tests.partners.test_applications import PDF, WHOLE, pdf
from tests.people import actor, person


def browser(name: str) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


@pytest.fixture
def submitted(world: World) -> Application:
    """Zoe's, with a file."""
    draft = save_draft(actor=actor("zoe"), data=WHOLE)
    add_application_file(actor=actor("zoe"), application=draft, file=pdf())
    return submit_application(actor=actor("zoe"), application=draft)


def page_of(application: Application) -> str:
    return f"/operator/applications/{application.pk}"


def seen(application: Application) -> dict[str, str]:
    """What the form of a page sends that was opened now."""
    return {"version": str(Application.objects.get(pk=application.pk).version)}


def state_of(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)


def test_an_application_is_read_whole(submitted: Application) -> None:
    page = browser("rosa").get(page_of(submitted))
    said = text(page)
    for stated in ("Lantern Logistics", "9144 0300-MA5G", "Germany · Japan", "Cross-border merchants", "Compliance"):
        assert stated in said
    for stated in ("zoe-lantern", "We ship.", "licence.pdf", "Submitted · Zoe", "Nobody has taken it into review yet."):
        assert stated in said
    file = ApplicationFile.objects.get()
    address = f"/applications/{submitted.pk}/files/{file.pk}"
    assert address in page.content.decode()
    assert b"".join(browser("rosa").get(address)) == PDF


def test_from_the_queue_to_a_partner(submitted: Application) -> None:
    rosa, page = browser("rosa"), page_of(submitted)
    assert "1 Applications to look at" in text(rosa.get("/operator/"))
    assert "Lantern Logistics" in text(rosa.get("/operator/applications?whose=todo"))
    said = text(rosa.post(f"{page}/claim", seen(submitted), follow=True))
    assert "You review the application of Lantern Logistics now." in said
    assert "You are its reviewer." in said
    said = text(rosa.post(f"{page}/ask", {**seen(submitted), "text": "Which warehouses?"}, follow=True))
    assert "Asked Lantern Logistics." in said
    assert "Asked for more information · Rosa" in said
    assert "Which warehouses?" in said
    assert "Take into review" not in said
    answer_application(actor=actor("zoe"), application=submitted, answer="Two in Leipzig.")
    assert "Two in Leipzig." in text(rosa.get(page))
    given = {**seen(submitted), "code": "LANTERN", "effective_from": "2026-01-01"}
    said = text(rosa.post(f"{page}/certify", given, follow=True))
    assert "Lantern Logistics is certified, and a partner now." in said
    assert "Certified from 1 Jan 2026 on." in said
    assert "There is nothing to decide now." in said
    made = Partner.objects.get(code="LANTERN")
    assert Membership.objects.get(partner=made).user == person("zoe")
    assert AuditEvent.objects.filter(action="application.certified", actor=person("rosa")).count() == 1
    assert "0 Applications to look at" in text(rosa.get("/operator/"))


def test_a_rejection_needs_a_reason_and_the_applicant_reads_it(submitted: Application) -> None:
    rosa, page = browser("rosa"), page_of(submitted)
    claim_application(actor=actor("rosa"), application=submitted)
    assert "The applicant reads the reason, and may apply again." in text(rosa.get(page))
    refused = rosa.post(f"{page}/reject", {**seen(submitted), "text": "  "})
    assert refused.status_code == 409
    assert "the applicant reads it" in text(refused)
    assert state_of(submitted) == "in_review"
    said = text(rosa.post(f"{page}/reject", {**seen(submitted), "text": "No licence."}, follow=True))
    assert "Rejected the application of Lantern Logistics." in said
    assert "No licence." in text(browser("zoe").get(f"/applications/{submitted.pk}"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"code": "with space", "effective_from": "2026-01-01"}, "no partner code"),
        ({"code": "LANTERN", "effective_from": "soon"}, "Give the day as YYYY-MM-DD."),
        ({"code": "HAIQIAO", "effective_from": "2026-01-01"}, "is taken"),
    ],
)
def test_what_cant_be_certified_is_told_and_kept(submitted: Application, given: dict[str, str], told: str) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    refused = browser("rosa").post(f"{page_of(submitted)}/certify", {**seen(submitted), **given})
    assert refused.status_code == 409
    assert told in text(refused)
    assert f'value="{given["code"]}"' in refused.content.decode()
    assert state_of(submitted) == "in_review"


def test_whoever_comes_second_is_told_who_and_when_and_keeps_the_words(submitted: Application) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    opened = seen(submitted)
    reject_application(actor=actor("remo"), application=submitted, reason="No licence.")
    late = browser("rosa").post(f"{page_of(submitted)}/ask", {**opened, "text": "Which warehouses?"})
    assert late.status_code == 409
    assert "Remo took the last step at 20" in text(late)
    assert state_of(submitted) == "rejected"
    assert not submitted.events.filter(step="asked").exists()
    claim_only_once = save_and_submit("yan")
    opened = seen(claim_only_once)
    browser("remo").post(f"{page_of(claim_only_once)}/claim", opened)
    late = browser("rosa").post(f"{page_of(claim_only_once)}/claim", opened)
    assert "Remo took the last step at 20" in text(late)
    assert "Remo is its reviewer." in text(late)


def save_and_submit(name: str) -> Application:
    draft = save_draft(actor=actor(name), data=WHOLE | {"name": f"{name} Ltd", "registration_no": f"INV-{name}"})
    return submit_application(actor=actor(name), application=draft)


@override_settings(CERTIFICATION_FOUR_EYES=True)
def test_four_eyes_where_the_house_wants_them(submitted: Application) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    page = page_of(submitted)
    certify = f'action="{page}/certify"'
    mine = browser("rosa").get(page)
    assert certify not in mine.content.decode()
    assert f'action="{page}/reject"' in mine.content.decode()
    assert "a second person has to certify" in text(mine)
    given = {**seen(submitted), "code": "LANTERN", "effective_from": "2026-01-01"}
    refused = browser("rosa").post(f"{page}/certify", given)
    assert "a second person has to certify" in text(refused)
    assert not Partner.objects.filter(code="LANTERN").exists()
    assert "Lantern Logistics" in text(browser("remo").get("/operator/applications?whose=todo"))
    assert certify in browser("remo").get(page).content.decode()
    browser("remo").post(f"{page}/certify", given)
    assert Partner.objects.filter(code="LANTERN").exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.RECRUITER, Role.OWNER, Role.MEMBER, Role.VIEWER}))
def test_whoever_doesnt_certify_reads_and_decides_nothing(submitted: Application, role: Role) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(make_user("reader", role))
    page = page_of(submitted)
    shown = reader.get(page)
    assert "Lantern Logistics" in text(shown)
    assert f'action="{page}/' not in shown.content.decode()
    before = AuditEvent.objects.count()
    given = {**seen(submitted), "text": "Why?", "code": "LANTERN", "effective_from": "2026-01-01"}
    for step in ("claim", "ask", "certify", "reject"):
        assert "Your role doesn't allow you" in text(reader.post(f"{page}/{step}", given))
    assert (state_of(submitted), AuditEvent.objects.count()) == ("in_review", before)


def test_the_queue_is_narrowed_and_sorted_by_the_address(submitted: Application) -> None:
    yan = save_and_submit("yan")
    claim_application(actor=actor("remo"), application=yan)
    long_ago = timezone.now() - timedelta(days=8)
    Application.objects.filter(pk=submitted.pk).update(submitted_at=long_ago, version=submitted.version + 1)
    save_draft(actor=actor("wen"), data=WHOLE | {"name": "Wen Ltd"})
    rosa = browser("rosa")

    def names(query: str) -> list[str]:
        return [row.name for row in rosa.get(f"/operator/applications?{query}").context["page"]]

    assert names("") == ["Lantern Logistics", "yan Ltd"]
    assert names("sort=newest") == ["yan Ltd", "Lantern Logistics"]
    assert names("sort=name") == ["Lantern Logistics", "yan Ltd"]
    assert names("state=in_review") == ["yan Ltd"]
    assert names("whose=nobody") == ["Lantern Logistics"]
    assert names("whose=todo") == ["Lantern Logistics"]
    assert names("whose=others") == ["yan Ltd"]
    assert names("whose=me") == []
    assert names("age=7") == ["Lantern Logistics"]
    assert names("q=inv-yan") == ["yan Ltd"]
    assert names("category=erp") == []
    assert "No application fits." in text(rosa.get("/operator/applications?q=zzz"))
    csv = b"".join(rosa.get("/operator/applications.csv?state=in_review")).decode().splitlines()
    assert csv[0].startswith("id,name,category,country,registration_no,state")
    assert [line.split(",")[1] for line in csv[1:]] == ["yan Ltd"]


def test_the_queue_asks_the_database_as_often_for_forty_as_for_one(submitted: Application) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    rosa = browser("rosa")
    rosa.get("/operator/applications")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert rosa.get("/operator/applications").status_code == 200
        return len(queries)

    few, now = asked(), timezone.now()
    people = User.objects.bulk_create(User(email=f"n{number}@example.org") for number in range(39))
    Application.objects.bulk_create(
        Application(
            applicant=applicant,
            state=ApplicationState.IN_REVIEW,
            reviewer=person("rosa"),
            **{name: WHOLE[name] for name in ("category", "country", "markets", "resources", "services")},
            name=f"Number {number}",
            registration_no=f"N-{number}",
            created_at=now,
            changed_at=now,
            submitted_at=now,
        )
        for number, applicant in enumerate(people)
    )
    assert len(rosa.get("/operator/applications").context["page"]) == 40
    assert asked() == few


def test_to_partners_and_applicants_these_pages_dont_exist(submitted: Application) -> None:
    page = page_of(submitted)
    for address in ("/operator/applications", "/operator/applications.csv", page):
        assert Client().get(address).status_code == 302
        for name in ("alice", "charlie", "zoe"):
            assert browser(name).get(address).status_code == 404
    before = AuditEvent.objects.count()
    for step in ("claim", "ask", "certify", "reject"):
        for name in ("alice", "charlie", "zoe"):
            assert browser(name).post(f"{page}/{step}", seen(submitted)).status_code == 404
    assert (state_of(submitted), AuditEvent.objects.count()) == ("submitted", before)


def test_a_draft_and_an_unheard_of_step_arent_there(submitted: Application) -> None:
    draft = save_draft(actor=actor("wen"), data=WHOLE)
    assert browser("rosa").get(page_of(draft)).status_code == 404
    assert browser("rosa").post(f"{page_of(submitted)}/crown", seen(submitted)).status_code == 404
