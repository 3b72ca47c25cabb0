"""A partner's overview, on the page and in the API: what it says, to whom, in which state of a program."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Role
from incentives.models import FrozenFacts, Judgement, Run
from incentives.queries import overview as overview_module
from incentives.services import approve_payout, hold_payout, mark_paid, start_payment, submit_run, void_payout
from incentives.states import Outcome, Verdict
from merchants.models import Shop
from partners.models import InviteLink, Joining, LinkVisits, Partner
from tests.incentives.factories import (
    AFTER_CLOSE,
    Spec,
    World,
    batch,
    make_partner,
    make_program,
    make_registration,
    make_run,
)
from tests.web import test_pages

SignIn = Callable[..., Client]
PAGE = "/partner/POP-2026Q1/overview"
API = "/api/v1/overviews/POP-2026Q1/haiqiao"
# Shops of the factory were certified on 10 January: their orders count until 9 February, settled by 12 March.
IN_WINDOW = datetime(2026, 2, 7, 2, 0, tzinfo=UTC)
AFTER_WINDOW = datetime(2026, 2, 20, 2, 0, tzinfo=UTC)
PENDING, MET, NOT_MET = Outcome.PENDING, Outcome.MET, Outcome.NOT_MET


def text(answer: object) -> str:
    """What a page says."""
    return html.unescape(test_pages.text(answer))


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let the overview be asked for at this moment."""
    monkeypatch.setattr(overview_module, "timezone", SimpleNamespace(now=lambda: moment))


def selling(code: str, partner: Partner) -> Spec:
    """A shop that still has to sell, within its window."""
    return Spec(code, partner, Verdict.PENDING, outcomes={"activated": PENDING})


def uncertify(run: Run, *codes: str) -> None:
    """Make these shops of the run ones that are registered and not certified yet."""
    shops = Shop.objects.filter(code__in=codes)
    FrozenFacts.objects.filter(chain_id=run.pk, shop__in=shops).update(
        certified_at=None,
        certified_on=None,
        window_ends_on=None,
        settles_by=None,
        gmv=None,
        status=None,
        status_at=None,
    )
    keys = ("onboarded", "first_entity", "partner_certified", "activated", "shop_normal")
    Judgement.objects.filter(chain_id=run.pk, shop__in=shops).update(introduced=False, **dict.fromkeys(keys, PENDING))


def make_mixture(world: World, as_of: datetime = IN_WINDOW) -> Run:
    """One of nearly everything, for Haiqiao: 11 shops; for the rival one that can be won."""
    own = world.haiqiao
    run = make_run(
        world.program,
        [
            Spec("E-1", own),
            Spec("E-2", own),
            selling("W-1", own),
            Spec("W-2", own, Verdict.PENDING, outcomes={"activated": MET, "stocked": PENDING}),
            Spec("W-3", own, Verdict.PENDING),  # to be uncertified
            Spec("R-1", own, Verdict.PENDING, outcomes={"activated": MET, "listed": PENDING}),
            Spec("U-1", own, Verdict.NEEDS_DATA),
            Spec("U-2", own, Verdict.NEEDS_DATA, outcomes={"activated": MET, "shop_normal": Outcome.UNKNOWN}),
            Spec(
                "L-1", own, Verdict.NOT_ELIGIBLE, high_risk=True, outcomes={"activated": MET, "first_entity": NOT_MET}
            ),
            Spec("L-2", own, Verdict.NOT_ELIGIBLE, outcomes={"activated": MET, "first_entity": NOT_MET}),
            Spec("L-3", own, Verdict.NOT_ELIGIBLE),
            selling("X-1", world.rival),
        ],
        as_of=as_of,
    )
    uncertify(run, "W-3")
    return run


def joined(world: World, commitment: int) -> None:
    Joining.objects.create(
        partner=world.haiqiao,
        program=world.program,
        policy=world.program.current_policy,
        commitment=commitment,
        accepted_by=world.alice,
        accepted_at=timezone.now(),
    )


def figures(answer: Any) -> dict[str, tuple[str, str]]:
    """The figures by their name: what is shown, and where it leads."""
    body = answer.content.decode()
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*><a href=\"([^\"]*)\">([^<]*)</a>", body, re.DOTALL)
    words = ((re.sub(r"<i.*?</i>|<[^>]+>", "", name).strip(), link, shown) for name, link, shown in found)
    return {name: (shown, html.unescape(link)) for name, link, shown in words}


def test_the_answer_comes_first_and_the_figures_add_up(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    answer = sign_in("alice").get("/partner/")
    page = text(answer)
    # W-1 ends in two days; W-2 and W-3 have until the end of March.
    assert "1 merchant can still be won this week, worth 2,000 CNY : 2 days left ." in page
    shown = {name: number for name, (number, _) in figures(answer).items()}
    assert shown["Eligible"] == "2"
    assert shown["Can be won"] == "3"
    assert shown["Waiting"] == "1"
    assert shown["Needs data"] == "2"
    assert shown["Lost"] == "3"
    assert "4,000.00 CNY won" in page
    assert "up to 6,000.00 CNY" in page
    assert "missing: exchange rate, shop status" in page
    assert "most often “First shop of its kind”: 2" in page
    assert "52 days left" in page  # of the quarter: to 31 March


def test_every_figure_opens_the_rows_that_it_counts(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mixture(world)
    make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    at(monkeypatch, IN_WINDOW)
    alice = sign_in("alice")
    body = html.unescape(alice.get(PAGE).content.decode())
    shops = r'<a[^>]* href="(/partner/POP-2026Q1/shops[^"]*)"[^>]*>(.*?)</a>'
    counted = [(link, re.search(r"\d+", re.sub(r"<[^>]+>", "", shown))) for link, shown in re.findall(shops, body)]
    numbers = [(link, int(found.group())) for link, found in counted if found and "/shops/" not in link]
    assert len(numbers) > 12
    for link, number in numbers:
        rows = alice.get(link).context["page"].total
        assert rows == number, link


def test_the_most_urgent_come_first_each_in_a_sentence(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    page = sign_in("alice").get(PAGE).content.decode()
    urgent = re.findall(r'<a class="name" href="/partner/POP-2026Q1/shops/([^"]+)"', page)
    # Of two with the same deadline, the one with less to do first; neither what waits nor what is lost.
    assert urgent == ["W-1", "W-2", "W-3"]
    told = text(sign_in("alice").get(PAGE))
    assert "817.60 CNY settled, more than 182.40 CNY to go; orders until 9 Feb count if settled by 12 Mar" in told
    chinese = text(sign_in("alice", "zh-hans").get(PAGE))
    assert "已结算 ¥817.60，还需超过 ¥182.40；2月9日24:00前下单、3月12日前结算有效" in chinese


def test_what_only_waits_is_not_called_winnable(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(world.program, [selling("W-1", world.haiqiao), Spec("S-4", world.rival)], as_of=AFTER_WINDOW)
    at(monkeypatch, AFTER_WINDOW)
    answer = sign_in("alice").get(PAGE)
    assert figures(answer)["Can be won"][0] == "0"
    assert "1 merchant , worth 2,000 CNY , waits for settlements until 12 Mar at most" in text(answer)
    # One that lacks stock as well doesn't only wait: stock is its next step.
    run = make_run(
        world.program,
        [Spec("W-2", world.haiqiao, Verdict.PENDING, outcomes={"activated": PENDING, "stocked": PENDING})],
        as_of=AFTER_WINDOW,
    )
    assert figures(sign_in("alice").get(PAGE))["Can be won"][0] == "1"
    assert run.pk


@pytest.mark.parametrize("moment", [IN_WINDOW, AFTER_WINDOW])
def test_every_figure_is_what_the_shops_themselves_say(world: World, moment: datetime) -> None:
    """The counts come from one grouped query; here each shop is asked for alone, through its card."""
    from incentives.models import Result
    from incentives.queries import shop_views

    run = make_mixture(world, moment)
    shown, _ = overview_module.partner_overview(
        actor=world.actor("alice"), partner=world.haiqiao, program=world.program.code, now=moment
    )
    assert shown is not None
    views = shop_views(
        list(Result.objects.filter(run=run, partner=world.haiqiao).select_related("shop", "partner", "run__program"))
    )
    counted = shown.tally
    assert counted.shops == len(views) == 11
    assert counted.winnable == sum(view.winnable for view in views)
    assert counted.waiting == sum(view.verdict == Verdict.PENDING and not view.winnable for view in views)
    soon = [view for view in views if view.days_left is not None and view.days_left < 7]
    assert counted.week == len(soon)
    assert counted.nearest == min(view.until for view in views if view.until)
    by_code = {view.code: view for view in views}
    assert [shop.code for shop in shown.urgent] == [code for code in ("W-1", "W-2", "W-3") if by_code[code].winnable]


def test_the_windows_are_told_by_their_kind(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    kinds = {window["kind"]: window for window in sign_in("alice").get(API).json()["windows"]}
    assert set(kinds) == {"certification", "sales", "stock"}
    assert kinds["sales"] == {
        "kind": "sales", "shops": 1, "within_a_week": 1, "first": "2026-02-09", "last": "2026-02-09",
    }  # fmt: skip
    assert kinds["stock"]["shops"] == 1
    assert kinds["certification"] == {
        "kind": "certification", "shops": 1, "within_a_week": 0, "first": "2026-03-31", "last": "2026-03-31",
    }  # fmt: skip
    page = text(sign_in("alice").get(PAGE))
    assert "Orders that count 1 merchant 9 Feb 24:00 2 days left" in page
    assert "The quarter ends 31 Mar 24:00 52 days left" in page


def test_the_funnel_counts_visits_and_registrations(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    registration = make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    other = make_registration(world.rival, code="LINK-2", receipt="R-2")
    for link, day, visits in (
        (registration.link, date(2026, 1, 20), 30),
        (registration.link, date(2026, 1, 21), 10),
        (registration.link, date(2025, 12, 31), 500),  # before the quarter
        (other.link, date(2026, 1, 20), 7),  # a rival's
    ):
        LinkVisits.objects.create(link=link, day=day, visits=visits)
    linked = Shop.objects.filter(code__in=["E-1", "W-1", "L-1"])
    FrozenFacts.objects.filter(chain_id=run.pk, shop__in=linked).update(
        link=registration.link, link_partner=world.haiqiao, link_valid=True
    )
    stages = {stage["stage"]: stage for stage in sign_in("alice").get(API).json()["funnel"]}
    assert [stage["count"] for stage in stages.values()] == [40, 12, 10, 7, 2]
    assert stages["registered"]["rate"] == 4 / 40  # three shops and one registration came through links
    assert stages["certified"]["rate"] == 10 / 12
    answer = sign_in("alice").get(PAGE)
    assert "8 of the registered came without a link" in text(answer)
    body = answer.content.decode()
    assert '<desc id="funnel-desc">Visits 40, Registered 12, Certified 10, Selling 7, Eligible 2</desc>' in body
    assert '<td class="main-cell">Selling</td><td class="num" data-label="Merchants">7</td>' in body


def test_the_pace_is_measured_by_the_commitment(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    alice = sign_in("alice")
    assert "No commitment was stated." in text(alice.get(PAGE))
    joined(world, 40)
    page = text(alice.get(PAGE))
    # 37 of 90 days are over: 16.4 shops. Ten are certified, three of them have failed.
    assert "7 of 40 committed, 41% of the quarter gone." in page
    assert "9 behind" in page
    pace = alice.get(API).json()["pace"]
    assert (pace["commitment"], pace["standing"], pace["ahead"]) == (40, 7, -9)
    assert len(pace["weeks"]) == 13
    second = pace["weeks"][1]  # 8 to 14 January
    assert (second["first"], second["certified"], second["standing"], second["total"]) == ("2026-01-08", 10, 7, 7)
    joined_again = world.program.policies.create(
        number=2,
        document=world.program.current_policy.document,
        fingerprint=world.program.current_policy.fingerprint,
        published_at=timezone.now(),
    )
    Joining.objects.create(
        partner=world.haiqiao,
        program=world.program,
        policy=joined_again,
        commitment=14,
        accepted_by=world.alice,
        accepted_at=timezone.now(),
    )
    assert "7 of 14 committed" in text(alice.get(PAGE))
    assert "1 ahead" in text(alice.get(PAGE))


# --- States of a program ----------------------------------------------------------------------------------------------


def test_before_the_first_run(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program("POP-NEW")
    at(monkeypatch, IN_WINDOW)
    alice = sign_in("alice")
    page = text(alice.get("/partner/POP-NEW/overview"))
    assert "The first run hasn't been made yet." in page
    assert "Read the rules and take part" in page
    assert "Eligible 0" not in page.partition("From visit")[0]
    make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    page = text(alice.get("/partner/POP-NEW/overview"))
    assert "1 merchant registered through your links. The first run, which judges them, hasn't been made yet." in page
    at(monkeypatch, datetime(2025, 12, 22, 2, 0, tzinfo=UTC))
    page = text(alice.get("/partner/POP-NEW/overview"))
    assert "The program starts on 1 Jan : in 10 days ." in page
    assert "starts in 10 days" in page
    assert program.pk


def test_without_shops(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(world.program, [Spec("S-4", world.rival)], as_of=IN_WINDOW)
    at(monkeypatch, IN_WINDOW)
    alice = sign_in("alice")
    page = text(alice.get(PAGE))
    assert "No merchant of yours is in this program yet." in page
    assert "Read the rules and take part" in page
    joined(world, 5)
    page = text(alice.get(PAGE))
    assert "Send a merchant its link" in page
    assert "0 of 5 committed" in page
    at(monkeypatch, AFTER_CLOSE)
    assert "No merchant of yours took part in this program." in text(alice.get(PAGE))


def test_somebody_who_takes_part_in_nothing(world: World, monkeypatch: pytest.MonkeyPatch, sign_in: SignIn) -> None:
    make_partner("newcomer", (world.bob, Role.OWNER))
    at(monkeypatch, IN_WINDOW)
    page = text(sign_in("bob").get("/partner/?partner=newcomer"))
    assert "You take part in no program yet." in page
    assert "Program POP-2026Q1" in page  # among those that there are


def test_after_the_quarter_and_after_the_close(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 4, 10, 2, 0, tzinfo=UTC))
    alice = sign_in("alice")
    page = text(alice.get(PAGE))
    assert "ended; observed until 31 May" in page
    assert "2 merchants eligible, 2,000 CNY after the discount; everything is decided so far." in page
    assert "New invite link" not in page
    at(monkeypatch, AFTER_CLOSE)
    page = text(alice.get(PAGE))
    assert "closed for observation" in page
    assert "The program is closed: 2 merchants eligible, 2,000 CNY after the discount, once it is submitted." in page


def test_the_payout_speaks_first_once_there_is_one(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, AFTER_CLOSE)
    alice = sign_in("alice")
    payouts = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts
    payout = next(found for found in payouts if found.partner_id == world.haiqiao.pk)
    assert "2,000 CNY is in review; until it is approved it is provisional." in text(alice.get(PAGE))
    hold_payout(actor=world.actor("olga"), payout=payout, reason="A question.")
    assert "2,000 CNY is held; nothing is paid until it is released." in text(alice.get(PAGE))
    payout.refresh_from_db()
    from incentives.services import release_payout

    release_payout(actor=world.actor("olga"), payout=payout, reason="Answered.")
    payout.refresh_from_db()
    approve_payout(actor=world.actor("omar"), payout=payout)
    page = text(alice.get(PAGE))
    assert "2,000 CNY is approved and will be paid next." in page
    assert "after the discount, provisional" not in page
    payout.refresh_from_db()
    start_payment(actor=world.actor("fiona"), payout=payout)
    payout.refresh_from_db()
    mark_paid(actor=world.actor("fiona"), payout=payout, reference="BANK-1")
    assert "2,000 CNY has been paid." in text(alice.get(PAGE))
    assert "¥2,000 已支付。" in text(sign_in("alice", "zh-hans").get(PAGE))


def test_a_voided_payout_says_so(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, AFTER_CLOSE)
    payouts = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts
    payout = next(found for found in payouts if found.partner_id == world.haiqiao.pk)
    void_payout(actor=world.actor("omar"), payout=payout, reason="Forged licences.")
    assert "was voided. The statement says why." in text(sign_in("alice").get(PAGE))


def test_the_program_with_most_to_do_is_shown_first(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = make_program("POP-2027Q1", year=2027)
    at(monkeypatch, datetime(2027, 2, 7, 2, 0, tzinfo=UTC))
    alice = sign_in("alice")
    # It runs, but she has nothing to do with it.
    assert "Program POP-2026Q1" in text(alice.get("/partner/")).partition("Where")[0]
    make_run(later, [selling("N-1", world.haiqiao)], as_of=datetime(2027, 2, 7, 1, 0, tzinfo=UTC))
    page = alice.get("/partner/").content.decode()
    assert '<a class="name" href="/partner/POP-2026Q1/overview">' in page  # among the others
    assert "/partner/POP-2027Q1/shops?verdict=eligible" in page


# --- To whom, and at what cost ----------------------------------------------------------------------------------------


def test_a_rival_learns_nothing(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mixture(world)
    make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    at(monkeypatch, IN_WINDOW)
    charlie = sign_in("charlie")
    page = charlie.get(PAGE)
    assert figures(page)["Can be won"][0] == "1"
    assert figures(page)["Lost"][0] == "0"
    assert "W-1" not in page.content.decode()
    assert charlie.get(API).status_code == 404
    assert charlie.get(API.replace("haiqiao", "no-such")).status_code == 404
    assert charlie.get("/api/v1/overviews/NO-SUCH/rival").status_code == 404
    assert charlie.get("/partner/NO-SUCH/overview").status_code == 404
    stages = charlie.get("/api/v1/overviews/POP-2026Q1/rival").json()["funnel"]
    assert [stage["count"] for stage in stages] == [0, 1, 1, 0, 0]
    assert sign_in("olga").get(API).json()["winnable"] == 3


def test_the_api_says_what_the_page_says(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    told = sign_in("alice").get(API).json()
    assert told["answer"] == "1 merchant can still be won this week, worth 2,000 CNY: 2 days left."
    assert told["run"] == run.pk
    assert (told["eligible"], told["winnable"], told["waiting"], told["needs_data"], told["not_eligible"]) == (
        2, 3, 1, 2, 3,
    )  # fmt: skip
    assert (told["won"], told["winnable_amount"]) == ("4000.00", "6000.00")
    assert told["discount"]["factor"] == "1.00"
    assert told["discount"]["factor_after_one_more"] == "0.50"  # two of eleven
    assert [(shop["shop_code"], shop["until"]) for shop in told["urgent"]] == [
        ("W-1", "2026-02-09"), ("W-2", "2026-03-31"), ("W-3", "2026-03-31"),
    ]  # fmt: skip
    assert told["lost_by"] == [{"condition": "first_entity", "shops": 2}, {"condition": "activated", "shops": 1}]
    chinese = sign_in("alice", "zh-hans").get(API, headers={"accept-language": "zh-hans"}).json()
    assert "¥2,000" in chinese["answer"]


@pytest.mark.parametrize("path", ["/partner/", PAGE, API, "/partner/POP-2026Q1/shops"])
def test_fifty_shops_take_as_many_queries_as_one_and_at_most_fifteen(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    joined(world, 40)
    alice = sign_in("alice")
    at(monkeypatch, IN_WINDOW)

    def queries() -> int:
        alice.get(path)  # whatever is kept for the process
        with CaptureQueriesContext(connection) as captured:
            assert alice.get(path).status_code == 200
        return len(captured)

    make_run(world.program, [selling("W-0", world.haiqiao)], as_of=IN_WINDOW)
    one = queries()
    kinds = [Spec(f"M-{number}", world.haiqiao, verdict) for number, verdict in enumerate([*Verdict] * 10)]
    make_run(
        world.program,
        [*kinds, *(selling(f"W-{number}", world.haiqiao) for number in range(10))],
        as_of=IN_WINDOW + timedelta(hours=1),
    )
    for number in range(5):
        link = InviteLink.objects.create(
            code=f"L-{number}",
            partner=world.haiqiao,
            starts_at=IN_WINDOW - timedelta(days=20),
            expires_at=IN_WINDOW + timedelta(days=20),
            batch=batch(),
        )
        LinkVisits.objects.create(link=link, day=date(2026, 2, 1), visits=3)
        make_program(f"POP-{number}")
    assert queries() == one <= 15


def test_amounts_are_exact(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mixture(world)
    at(monkeypatch, IN_WINDOW)
    told = sign_in("alice").get(API).json()
    assert Decimal(told["discount"]["net"]) == Decimal("4000.00")
