"""An organisation applies, is asked, answers, is certified or rejected: by whom, in which order, and told to whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.test import override_settings
from django.utils import translation

from core.audit import verify_chain
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, FactBatch
from core.notices.models import Notice
from partners.models import Application, ApplicationFile, Certification, CertificationFact, Membership, Partner
from partners.services import (
    Incomplete,
    add_application_file,
    answer_application,
    ask_for_information,
    certify_application,
    claim_application,
    reject_application,
    remove_application_file,
    save_draft,
    submit_application,
    withdraw_application,
)
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db

WHOLE: dict[str, Any] = {
    "name": "Lantern Logistics",
    "category": "logistics",
    "country": "CN",
    "registration_no": "9144 0300-MA5G",
    "markets": ["JP", "DE"],
    "resources": ["cross_border"],
    "services": ["logistics", "compliance"],
    "contact_name": "Zoe",
    "contact_wechat": "zoe-lantern",
    "about": "We ship.",
}
PDF = b"%PDF-1.7 invented"


def pdf(name: str = "licence.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


@pytest.fixture
def submitted() -> Application:
    zoe, _rosa = actor("zoe"), actor("rosa")
    return submit_application(actor=zoe, application=save_draft(actor=zoe, data=WHOLE))


@pytest.fixture
def in_review(submitted: Application) -> Application:
    return claim_application(actor=actor("rosa"), application=submitted)


def test_a_draft_grows_until_it_is_complete() -> None:
    zoe = actor("zoe")
    draft = save_draft(actor=zoe, data={"name": "  Lantern Logistics "})
    assert (draft.name, draft.state) == ("Lantern Logistics", "draft")
    with pytest.raises(Incomplete) as missing:
        submit_application(actor=zoe, application=draft)
    assert set(missing.value.fields) == {
        *("category", "country", "registration_no", "markets", "resources", "services"),
        *("contact_name", "contact_phone"),
    }
    draft = save_draft(actor=zoe, application=draft, data=WHOLE, version=draft.version)
    assert draft.markets == ["DE", "JP"]
    done = submit_application(actor=zoe, application=draft, version=draft.version)
    assert done.state == "submitted"
    assert done.submitted_at is not None
    with pytest.raises(Conflict, match="can't be changed now"):
        save_draft(actor=zoe, application=done, data={"name": "Other"})
    assert verify_chain().intact
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "application.saved",
        "application.saved",
        "application.submitted",
    ]
    assert "Lantern" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "nonsense"),
        ("country", "cn"),
        ("markets", ["DE", "Germany"]),
        ("services", ["logistics", "theft"]),
        ("resources", ["friends"]),
        ("name", "x" * 256),
        ("contact_phone", "1" * 41),
        ("about", "x" * 4001),
    ],
)
def test_what_can_not_be_is_refused_beside_its_field(field: str, value: object) -> None:
    with pytest.raises(Incomplete) as refused:
        save_draft(actor=actor("zoe"), data={**WHOLE, field: value})
    assert set(refused.value.fields) == {field}
    assert not Application.objects.exists()


def test_one_at_a_time(submitted: Application) -> None:
    zoe = actor("zoe")
    with pytest.raises(Conflict, match="under way"):
        save_draft(actor=zoe, data=WHOLE)
    withdraw_application(actor=zoe, application=submitted)
    again = save_draft(actor=zoe, data=WHOLE)
    assert again.follows is None
    with pytest.raises(IntegrityError, match="application_one_open"), transaction.atomic():
        Application.objects.create(applicant=person("zoe"), created_at=again.created_at, changed_at=again.created_at)


def test_operators_do_not_apply_and_nobody_writes_for_another(submitted: Application) -> None:
    with pytest.raises(NotAllowed):
        save_draft(actor=actor("rosa"), data=WHOLE)
    for step in (
        lambda who: withdraw_application(actor=who, application=submitted),
        lambda who: add_application_file(actor=who, application=submitted, file=pdf()),
        lambda who: submit_application(actor=who, application=submitted),
        lambda who: save_draft(actor=who, application=submitted, data=WHOLE),
    ):
        for name in ("yan", "alice", "rosa"):
            with pytest.raises(NotAllowed):
                step(actor(name))


def test_who_sees_it(submitted: Application) -> None:
    zoe, rosa = actor("zoe"), actor("rosa")
    draft = save_draft(actor=actor("yan"), data={"name": "Draft"})

    def seen(name: str) -> set[int]:
        return set(Application.objects.visible_to(actor(name)).values_list("pk", flat=True))

    assert (seen("zoe"), seen("rosa"), seen("olga")) == ({submitted.pk}, {submitted.pk}, {submitted.pk})
    assert (seen("yan"), seen("alice"), seen("charlie")) == ({draft.pk}, set(), set())
    claim_application(actor=rosa, application=submitted)
    certify_application(actor=rosa, application=submitted, code="LANTERN", effective_from=date(2026, 1, 1))
    # From now on it is the organisation's: whoever leaves it sees it no more.
    assert seen("zoe") == {submitted.pk}
    Membership.objects.filter(user=zoe.user_id).delete()
    assert seen("zoe") == set()


def test_asked_answered_certified(in_review: Application) -> None:
    rosa, zoe = actor("rosa"), actor("zoe")
    with pytest.raises(BadInput):
        ask_for_information(actor=rosa, application=in_review, question=" ")
    asked = ask_for_information(actor=rosa, application=in_review, question="Which warehouse?")
    asked = save_draft(actor=zoe, application=asked, data={"markets": ["DE"]})
    with pytest.raises(BadInput):
        answer_application(actor=zoe, application=asked, answer="  ")
    answered = answer_application(actor=zoe, application=asked, answer="In Duisburg.")
    made = certify_application(
        actor=rosa, application=answered, code="LANTERN", effective_from=date(2025, 12, 15), version=answered.version
    )
    assert (made.code, made.name, made.category, made.country) == ("LANTERN", "Lantern Logistics", "logistics", "CN")
    fact = CertificationFact.objects.get(partner=made)
    assert (fact.valid_from, fact.valid_until) == (date(2025, 12, 15), None)
    assert Certification.objects.get(partner=made).days.lower == date(2025, 12, 15)
    assert FactBatch.objects.get(pk=fact.batch_id).recorded_at is not None
    assert Membership.objects.get(partner=made).role == "owner"
    answered.refresh_from_db()
    assert (answered.state, answered.partner) == ("certified", made)
    steps = answered.events.order_by("pk").values_list("step", "note__text")
    assert list(steps) == [
        ("submitted", None),
        ("claimed", None),
        ("asked", "Which warehouse?"),
        ("answered", "In Duisburg."),
        ("certified", None),
    ]
    last = AuditEvent.objects.latest("pk")
    assert (last.action, last.details["valid_from"]) == ("application.certified", "2025-12-15")
    assert verify_chain().intact
    told = Notice.objects.filter(user=zoe.user_id).order_by("pk").values_list("kind", flat=True)
    assert list(told) == [
        "application.submitted",
        "application.claimed",
        "application.asked",
        "application.certified",
    ]
    assert set(Notice.objects.filter(user=rosa.user_id).values_list("kind", flat=True)) == {
        "application.to_review",
        "application.answered",
    }


def test_a_rejected_one_may_apply_again(in_review: Application) -> None:
    with pytest.raises(BadInput):
        reject_application(actor=actor("rosa"), application=in_review, reason="")
    rejected = reject_application(actor=actor("rosa"), application=in_review, reason="No licence.")
    again = save_draft(actor=actor("zoe"), data=WHOLE)
    assert (rejected.state, again.follows, again.state) == ("rejected", rejected, "draft")
    with pytest.raises(DatabaseError, match="illegal transition"), transaction.atomic():
        Application.objects.filter(pk=rejected.pk).update(state="certified", version=99)


def test_only_certifiers_decide(submitted: Application) -> None:
    for name in ("olga", "ada", "alice", "zoe"):
        with pytest.raises(NotAllowed):
            claim_application(actor=actor(name), application=submitted)
        with pytest.raises(NotAllowed):
            certify_application(actor=actor(name), application=submitted, code="X", effective_from=date(2026, 1, 1))
    assert not Partner.objects.filter(code="X").exists()


@override_settings(CERTIFICATION_FOUR_EYES=True)
def test_four_eyes_where_they_are_wanted(in_review: Application) -> None:
    day = date(2026, 1, 1)
    with pytest.raises(NotAllowed, match="a second person"):
        certify_application(actor=actor("rosa"), application=in_review, code="LANTERN", effective_from=day)
    assert certify_application(actor=actor("remo"), application=in_review, code="LANTERN", effective_from=day).pk


@pytest.mark.parametrize("code", ["", "with space", "定邀", "x" * 65])
def test_a_malformed_code_certifies_nobody(in_review: Application, code: str) -> None:
    with pytest.raises(BadInput, match="no partner code"):
        certify_application(actor=actor("rosa"), application=in_review, code=code, effective_from=date(2026, 1, 1))


def test_a_code_or_number_that_a_partner_has(in_review: Application) -> None:
    rosa, day = actor("rosa"), date(2026, 1, 1)
    alpha = partner("ALPHA")
    with pytest.raises(Conflict, match="taken"):
        certify_application(actor=rosa, application=in_review, code="alpha", effective_from=day)
    Partner.objects.filter(pk=alpha.pk).update(country="CN", registration_no="91440300-ma5g")
    with pytest.raises(Conflict, match="registration number already"):
        certify_application(actor=rosa, application=in_review, code="LANTERN", effective_from=day)
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    assert not CertificationFact.objects.exists()


def test_whoever_comes_second_is_told_who_and_when(submitted: Application) -> None:
    claim_application(actor=actor("rosa"), application=submitted)
    with pytest.raises(Conflict, match=r"In review\. Rosa took the last step at 20\d\d-\d\d-\d\d \d\d:\d\d"):
        claim_application(actor=actor("remo"), application=submitted)
    # To the applicant, operators have no names.
    with pytest.raises(Conflict, match="The marketplace took the last step"):
        withdraw_application(actor=actor("zoe"), application=submitted, version=submitted.version)


def test_files_are_looked_at_and_kept_apart() -> None:
    zoe = actor("zoe")
    draft = save_draft(actor=zoe, data=WHOLE)
    kept = add_application_file(actor=zoe, application=draft, file=pdf("..\\..//执照\u202e.pdf"))
    assert (kept.name, kept.media_type, kept.size) == ("执照.pdf", "application/pdf", len(PDF))
    path = Path(storages["private"].path(kept.content.name or ""))
    assert path.read_bytes() == PDF
    assert path.stat().st_mode & 0o077 == 0
    for file, words in (
        (pdf(), "here already"),
        (pdf("a.pdf", b""), "empty"),
        (pdf("a.pdf", b"<html><script>"), "neither a PDF"),
        (pdf("a.pdf", PDF + b"x" * 1024 * 1024), "larger than 1 MB"),
    ):
        with pytest.raises((BadInput, Conflict), match=words), override_settings(UPLOAD_MAX_BYTES=1024 * 1024):
            add_application_file(actor=zoe, application=draft, file=file)
    for number in range(9):
        add_application_file(actor=zoe, application=draft, file=pdf("b.pdf", PDF + str(number).encode()))
    with pytest.raises(BadInput, match="At most 10 files"):
        add_application_file(actor=zoe, application=draft, file=pdf("c.pdf", PDF + b"one more"))
    assert len(list(path.parent.iterdir())) == 10  # nothing is left of what was refused
    submit_application(actor=zoe, application=draft)
    with pytest.raises(Conflict, match="stays"):
        remove_application_file(actor=zoe, file=kept)
    assert ApplicationFile.objects.filter(pk=kept.pk).exists()


def test_a_file_is_taken_out_of_a_draft(django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    zoe = actor("zoe")
    kept = add_application_file(actor=zoe, application=save_draft(actor=zoe, data=WHOLE), file=pdf())
    path = Path(storages["private"].path(kept.content.name or ""))
    with pytest.raises(NotAllowed):
        remove_application_file(actor=actor("yan"), file=kept)
    with django_capture_on_commit_callbacks(execute=True):
        remove_application_file(actor=zoe, file=kept)
    assert not path.exists()


def test_what_was_decided_stays(in_review: Application) -> None:
    event = in_review.events.latest("pk")
    for change in (event.delete, in_review.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_wins() -> None:
    zoe, rosa, remo = actor("zoe"), actor("rosa"), actor("remo")
    application = submit_application(actor=zoe, application=save_draft(actor=zoe, data=WHOLE))
    application = claim_application(actor=rosa, application=application)
    version = application.version
    start, answers = threading.Barrier(2), []

    def decide(act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            with translation.override("en"):
                answers.append(act())
        except Conflict as refused:
            answers.append(refused)
        finally:
            connection.close()

    acts = (
        lambda: certify_application(
            actor=rosa, application=application, code="LANTERN", effective_from=date(2026, 1, 1), version=version
        ),
        lambda: reject_application(actor=remo, application=application, reason="No licence.", version=version),
    )
    threads = [threading.Thread(target=decide, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (refused,) = [answer for answer in answers if isinstance(answer, Conflict)]
    application.refresh_from_db()
    winner = "Rosa" if application.state == "certified" else "Remo"
    assert f"{winner} took the last step" in refused.message
    assert Partner.objects.filter(code="LANTERN").exists() is (application.state == "certified")
    assert application.events.count() == 3
    assert verify_chain().intact
