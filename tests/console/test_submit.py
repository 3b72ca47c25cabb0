"""Submitting a run's payouts in the admin dashboard: what is said before, what is chosen, what happened (POLICY 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Role
from core.models import AuditEvent, Note, Program, RoleGrant
from core.recording import open_batch, seal
from incentives.models import Payout, Run
from incentives.services import (
    claw_back,
    hold_payout,
    return_payout,
    submit_run,
    void_line,
    void_payout,
)
from incentives.services.submission_plan import plan_submission
from incentives.states import RunKind, RunState, Verdict
from partners.models import Suspension
from tests.console.payouts import paid
from tests.console.reading import text
from tests.incentives.factories import (
    Spec,
    World,
    make_brand,
    make_entry,
    make_merchant,
    make_partner,
    make_program,
    make_run,
    make_user,
    make_world,
)

SignIn = Callable[..., Client]


@pytest.fixture
def closed(world: World) -> Program:
    """A program that has closed for observation, whatever the clock says."""
    return make_program("POP-2025Q1", year=2025)


@pytest.fixture
def run(world: World, closed: Program) -> Run:
    """Two ready partners; Haiqiao has three eligible shops, its rival one."""
    return make_run(closed, [*(Spec(f"C-{n}", world.haiqiao) for n in (1, 2, 3)), Spec("C-4", world.rival)])


def at(run: Run) -> str:
    return f"/operator/runs/{run.pk}/submit"


def filled_in(page: Any, *, only: Iterable[str] | None = None, reason: str = "", script: bool = True) -> dict[str, Any]:
    """The page's form as a browser sends it: with its script, which counts what is chosen, or without."""
    html = page.content.decode()
    boxes = re.findall(r'name="partner" value="([^"]+)" data-payable="([^"]+)"([^>]*)>', html)
    chosen = [(code, payable) for code, payable, rest in boxes if (code in only if only else " checked" in rest)]
    seen, shown = (re.findall(rf'name="{name}" value="([^"]*)"', html)[0] for name in ("seen", "shown"))
    if script:
        seen, shown = str(len(chosen)), str(sum((Decimal(payable) for _code, payable in chosen), Decimal(0)))
    return {"partner": [code for code, _payable in chosen], "seen": seen, "shown": shown, "text": reason}


def press(client: Client, run: Run, **given: Any) -> Any:
    return client.post(at(run), filled_in(client.get(at(run)), **given), follow=True)


def states(run: Run) -> dict[str, str]:
    return {payout.partner.code: str(payout.payable) for payout in Payout.objects.filter(run=run)}


def test_the_runs_page_leads_there_and_the_button_says_the_amount(world: World, sign_in: SignIn, run: Run) -> None:
    olga = sign_in("olga")
    assert f'href="{at(run)}"' in olga.get(f"/operator/runs/{run.pk}").content.decode()
    said = text(olga.get(at(run)))
    assert "2 partners are ready: 8,000.00 CNY." in said
    assert "海桥物流 haiqiao 3 0 / 3 6,000.00 100% – 6,000.00" in said
    assert "Submit 2 payouts · 8,000.00 CNY" in said
    assert "open for observation" not in said
    assert not Payout.objects.exists()


def test_one_press_submits_and_leads_to_what_was_submitted(world: World, sign_in: SignIn, run: Run) -> None:
    page = press(sign_in("olga"), run)
    assert page.redirect_chain == [(f"/operator/payouts?run={run.pk}&state=in_review&ordering=-submitted_at", 302)]
    assert "2 payouts are in review · 8,000.00 CNY. Their partners see them now." in text(page)
    assert sorted(row.payout.partner_code for row in page.context["rows"]) == ["haiqiao", "rival"]
    assert states(run) == {"haiqiao": "6000.00", "rival": "2000.00"}
    again = text(sign_in("olga").get(at(run)))
    assert "Nothing is left to submit." in again
    assert "Olga submitted its payout on" in again


def test_chosen_are_those_that_stay_ticked(world: World, sign_in: SignIn, run: Run) -> None:
    page = press(sign_in("olga"), run, only={"rival"})
    assert "1 payout is in review · 2,000.00 CNY. Its partner sees it now." in text(page)
    assert states(run) == {"rival": "2000.00"}


def test_without_scripts_a_changed_choice_is_shown_before_it_is_submitted(
    world: World, sign_in: SignIn, run: Run
) -> None:
    olga = sign_in("olga")
    page = press(olga, run, only={"rival"}, reason="Kept.", script=False)
    said = text(page)
    assert "You have chosen 1 partner now. Nothing is submitted yet: read the amount, and press again." in said
    assert "Submit 1 payout · 2,000.00 CNY" in said
    assert ">Kept.</textarea>" in page.content.decode()
    assert not Payout.objects.exists()
    olga.post(at(run), filled_in(page, script=False))
    assert states(run) == {"rival": "2000.00"}


def test_no_choice_is_no_submission(world: World, sign_in: SignIn, run: Run) -> None:
    answer = sign_in("olga").post(at(run), {"seen": "0", "shown": "0.00"})
    assert (answer.status_code, Payout.objects.count()) == (422, 0)
    assert "Choose at least one partner." in text(answer)


@pytest.mark.parametrize("sent", ["", "nonsense", "NaN", "1e999999999", "6000.01"])
def test_another_amount_than_the_pages_submits_nothing(world: World, sign_in: SignIn, run: Run, sent: str) -> None:
    answer = sign_in("olga").post(at(run), {"partner": ["haiqiao"], "seen": "1", "shown": sent})
    assert (answer.status_code, Payout.objects.count()) == (409, 0)
    assert "Nothing was submitted: these payouts come to 6,000.00 CNY now" in text(answer)


@pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.NEEDS_DATA])
def test_a_partner_with_open_shops_is_ticked_with_a_reason(
    world: World, sign_in: SignIn, closed: Program, verdict: Verdict
) -> None:
    run = make_run(closed, [Spec("C-1", world.haiqiao), Spec("C-2", world.haiqiao, verdict), Spec("C-4", world.rival)])
    olga = sign_in("olga")
    said = text(olga.get(at(run)))
    assert "1 partner is ready: 2,000.00 CNY. 1 is submitted only with a reason: 2,000.00 CNY." in said
    assert {Verdict.PENDING: "1 pending", Verdict.NEEDS_DATA: "1 needs data"}[verdict] in said
    assert "Submit 1 payout · 2,000.00 CNY" in said  # the rival's

    refused = press(olga, run, only={"haiqiao", "rival"})
    assert refused.status_code == 409
    assert "Nothing was submitted. 海桥物流: It has shops that are pending or need data; give a reason" in text(refused)
    assert "Submit 2 payouts · 4,000.00 CNY" in text(refused)
    assert not Payout.objects.exists()

    press(olga, run, only={"haiqiao", "rival"}, reason="The rest follows.")
    assert states(run) == {"haiqiao": "2000.00", "rival": "2000.00"}


def test_before_the_program_closes_a_reason_is_asked_for(world: World, sign_in: SignIn) -> None:
    run = make_run(make_program("POP-2099Q1", year=2099), [Spec("F-1", world.haiqiao)])
    olga = sign_in("olga")
    assert "open for observation until 1 Jun 2099, 00:00 (Beijing time): refunds may still come" in text(
        olga.get(at(run))
    )
    refused = press(olga, run)
    assert (refused.status_code, Payout.objects.count()) == (422, 0)
    assert "Give a reason to submit now." in text(refused)
    assert "1 payout is in review" in text(press(olga, run, reason="Agreed."))
    assert Payout.objects.get().decisions.filter(reason__text="Agreed.").count() == 1


def test_what_will_be_withheld_is_said_before_and_after(world: World, sign_in: SignIn, closed: Program) -> None:
    merchant = make_merchant()
    run = make_run(
        closed,
        [
            Spec("A-1", world.haiqiao, merchant=merchant),
            Spec("A-2", world.rival, merchant=merchant),
            Spec("A-3", world.rival),
        ],
    )
    olga = sign_in("olga")
    said = text(olga.get(at(run)))
    assert "1 line is withheld" in said
    assert "rival 1 +1 withheld" in said
    assert "A-2 Rival Services rival Another shop of this merchant is already in a payout 2,000.00" in said
    assert "Submit 2 payouts · 4,000.00 CNY" in said
    page = press(olga, run)
    assert "A-2 is withheld: Another shop of this merchant is already in a payout" in text(page)
    assert states(run) == {"haiqiao": "2000.00", "rival": "2000.00"}


def test_a_voided_partner_is_left_out_and_a_voided_merchant_withheld(world: World, sign_in: SignIn, run: Run) -> None:
    submit_run(actor=world.actor("olga"), run=run)
    mine, theirs = (Payout.objects.get(run=run, partner=partner) for partner in (world.haiqiao, world.rival))
    void_line(actor=world.actor("omar"), line=mine.lines.get(shop__code="C-1"), reason="A forged licence.")
    return_payout(actor=world.actor("omar"), payout=mine, reason="Again, please.")
    void_payout(actor=world.actor("omar"), payout=theirs, reason="Fabricated orders.")
    page = sign_in("olga").get(at(run))
    said = text(page)
    assert "C-1 海桥物流 haiqiao This merchant was voided in this program" in said
    assert "Submit 1 payout · 4,000.00 CNY" in said
    assert "1 partner is barred by a void Rival Services rival Its payout was voided; undo that first." in said
    assert f'href="/operator/payouts/{theirs.pk}"' in page.content.decode()
    assert sorted(filled_in(page)["partner"]) == ["haiqiao"]


def test_what_will_be_held_says_so(world: World, sign_in: SignIn, run: Run) -> None:
    submit_run(actor=world.actor("olga"), run=run, partners=[world.rival])
    theirs = Payout.objects.get(run=run)
    hold_payout(actor=world.actor("omar"), payout=theirs, reason="The bank asks.")
    return_payout(actor=world.actor("omar"), payout=theirs, reason="Again, please.")
    suspend(world)
    said = text(sign_in("olga").get(at(run)))
    assert "held at once The bank asks." in said
    assert "held at once The partner is suspended." in said
    page = press(sign_in("olga"), run)
    assert "2 of them are held at once" in text(page)
    assert Payout.objects.filter(run=run, held=True, state="in_review").count() == 2


def suspend(world: World) -> None:
    with transaction.atomic():
        batch = open_batch(source="operator", actor_id=world.olga.pk)
        note = Note.objects.create(text="Link misuse")
        since = (datetime(2026, 6, 1, tzinfo=UTC), None)
        Suspension.objects.create(partner=world.haiqiao, during=since, reason=note, batch=batch)
        seal(batch)


def test_what_was_clawed_back_is_only_paid_again_by_name_and_with_a_reason(
    world: World, sign_in: SignIn, run: Run
) -> None:
    submit_run(actor=world.actor("olga"), run=run, partners=[world.rival])
    taken = paid(world, Payout.objects.get(run=run))
    claw_back(actor=world.actor("omar"), payout=taken, reason="It was made up.")
    olga = sign_in("olga")
    page = olga.get(at(run))
    assert "Its payout was clawed back" in text(page)
    assert filled_in(page)["partner"] == ["haiqiao"]
    # Its debt is carried into the payout: nothing is paid before it is settled.
    assert "−2,000.00 0.00 closes unpaid, carried on" in text(page)
    press(olga, run, only={"rival"}, reason="It was true after all.")
    assert Payout.objects.in_life().get(run=run).payable == 0


def test_two_people_submit_at_once(world: World, sign_in: SignIn, run: Run) -> None:
    RoleGrant.objects.create(user=world.omar, role=Role.REVIEWER)
    olga, omar = sign_in("olga"), sign_in("omar")
    slow = filled_in(olga.get(at(run)))
    press(omar, run, only={"rival"})
    late = olga.post(at(run), slow)
    assert late.status_code == 409
    said = text(late)
    assert re.search(r"Nothing was submitted\. Rival Services: Omar submitted its payout on \d{4}-\d\d-\d\d", said)
    assert "Submit 1 payout · 6,000.00 CNY" in said
    assert states(run) == {"rival": "2000.00"}
    assert AuditEvent.objects.filter(action="payouts.submitted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_wins() -> None:
    world = make_world()
    RoleGrant.objects.create(user=world.omar, role=Role.REVIEWER)
    run = make_run(make_program("POP-2025Q1", year=2025), [Spec("C-1", world.haiqiao), Spec("C-2", world.rival)])
    clients = []
    for user in (world.olga, world.omar):
        clients.append(Client())
        clients[-1].force_login(user)
    sent = [filled_in(client.get(at(run))) for client in clients]

    def go(number: int) -> int:
        try:
            return int(clients[number].post(at(run), sent[number]).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(go, (0, 1)))
    assert answers == [302, 409]
    assert Payout.objects.count() == 2


def test_a_run_whose_figures_nobody_is_shown_is_not_submitted(world: World, sign_in: SignIn, run: Run) -> None:
    olga = sign_in("olga")
    waiting = filled_in(olga.get(at(run)))
    later = make_run(run.program, [Spec("C-1", world.haiqiao)])
    page = olga.get(at(run))
    assert f"Run {later.pk} has replaced the figures of run {run.pk}" in text(page)
    assert f'href="{at(later)}"' in page.content.decode()
    assert f'href="{at(run)}"' not in olga.get(f"/operator/runs/{run.pk}").content.decode()
    assert olga.post(at(run), waiting).status_code == 409
    trial = make_run(run.program, [Spec("C-1", world.haiqiao)], kind=RunKind.DRAFT)
    broken = make_run(run.program, [Spec("C-1", world.haiqiao)], state=RunState.FAILED)
    assert "A draft run tries a policy; it is never paid." in text(olga.get(at(trial)))
    assert "only a finished one can be submitted" in text(olga.get(at(broken)))
    assert not Payout.objects.exists()


def test_it_is_offered_to_whom_it_is_open_and_refused_to_the_rest(world: World, sign_in: SignIn, run: Run) -> None:
    sent = filled_in(sign_in("olga").get(at(run)))
    world.aurora = make_user("aurora", Role.AUDITOR)  # type: ignore[attr-defined]
    for name in ("omar", "fiona", "aurora"):
        client = sign_in(name)
        assert at(run) not in client.get(f"/operator/runs/{run.pk}").content.decode()
        assert (client.get(at(run)).status_code, client.post(at(run), sent).status_code) == (403, 403)
    for name in ("alice", "charlie"):
        client = sign_in(name)
        assert (client.get(at(run)).status_code, client.post(at(run), sent).status_code) == (404, 404)
    assert Client().get(at(run)).status_code == 302
    assert sign_in("olga").get("/operator/runs/999999/submit").status_code == 404
    assert not Payout.objects.exists()


def test_it_asks_as_often_for_fifty_partners_as_for_one(world: World, sign_in: SignIn, closed: Program) -> None:
    olga = sign_in("olga")

    def asked(specs: list[Spec]) -> int:
        run = make_run(closed, specs)
        olga.get(at(run))
        with CaptureQueriesContext(connection) as queries:
            said = text(olga.get(at(run)))
        assert f"Submit {len(specs) // 2 or 1} payout" in said
        return len(queries)

    few = asked([Spec("Q-0", world.haiqiao)])
    merchant, many = make_merchant(), [make_partner(f"many-{n}", payee=False) for n in range(50)]
    specs = [Spec(f"Q-{n}", each, merchant=merchant) for n, each in enumerate(many)]
    assert asked([*specs, *(Spec(f"R-{n}", each, Verdict.NOT_ELIGIBLE) for n, each in enumerate(many))]) == few
    assert few <= 20


# --- What is foreseen is what happens -----------------------------


def of_one(what: str, world: World, program: Program) -> list[Spec]:
    """Shops that share a merchant, a brand or an entry across partners and within one, earlier ones first by code."""
    makers: dict[str, Callable[[], Any]] = {
        "merchant": make_merchant,
        "brand": lambda: make_brand("LANQO"),
        "entry": lambda: make_entry(program, make_merchant()),
    }
    shared = makers[what]()
    named = [Spec(f"A-{n}", partner) for n, partner in enumerate((world.rival, world.haiqiao, world.haiqiao))]
    for spec in named:
        setattr(spec, what, shared)
    return [*named, Spec("B-1", world.haiqiao), Spec("B-2", world.rival)]


@pytest.mark.parametrize("what", ["merchant", "brand", "entry"])
@pytest.mark.parametrize("chosen", [{"haiqiao"}, {"rival"}, {"haiqiao", "rival"}])
@pytest.mark.parametrize("before", [set(), {"rival"}])
def test_the_plan_is_what_the_submission_does(
    world: World, closed: Program, what: str, chosen: set[str], before: set[str]
) -> None:
    olga = world.actor("olga")
    partners = {"haiqiao": world.haiqiao, "rival": world.rival}
    run = make_run(closed, of_one(what, world, closed))
    if before:
        submit_run(actor=olga, run=run, partners=[partners[code] for code in before])
    named = chosen - before
    plan = plan_submission(actor=olga, run=run, partners=named)
    report = submit_run(actor=olga, run=run, partners=[partners[code] for code in named])
    foreseen = {(line.shop_code, line.code) for line in plan.withheld if line.partner_code in named}
    assert foreseen == {(line.shop_code, line.code) for line in report.withheld}
    assert {each.partner_code: each.payable for each in plan.chosen} == {
        payout.partner.code: payout.payable for payout in report.payouts
    }
    assert plan.payable == report.payable


def test_a_withheld_shop_keeps_nobody_out(world: World, closed: Program) -> None:
    """Of three in a row only the second meets the first: the third lives, as the second never took its brand."""
    merchant, brand = make_merchant(), make_brand("LANQO")
    run = make_run(
        closed,
        [
            Spec("A-1", world.haiqiao, merchant=merchant),
            Spec("A-2", world.haiqiao, merchant=merchant, brand=brand),
            Spec("A-3", world.rival, brand=brand),
        ],
    )
    plan = plan_submission(actor=world.actor("olga"), run=run)
    report = submit_run(actor=world.actor("olga"), run=run, shown=plan.payable)
    assert [(line.shop_code, line.code) for line in plan.withheld] == [("A-2", "same_merchant")]
    assert [line.shop_code for line in report.withheld] == ["A-2"]


def test_the_discount_applies_to_what_lives(world: World, sign_in: SignIn) -> None:
    """Half of what is left after a withheld line, rounded once, as the submission rounds it."""
    tiers = {"example": True, "tiers": [{"from": "0.10", "pay": "0.333333"}]}
    program, merchant = make_program("POP-2025Q2", year=2025, discount=tiers), make_merchant()
    run = make_run(
        program,
        [
            Spec("D-1", world.haiqiao, merchant=merchant),
            Spec("D-2", world.haiqiao, merchant=merchant),
            Spec("D-3", world.haiqiao, Verdict.NOT_ELIGIBLE, high_risk=True),
        ],
    )
    page = sign_in("olga").get(at(run))
    assert "Submit 1 payout · 666.67 CNY" in text(page)
    press(sign_in("olga"), run)
    assert states(run) == {"haiqiao": "666.67"}
