"""Arriving through the API: the same services, refused in the API's own way, and nothing of anybody else's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from core.actors import Actor
from core.policy import Policy
from core.services import create_program
from partners.models import Application, Certification, Invitation, Joining
from partners.services import ask_for_information, claim_application
from tests.partners.test_applications import PDF, WHOLE, pdf
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db
JSON = "application/json"


def browser(name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def test_an_application_by_the_api() -> None:
    zoe = browser("zoe")
    begun = zoe.post("/api/v1/applications", {"name": "Lantern Logistics"}, content_type=JSON)
    assert begun.status_code == 201
    address = f"/api/v1/applications/{begun.json()['id']}"
    missing = zoe.post(f"{address}/submit")
    assert missing.status_code == 400
    assert {"category", "country", "contact_name"} <= {error["attr"] for error in missing.json()["errors"]}
    assert zoe.patch(address, {**WHOLE, "version": 1}, content_type=JSON).status_code == 409  # it is 2
    assert zoe.patch(address, {**WHOLE, "version": 2}, content_type=JSON).status_code == 200
    assert zoe.post(f"{address}/submit").json()["state"] == "submitted"
    assert zoe.post(f"{address}/submit").status_code == 409
    application = Application.objects.get()
    claim_application(actor=actor("rosa"), application=application)
    ask_for_information(actor=actor("rosa"), application=application, question="Which warehouse?")
    shown = zoe.get(address).json()
    assert (shown["state"], shown["steps"][-1]["text"]) == ("more_information", "Which warehouse?")
    assert "Rosa" not in zoe.get(address).content.decode()
    assert zoe.post(f"{address}/answer", {"answer": "Duisburg."}, content_type=JSON).json()["state"] == "in_review"
    assert zoe.post(f"{address}/withdraw").json()["state"] == "withdrawn"
    for name in ("yan", "alice"):
        rival = browser(name)
        assert rival.get("/api/v1/applications").json()["results"] == []
        assert rival.get(address).status_code == 404
        assert rival.patch(address, WHOLE, content_type=JSON).status_code == 404
        for step in ("submit", "answer", "withdraw"):
            assert rival.post(f"{address}/{step}", {"answer": "x"}, content_type=JSON).status_code == 404
    # An operator sees it, and can't write in it.
    assert browser("rosa").get(address).status_code == 200
    assert browser("rosa").post(f"{address}/withdraw").status_code == 403
    assert Client().get(address).status_code == 403


def test_documents_by_the_api() -> None:
    zoe, yan = browser("zoe"), browser("yan")
    address = f"/api/v1/applications/{zoe.post('/api/v1/applications', WHOLE, content_type=JSON).json()['id']}"
    assert zoe.post(f"{address}/files", {"file": pdf(content=b"<svg onload=1>")}).status_code == 400
    kept = zoe.post(f"{address}/files", {"file": pdf()})
    assert (kept.status_code, kept.json()["name"]) == (201, "licence.pdf")
    assert zoe.post(f"{address}/files", {"file": pdf()}).status_code == 409
    assert [row["id"] for row in zoe.get(address).json()["files"]] == [kept.json()["id"]]
    file = f"{address}/files/{kept.json()['id']}"
    shown = zoe.get(file)
    assert b"".join(shown) == PDF
    assert shown["Content-Disposition"].startswith("attachment;")
    other = f"/api/v1/applications/{yan.post('/api/v1/applications', WHOLE, content_type=JSON).json()['id']}"
    for method in ("get", "delete"):
        assert getattr(yan, method)(file).status_code == 404
        assert getattr(yan, method)(file.replace(address, other)).status_code == 404
    assert yan.post(f"{address}/files", {"file": pdf()}).status_code == 404
    assert zoe.delete(file).status_code == 204
    assert zoe.get(file).status_code == 404
    kept = zoe.post(f"{address}/files", {"file": pdf()})
    zoe.post(f"{address}/submit")
    assert zoe.delete(f"{address}/files/{kept.json()['id']}").status_code == 409  # what was handed in stays


def test_programs_by_the_api() -> None:
    today = timezone.now().date()
    for code, start in (("OVER", today - timedelta(days=90)), ("SPRING", today)):
        create_program(
            actor=Actor.system("tests"),
            code=code,
            start=start,
            end=start + timedelta(days=30),
            policy=Policy.parse({"name": {"en": code.title(), "zh-hans": "春季"}}),
        )
    (offer,) = browser("zoe").get("/api/v1/programs").json()["results"]
    assert (offer["program"], offer["title"], offer["policy"]) == ("SPRING", "Spring", 1)
    assert (offer["amount"], offer["currency"]) == ("2000.00", "CNY")
    assert {"Selling", "Stock"} <= {rule["title"] for rule in offer["rules"]}
    assert browser("zoe").get("/api/v1/programs/OVER").json()["days_left"] is None
    assert browser("zoe").get("/api/v1/programs/NONE").status_code == 404


def test_joining_by_the_api() -> None:
    today = timezone.now().date()
    create_program(
        actor=Actor.system("tests"),
        code="SPRING",
        start=today,
        end=today + timedelta(days=30),
        policy=Policy.parse({"name": {"en": "Spring"}}),
    )
    Certification.objects.create(partner=partner("ALPHA"), days=DateRange(date(2026, 1, 1), None, "[)"))
    wish = {"partner_code": "ALPHA", "program": "SPRING", "policy": 1, "commitment": 40}
    alice = browser("alice")
    assert browser("charlie").post("/api/v1/joinings", wish, content_type=JSON).status_code == 404
    assert browser("bob").post("/api/v1/joinings", wish, content_type=JSON).status_code == 403
    assert alice.post("/api/v1/joinings", {**wish, "policy": 7}, content_type=JSON).status_code == 400
    assert alice.post("/api/v1/joinings", wish, content_type=JSON).status_code == 201
    assert alice.post("/api/v1/joinings", wish, content_type=JSON).status_code == 409
    assert [row["commitment"] for row in alice.get("/api/v1/joinings").json()["results"]] == [40]
    assert browser("charlie").get("/api/v1/joinings").json()["results"] == []
    assert Joining.objects.count() == 1


def test_inviting_by_the_api() -> None:
    wish = {"partner_code": "ALPHA", "email": "zoe@example.com", "role": "viewer"}
    alice, charlie = browser("alice"), browser("charlie")
    assert charlie.post("/api/v1/invitations", wish, content_type=JSON).status_code == 404
    assert browser("bob").post("/api/v1/invitations", wish, content_type=JSON).status_code == 403
    assert alice.post("/api/v1/invitations", {**wish, "role": "reviewer"}, content_type=JSON).status_code == 400
    made = alice.post("/api/v1/invitations", wish, content_type=JSON)
    assert made.status_code == 201
    assert "token" not in made.content.decode()
    address = f"/api/v1/invitations/{made.json()['id']}/withdraw"
    assert charlie.post(address).status_code == 404
    assert charlie.get("/api/v1/invitations").json()["results"] == []
    assert alice.post(address).json()["withdrawn_at"] is not None
    assert alice.post(address).status_code == 409
    assert Invitation.objects.count() == 1
