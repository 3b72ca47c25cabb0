"""Partners in the admin dashboard: the list, one partner, and the decisions on its standing and its account."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import ROLE_CAPABILITIES, Capability, Role
from core.models import AuditEvent
from incentives.models import Payout
from incentives.services import submit_run, suspend_partner_and_hold
from partners.models import Certification, InviteLink, Joining, Partner, Payee, Suspension
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, World, batch, make_partner, make_user
from tests.partners.payees import OTHER_NUMBER, confirmed, state
from tests.people import actor, person

PAGE = "/operator/partners/haiqiao"


def browser(name: str) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def make_link(partner: Partner, code: str) -> InviteLink:
    now = timezone.now()
    return InviteLink.objects.create(
        code=code, partner=partner, starts_at=now, expires_at=now + timedelta(days=30), batch=batch()
    )


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's, in review: 4,000.00 CNY before the discount."""
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    return Payout.objects.get(partner=world.haiqiao)


def test_a_partner_is_shown_with_all_that_is_known_of_it(world: World, payout: Payout) -> None:
    Certification.objects.create(partner=world.haiqiao, days=DateRange(date(2026, 1, 1), None, "[)"))
    Joining.objects.create(
        partner=world.haiqiao,
        program=world.program,
        policy=world.program.current_policy,
        commitment=40,
        accepted_by=world.alice,
        accepted_at=timezone.now(),
    )
    make_link(world.haiqiao, "LINK-1")
    page = browser("olga").get(PAGE)
    said = text(page)
    for known in ("海桥物流", "Certified since 1 Jan 2026.", "LINK-1", "Alice Owner", "Bob Member", "POP-2026Q1 v1 40"):
        assert known in said
    assert f"POP-2026Q1 · {payout.pk}" in said
    assert f"{payout.payable:,.2f} CNY" in said
    assert "•••• 0018" in said
    assert "6228480402564890018" not in page.content.decode()
    inside = browser("olga").get(f"/partner/POP-2026Q1/payout?partner=haiqiao&payout={payout.pk}")
    assert inside.status_code == 200


def test_a_suspension_says_what_it_stops_and_stops_it(world: World, payout: Payout) -> None:
    make_link(world.haiqiao, "LINK-1")
    rita = browser("rita")
    before = text(rita.get(PAGE))
    assert "1 link stops working." in before
    assert f"1 unpaid payout is held: {payout.payable:,.2f} CNY" in before
    refused = rita.post(f"{PAGE}/suspend", {"reason": " "})
    assert refused.status_code == 409
    assert "Say why: the partner reads it." in text(refused)
    assert not Suspension.objects.exists()
    said = text(rita.post(f"{PAGE}/suspend", {"reason": "Its links were sold."}, follow=True))
    assert "海桥物流 is suspended, and reads why. 1 unpaid payout is held." in said
    assert "Its links were sold." in said
    assert Payout.objects.get(pk=payout.pk).held
    assert "On hold" in said
    assert "Suspended · Rita" in said
    said = text(rita.post(f"{PAGE}/reinstate", {"reason": "It was not its own doing."}, follow=True))
    assert "is reinstated. Its links work again; payouts on hold stay so." in said
    assert Payout.objects.get(pk=payout.pk).held
    assert "1 payout is on hold already and stays so." in said
    said = text(rita.post(f"{PAGE}/terminate", {"reason": "Again."}, follow=True))
    assert "has ended; it reads why. No payout had to be held." in said
    assert "Decide on its standing" not in said
    actions = AuditEvent.objects.filter(action__startswith="partner.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["partner.suspended", "partner.reinstated", "partner.terminated"]


def test_whoever_suspends_second_is_told_who_and_when_and_keeps_the_words(world: World) -> None:
    suspend_partner_and_hold(actor=actor("rita"), partner=world.haiqiao, reason="Its links were sold.")
    late = Client(headers={"accept-language": "en"})
    late.force_login(make_user("rosalind", Role.RISK))
    answer = late.post(f"{PAGE}/suspend", {"reason": "Found the same."})
    assert answer.status_code == 409
    assert "haiqiao is suspended already: Rita did it at 20" in text(answer)
    assert Suspension.objects.count() == 1
    assert late.post(f"{PAGE}/reinstate", {"reason": "Cleared."}).status_code == 302
    assert "haiqiao is not suspended." in text(late.post(f"{PAGE}/reinstate", {"reason": "Cleared."}))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER, Role.MEMBER, Role.VIEWER}))
def test_decisions_are_offered_to_whoever_may_take_them_and_refused_to_others(world: World, role: Role) -> None:
    stated = state(world.actor("alice"), world.haiqiao, account_number=OTHER_NUMBER)
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(make_user("reader", role))
    body = reader.get(PAGE).content.decode()
    suspends = Capability.SUSPEND_PARTNER in ROLE_CAPABILITIES[role]
    confirms = Capability.CONFIRM_PAYEE in ROLE_CAPABILITIES[role]
    assert (f'action="{PAGE}/suspend"' in body) is suspends
    assert (f'action="{PAGE}/payee/{stated.pk}/confirm"' in body) is confirms
    before = AuditEvent.objects.count()
    if not suspends:
        for step in ("suspend", "reinstate", "terminate"):
            answer = reader.post(f"{PAGE}/{step}", {"reason": "Because."})
            assert "Your role doesn't allow you" in text(answer)
        assert not Suspension.objects.exists()
    if not confirms:
        for answer_given in ("confirm", "refuse"):
            posted = {"version": str(stated.version), "reason": "Because."}
            answer = reader.post(f"{PAGE}/payee/{stated.pk}/{answer_given}", posted)
            assert "Your role doesn't allow you" in text(answer)
        assert Payee.objects.get(pk=stated.pk).state == "waiting"
    assert AuditEvent.objects.count() == before


def test_an_account_is_confirmed_by_whoever_may(world: World) -> None:
    stated = state(world.actor("alice"), world.haiqiao, account_number=OTHER_NUMBER)
    fiona, queue = browser("fiona"), "/operator/partners?payee=waiting"
    assert "1 Accounts to confirm" in text(fiona.get("/operator/"))
    assert [row.code for row in fiona.get(queue).context["page"]] == ["haiqiao"]
    page = fiona.get(PAGE)
    said = text(page)
    assert "Payments go to this account from now on. Ask the partner first" in said
    assert "•••• 1107" in said
    assert "•••• 0018" in said
    assert OTHER_NUMBER not in page.content.decode()
    confirm = f"{PAGE}/payee/{stated.pk}/confirm"
    assert "It has changed since you opened it" in text(fiona.post(confirm, {"version": "77"}))
    said = text(fiona.post(confirm, {"version": str(stated.version)}, follow=True))
    assert "Confirmed the account •••• 1107 of 海桥物流." in said
    assert Payee.objects.get(pk=stated.pk).decided_by == world.fiona
    assert list(fiona.get(queue).context["page"]) == []
    assert "It has changed since you opened it" in text(fiona.post(confirm, {"version": str(stated.version)}))


def test_an_account_is_refused_with_a_reason(world: World) -> None:
    stated = state(world.actor("alice"), world.haiqiao, account_number=OTHER_NUMBER)
    fiona, refuse = browser("fiona"), f"{PAGE}/payee/{stated.pk}/refuse"
    answer = fiona.post(refuse, {"version": str(stated.version), "reason": ""})
    assert "Give a reason" in text(answer)
    assert Payee.objects.get(pk=stated.pk).state == "waiting"
    answer = fiona.post(refuse, {"version": str(stated.version), "reason": "Another holder."}, follow=True)
    assert "Refused the account •••• 1107 of 海桥物流." in text(answer)
    assert "Another holder." in text(answer)


def test_another_partners_account_isnt_decided_on_here(world: World) -> None:
    stated = state(world.actor("charlie"), world.rival, account_number=OTHER_NUMBER)
    answer = browser("fiona").post(f"{PAGE}/payee/{stated.pk}/confirm", {"version": str(stated.version)})
    assert answer.status_code == 404
    assert Payee.objects.get(pk=stated.pk).state == "waiting"


def test_the_list_is_narrowed_and_sorted_by_the_address(world: World, payout: Payout) -> None:
    today = timezone.now().date()
    later = make_partner("later", payee=False)
    gone = make_partner("gone")
    Certification.objects.create(partner=world.haiqiao, days=DateRange(date(2026, 1, 1), None, "[)"))
    Certification.objects.create(partner=later, days=DateRange(today + timedelta(days=9), None, "[)"))
    Certification.objects.create(partner=gone, days=DateRange(date(2025, 1, 1), date(2025, 7, 1), "[)"))
    suspend_partner_and_hold(actor=actor("rita"), partner=world.rival, reason="Its links were sold.")
    confirmed(world.actor("charlie"), world.rival, confirmer=actor("rita"), account_number=OTHER_NUMBER)
    olga = browser("olga")

    def codes(query: str) -> list[str]:
        return [row.code for row in olga.get(f"/operator/partners?{query}").context["page"]]

    assert codes("") == ["gone", "haiqiao", "later", "rival"]
    assert codes("standing=certified") == ["haiqiao"]
    assert codes("standing=upcoming") == ["later"]
    assert codes("standing=lapsed") == ["gone"]
    assert codes("standing=suspended") == ["rival"]
    assert codes("payee=none") == ["later"]
    assert codes("payee=confirmed&q=riv") == ["rival"]
    assert codes("q=海桥") == ["haiqiao"]
    assert codes("sort=-payouts_under_way")[:2] == ["haiqiao", "rival"]
    assert "No partner fits." in text(olga.get("/operator/partners?q=zzz"))
    csv = b"".join(olga.get("/operator/partners.csv?q=haiqiao")).decode().splitlines()
    assert csv[0] == (
        "partner_code,name,category,country,registration_no,standing,commitment,programs,colleagues,payee,"
        "payouts_under_way"
    )
    assert csv[1:] == ["haiqiao,海桥物流,logistics,,,certified,,0,2,confirmed,1"]


@pytest.mark.parametrize("path", ["/operator/partners", PAGE])
def test_the_pages_ask_the_database_as_often_for_forty_rows_as_for_one(world: World, payout: Payout, path: str) -> None:
    make_link(world.haiqiao, "LINK-0")
    olga = browser("olga")
    olga.get(path)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert olga.get(path).status_code == 200
        return len(queries)

    few = asked()
    for number in range(1, 40):
        make_link(world.haiqiao, f"LINK-{number}")
        make_partner(f"partner-{number}")
    colleagues = [(make_user(f"colleague{number}"), Role.VIEWER) for number in range(10)]
    for user, role in colleagues:
        world.haiqiao.memberships.create(user=user, role=role)
    assert asked() == few


def test_to_partners_these_pages_dont_exist(world: World) -> None:
    stated = state(world.actor("alice"), world.haiqiao, account_number=OTHER_NUMBER)
    for address in ("/operator/partners", "/operator/partners.csv", PAGE):
        assert Client().get(address).status_code == 302
        for name in ("alice", "charlie"):
            assert browser(name).get(address).status_code == 404
    before = AuditEvent.objects.count()
    for step in ("suspend", "reinstate", "terminate", f"payee/{stated.pk}/confirm", f"payee/{stated.pk}/refuse"):
        for name in ("alice", "charlie"):
            posted = {"reason": "Because.", "version": str(stated.version)}
            assert browser(name).post(f"{PAGE}/{step}", posted).status_code == 404
    assert AuditEvent.objects.count() == before


def test_an_absent_partner_and_an_unheard_of_step_arent_there(world: World) -> None:
    rita = browser("rita")
    assert rita.get("/operator/partners/nobody").status_code == 404
    assert rita.post(f"{PAGE}/crown", {"reason": "Because."}).status_code == 404
