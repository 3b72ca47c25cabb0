"""Applying through the pages, as a browser without scripts does it, up to the certificate and to what follows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incentives.services import suspend_partner_and_hold, terminate_partner_and_hold
from partners.models import Application, Partner
from partners.services import reinstate_partner
from tests.people import actor, person

pytestmark = pytest.mark.django_db

FORM: dict[str, Any] = {
    "name": "Lantern Logistics",
    "category": "logistics",
    "country": "CN",
    "registration_no": "91440300MA5G",
    "markets": ["JP", "DE"],
    "resources": ["cross_border"],
    "services": ["logistics"],
    "contact_name": "Zoe",
    "contact_phone": "+49 30 5550100",
    "about": "We ship <b>boldly</b>.",
}


def pdf(content: bytes = b"%PDF-1.7 invented") -> SimpleUploadedFile:
    return SimpleUploadedFile("licence.pdf", content)


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(person(name))
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]))


def fields_with_errors(answer: Any) -> set[str]:
    return set(re.findall(r'id="id_(\w+)_error"', answer.content.decode()))


def decide(name: str, application: Application, step: str, **given: str) -> Any:
    """An operator's decision, in the back office, from the page that asks for it."""
    client, address = browser(name), f"/admin/partners/application/{application.pk}/step/{step}/"
    found = re.search(r'name="version" value="(\d+)"', client.get(address).content.decode())
    return client.post(address, {**given, "version": found[1] if found else "0"}, follow=True)


def test_the_whole_way() -> None:
    person("rosa")
    zoe = browser("zoe")
    assert "Begin the application" in text(zoe.get("/apply/"))
    # A first draft, with next to nothing in it.
    answer = zoe.post("/apply/new", {"name": "Lantern Logistics", "do": "save"}, follow=True)
    application = Application.objects.get()
    page = f"/applications/{application.pk}"
    assert answer.redirect_chain[-1][0] == f"{page}/edit"
    assert "The draft has been saved." in text(answer)
    assert "Still missing: Kind of service provider, Country of registration, Registration number" in text(
        zoe.get(page)
    )
    # Too early: each missing thing is said beside its field, and what was written is there still.
    answer = zoe.post(f"{page}/edit", {"name": "Lantern Logistics", "do": "submit", "file": pdf()})
    assert answer.status_code == 422
    assert fields_with_errors(answer) == {
        *("category", "country", "registration_no", "markets", "resources", "services"),
        *("contact_name", "contact_phone"),
    }
    assert 'value="Lantern Logistics"' in answer.content.decode()
    assert "licence.pdf" in text(answer)
    assert zoe.get("/apply/new").headers["location"] == page
    answer = zoe.post(f"{page}/edit", {**FORM, "do": "submit"}, follow=True)
    assert "Your application has arrived and waits for a reviewer." in text(answer)
    assert "You need do nothing now: we tell you by mail" in text(answer)
    assert "Cross-border merchants" in text(answer)
    assert "Zoe · +49 30 5550100" in text(answer)
    assert "<b>boldly</b>" not in answer.content.decode()
    assert zoe.get(f"{page}/edit").status_code == 302

    application.refresh_from_db()
    decide("rosa", application, "claim")
    assert "Your application is in review." in text(zoe.get(page))
    assert "Rosa" not in zoe.get(page).content.decode()
    decide("rosa", application, "ask", text="Which warehouse do you use?")
    asked = text(zoe.get(page))
    assert "The marketplace needs more information from you." in asked
    assert "Which warehouse do you use?" in asked
    assert "Write an answer" in text(zoe.post(f"{page}/answer", {"answer": " "}, follow=True))
    corrected = zoe.post(f"{page}/edit", {**FORM, "name": "Lantern Logistics Ltd", "do": "save"}, follow=True)
    assert "The draft has been saved." in text(corrected)
    second = pdf(b"%PDF-1.7 the lease")
    answered = text(zoe.post(f"{page}/answer", {"answer": "The one in Duisburg.", "file": second}, follow=True))
    assert "Your answer has been sent" in answered
    assert "Your application is in review." in answered

    desk = browser("rosa").get(f"/admin/partners/application/{application.pk}/change/").content.decode()
    assert "The one in Duisburg." in desk
    for file in application.files.all():
        assert f"{page}/files/{file.pk}" in desk
    answer = decide("rosa", application, "certify", code="LANTERN", effective_from="2026-01-15")
    assert "Lantern Logistics Ltd · Certified" in answer.content.decode()
    done = text(zoe.get(page))
    assert "Certified since 15 Jan 2026." in done
    assert "To your pages" in done
    assert zoe.get("/partner/").status_code == 200
    assert "已于2026年1月15日通过认证。" in text(browser("zoe", "zh-hans").get(page)).replace(" ", "")

    # The standing of what it became is shown in the same place, with its reason.
    partner = Partner.objects.get(code="LANTERN")
    suspend_partner_and_hold(actor=actor("rita"), partner=partner, reason="Links were sold.")
    suspended = text(zoe.get(page))
    assert "Suspended since" in suspended
    assert suspended.count("Links were sold.") == 2  # above, and among what has happened
    assert "Unpaid payouts are held meanwhile." in suspended
    reinstate_partner(actor=actor("rita"), partner=partner, reason="Cleared.")
    assert "Certified since 15 Jan 2026." in text(zoe.get(page))
    assert "Suspension ended" in text(zoe.get(page))
    terminate_partner_and_hold(actor=actor("rita"), partner=partner, reason="Again.")
    ended = text(zoe.get(page))
    assert "The cooperation was ended on" in ended
    assert "Again." in ended


def submitted_by(name: str) -> Application:
    browser(name).post("/apply/new", {**FORM, "file": pdf(), "do": "submit"})
    found: Application = Application.objects.get(applicant=person(name))
    assert found.state == "submitted"
    return found


def test_rejected_with_the_reason_and_again() -> None:
    application = submitted_by("zoe")
    decide("rosa", application, "claim")
    decide("rosa", application, "reject", text="The licence has run out.")
    zoe = browser("zoe")
    page = text(zoe.get(f"/applications/{application.pk}"))
    assert "Your application was rejected." in page
    assert "The licence has run out." in page
    assert "Apply again" in text(zoe.get("/apply/"))
    zoe.post("/apply/new", {**FORM, "do": "submit"})
    again = Application.objects.latest("pk")
    assert (again.follows, again.state) == (application, "submitted")


def test_rivals_and_strangers_find_nothing() -> None:
    application = submitted_by("zoe")
    file = application.files.get()
    page = f"/applications/{application.pk}"
    for name in ("yan", "alice", "charlie"):
        rival = browser(name)
        for address in (page, f"{page}/edit", f"{page}/files/{file.pk}"):
            assert rival.get(address).status_code == 404, (name, address)
        for address in (f"{page}/edit", f"{page}/answer", f"{page}/withdraw"):
            assert rival.post(address, {**FORM, "answer": "x", "do": "submit"}).status_code == 404, (name, address)
    for address in (page, f"{page}/edit", f"{page}/files/{file.pk}"):
        assert Client().get(address).headers["location"].startswith("/accounts/login/")
    for address in (f"{page}/answer", f"{page}/withdraw", "/apply/new"):
        assert Client().post(address, FORM).headers["location"].startswith("/accounts/login/")
    # Of another application, a file's number opens nothing; an absent one answers the same.
    own = submitted_by("yan")
    assert browser("yan").get(f"/applications/{own.pk}/files/{file.pk}").status_code == 404
    assert browser("yan").get("/applications/999999999").status_code == 404
    assert browser("yan").get("/applications/99999999999999999999999").status_code == 404
    application.refresh_from_db()
    assert application.state == "submitted"


def test_an_operator_sees_but_does_not_write() -> None:
    application = submitted_by("zoe")
    page = f"/applications/{application.pk}"
    olga = browser("olga")
    assert olga.get(page).status_code == 200
    assert "Withdraw the application" not in text(olga.get(page))
    assert olga.post(f"{page}/withdraw").status_code == 404
    # A reviewer of payouts isn't one of applications: the post is refused.
    refused = decide("olga", application, "claim")
    assert refused.status_code == 403
    assert "Your role doesn't allow you to do this." in refused.content.decode()
    application.refresh_from_db()
    assert application.state == "submitted"


def test_a_file_is_handed_out_as_an_attachment() -> None:
    application = submitted_by("zoe")
    answer = browser("zoe").get(f"/applications/{application.pk}/files/{application.files.get().pk}")
    assert b"".join(answer) == b"%PDF-1.7 invented"
    assert answer["Content-Disposition"] == 'attachment; filename="licence.pdf"'
    assert answer["Content-Type"] == "application/pdf"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"


def test_a_wrong_file_is_told_beside_its_field_and_the_rest_is_kept() -> None:
    zoe = browser("zoe")
    answer = zoe.post("/apply/new", {**FORM, "file": pdf(b"<svg onload=1>"), "do": "submit"})
    assert answer.status_code == 422
    assert fields_with_errors(answer) == {"file"}
    application = Application.objects.get()
    assert (application.state, application.name, application.files.count()) == ("draft", "Lantern Logistics", 0)
    # From this very page it goes on with the same draft.
    assert f'action="/applications/{application.pk}/edit"' in answer.content.decode()
    zoe.post(f"/applications/{application.pk}/edit", {**FORM, "file": pdf(), "do": "save"})
    file = application.files.get()
    zoe.post(f"/applications/{application.pk}/edit", {**FORM, "remove": str(file.pk)})
    assert not application.files.exists()


def test_the_second_of_two_tabs_is_told() -> None:
    zoe = browser("zoe")
    zoe.post("/apply/new", {"name": "One", "do": "save"})
    application = Application.objects.get()
    version = str(application.version)
    zoe.post(f"/applications/{application.pk}/edit", {"name": "Two", "version": version, "do": "save"})
    late = zoe.post(f"/applications/{application.pk}/edit", {"name": "Three", "version": version, "do": "save"})
    assert late.status_code == 422
    assert "has changed since you opened it" in text(late)
    application.refresh_from_db()
    assert application.name == "Two"


def test_of_two_reviewers_the_second_is_told_who_and_when() -> None:
    application = submitted_by("zoe")
    remo, address = browser("remo"), f"/admin/partners/application/{application.pk}/step/claim/"
    stale = re.search(r'name="version" value="(\d+)"', remo.get(address).content.decode())
    assert stale
    decide("rosa", application, "claim")
    refused = remo.post(address, {"version": stale[1]}, follow=True).content.decode()
    assert re.search(r"Rosa took the last step at 20\d\d-\d\d-\d\d \d\d:\d\d \(Taken into review\)", refused)


def test_operators_are_told_that_they_do_not_apply() -> None:
    assert "Operators decide on applications" in text(browser("olga").get("/apply/"))
    assert browser("olga").post("/apply/new", {**FORM, "do": "submit"}).status_code == 302
    assert not Application.objects.exists()
