"""Programs: what everybody reads, who joins, by which version, and how a new version is told."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from core.audit import verify_chain
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, PolicyVersion, Program
from core.notices.kinds import kind_of
from core.notices.mailing import build_mail
from core.notices.models import Notice
from core.policy import Policy
from core.services import create_program, publish_policy
from partners.models import Certification, Joining, Membership, Partner
from partners.services import join_program, reinstate_partner, suspend_partner
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db
HOUSE = Actor.system("tests")
NAME = {"en": "Spring quarter", "zh-hans": "春季计划"}


def policy(**document: Any) -> Policy:
    return Policy.parse({"name": NAME, **document})


@pytest.fixture
def program() -> Program:
    today = timezone.now().date()
    return create_program(
        actor=HOUSE,
        code="SPRING",
        start=today - timedelta(days=10),
        end=today + timedelta(days=60),
        policy=policy(),
    )


def certified(code: str) -> Partner:
    found = partner(code)
    Certification.objects.create(partner=found, days=DateRange(date(2026, 1, 1), None, "[)"))
    return found


def latest(program: Program) -> PolicyVersion:
    return program.policies.latest("number")


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(person(name))
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]))


def test_an_owner_joins(program: Program) -> None:
    alpha = certified("ALPHA")
    joining = join_program(actor=actor("alice"), partner=alpha, policy=latest(program), commitment=40)
    assert (joining.program, joining.commitment, joining.accepted_by) == (program, 40, person("alice"))
    last = AuditEvent.objects.latest("pk")
    assert last.action == "program.joined"
    assert last.details["fingerprint"] == latest(program).fingerprint
    assert verify_chain().intact
    with pytest.raises(Conflict, match="accepted this version already"):
        join_program(actor=actor("alice"), partner=alpha, policy=latest(program), commitment=50)
    with pytest.raises(DatabaseError), transaction.atomic():
        Joining.objects.filter(pk=joining.pk).update(commitment=1)


def test_who_does_not(program: Program) -> None:
    alpha = certified("ALPHA")
    # Bob only recruits; Charlie owns another; Dora owns one and merely looks at this one.
    Membership.objects.create(partner=alpha, user=person("charlie"), role="viewer")
    for name in ("bob", "charlie", "rosa", "zoe"):
        with pytest.raises(NotAllowed, match="Only an owner"):
            join_program(actor=actor(name), partner=alpha, policy=latest(program), commitment=5)
    for commitment in (0, -1, 1_000_001):
        with pytest.raises(BadInput):
            join_program(actor=actor("alice"), partner=alpha, policy=latest(program), commitment=commitment)
    assert not Joining.objects.exists()


def test_only_a_certified_partner_in_an_open_program(program: Program) -> None:
    alice, alpha = actor("alice"), partner("ALPHA")
    with pytest.raises(Conflict, match="Only a certified partner"):
        join_program(actor=alice, partner=alpha, policy=latest(program), commitment=5)
    certified("ALPHA")
    suspend_partner(actor=actor("rita"), partner=alpha, reason="Looked into.")
    with pytest.raises(Conflict, match="none while it is suspended"):
        join_program(actor=alice, partner=alpha, policy=latest(program), commitment=5)
    reinstate_partner(actor=actor("rita"), partner=alpha, reason="Cleared.")
    over = timezone.now() + timedelta(days=62)
    with pytest.raises(Conflict, match="has ended"):
        join_program(actor=alice, partner=alpha, policy=latest(program), commitment=5, at=over)
    old = latest(program)
    publish_policy(actor=HOUSE, program_code="SPRING", policy=policy(claim={"days": 20}))
    with pytest.raises(Conflict, match="newer version"):
        join_program(actor=alice, partner=alpha, policy=old, commitment=5)
    assert join_program(actor=alice, partner=alpha, policy=latest(program), commitment=5).policy.number == 2


def test_a_new_version_is_told_to_who_takes_part(program: Program) -> None:
    alpha = certified("ALPHA")
    person("bob"), certified("GAMMA"), person("charlie")
    join_program(actor=actor("alice"), partner=alpha, policy=latest(program), commitment=40)
    publish_policy(actor=HOUSE, program_code="SPRING", policy=policy(activation={"window_days": 45}))
    told = Notice.objects.filter(kind="program.new_policy").values_list("user__email", flat=True)
    assert set(told) == {"alice@example.com", "bob@example.com"}
    notice = Notice.objects.filter(user=person("alice")).latest("pk")
    assert notice.params == {"program": NAME, "number": 2, "policy": latest(program).pk}
    # The mail says what differs; a person of two organisations reads it against what was accepted last.
    kind = kind_of(notice.kind)
    assert kind
    mail = build_mail(notice, kind)
    assert mail.subject == "Spring quarter: new rules, version 2"
    assert "Against version 1, which you accepted:" in mail.body
    assert "so far: 30" in mail.body
    assert "from now on: 45" in mail.body
    assert "/partner/SPRING/rules" in mail.body
    (page,) = [str(content) for content, _type in mail.alternatives]
    assert "from now on: 45" in page


def test_the_public_page_says_what_it_pays_and_asks(program: Program, client: Client) -> None:
    page = text(client.get("/programs/SPRING", headers={"accept-language": "en"}))
    for words in (
        "Spring quarter",
        "2,000.00 CNY for each eligible shop",
        "above 1,000.00 CNY of settled GMV",
        "version 1, published",
        "How to take part",
        "Sign in and apply",
    ):
        assert words in page
    assert "Spring quarter" in text(client.get("/programs/", headers={"accept-language": "en"}))
    chinese = text(client.get("/programs/SPRING", headers={"accept-language": "zh-hans"}))
    assert "春季计划" in chinese
    assert "¥2,000.00" in chinese
    assert client.get("/programs/NO-SUCH").status_code == 404


def test_what_is_over_is_not_offered(client: Client) -> None:
    create_program(actor=HOUSE, code="OLD", start=date(2020, 1, 1), end=date(2020, 3, 31), policy=policy())
    assert "No program is open now." in text(client.get("/programs/", headers={"accept-language": "en"}))
    assert "This program has ended." in text(client.get("/programs/OLD", headers={"accept-language": "en"}))


def test_joining_through_the_pages(program: Program) -> None:
    certified("ALPHA")
    alice, page = browser("alice"), "/partner/SPRING/rules"
    assert "You don't take part yet." in text(alice.get("/partner/programs")).replace("&#x27;", "'")
    refused = alice.post(page, {"version": "1", "commitment": "", "agreed": ""})
    assert refused.status_code == 422
    assert set(re.findall(r'id="id_(\w+)_error"', refused.content.decode())) == {"commitment", "agreed"}
    done = alice.post(page, {"version": "1", "commitment": "40", "agreed": "on"}, follow=True)
    assert "You take part, by version 1, which Alice accepted on" in text(done)
    assert "Commitment: 40 shops." in text(done)
    # A new version: what differs, in words, until it is accepted too.
    publish_policy(actor=HOUSE, program_code="SPRING", policy=policy(activation={"window_days": 45}))
    assert "You accepted version 1; version 2 is in force." in text(alice.get("/partner/programs"))
    shown = text(alice.get(page))
    assert "Time to sell after the certification 30 days 45 days" in shown
    late = alice.post(page, {"version": "1", "commitment": "40", "agreed": "on"})
    assert "A newer version of the rules was published." in text(late)
    alice.post(page, {"version": "2", "commitment": "50", "agreed": "on"})
    assert "You take part, by version 2" in text(alice.get(page))
    assert list(Joining.objects.order_by("pk").values_list("policy__number", "commitment")) == [(1, 40), (2, 50)]


def test_who_may_not_is_told_why_and_rivals_see_nothing(program: Program) -> None:
    alpha = certified("ALPHA")
    certified("GAMMA")
    join_program(actor=actor("alice"), partner=alpha, policy=latest(program), commitment=4321)
    publish_policy(actor=HOUSE, program_code="SPRING", policy=policy(activation={"window_days": 45}))
    bob = browser("bob")
    assert "Only an owner can accept a program" in text(bob.get("/partner/SPRING/rules"))
    assert "4321" in text(bob.get("/partner/SPRING/rules"))
    refused = bob.post("/partner/SPRING/rules", {"version": "2", "commitment": "9", "agreed": "on"})
    assert refused.status_code == 422
    charlie = browser("charlie")
    for address in ("/partner/programs", "/partner/SPRING/rules"):
        assert "4321" not in charlie.get(address).content.decode()
        assert charlie.get(f"{address}?partner=ALPHA").status_code == 404
        assert Client().get(address).status_code == 302
        assert browser("zoe").get(address).status_code == 404
    stolen = charlie.post("/partner/SPRING/rules?partner=ALPHA", {"version": "2", "commitment": "1", "agreed": "on"})
    assert stolen.status_code == 404
    assert Joining.objects.count() == 1


def test_a_suspended_partner_is_told_and_reads_why(program: Program) -> None:
    alpha = certified("ALPHA")
    alice, bob = browser("alice"), person("bob")
    suspend_partner(actor=actor("rita"), partner=alpha, reason="Links were sold.")
    page = text(alice.get("/partner/programs"))
    assert "Suspended since" in page
    assert "Links were sold." in page
    reinstate_partner(actor=actor("rita"), partner=alpha, reason="Cleared.")
    assert "Suspended since" not in text(alice.get("/partner/programs"))
    told = Notice.objects.filter(user=bob).order_by("pk").values_list("kind", flat=True)
    assert list(told) == ["partner.suspended", "partner.reinstated"]
    assert "Links were sold" not in str(list(Notice.objects.values()))


def test_more_programs_take_no_more_queries(program: Program) -> None:
    certified("ALPHA")
    alice = browser("alice")
    alice.get("/partner/programs")
    for address in ("/partner/programs", "/programs/"):
        with CaptureQueriesContext(connection) as few:
            alice.get(address)
        for number in range(4):
            end = timezone.now().date() + timedelta(days=30)
            create_program(actor=HOUSE, code=f"P{number}{address.count('p')}", start=end, end=end, policy=policy())
        with CaptureQueriesContext(connection) as many:
            alice.get(address)
        assert len(many) == len(few)
