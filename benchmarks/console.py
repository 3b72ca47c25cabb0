"""What the admin dashboard takes in the server: a run and a decision on all payouts while they are watched, and pages.

Run as a program, in the benchmark's house, its workers running: prints its tables. `--explain` adds the pages'
slowest queries with their plans.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import django

from benchmarks.bank import measure_bank
from benchmarks.pages import HEAD, measure

if TYPE_CHECKING:
    from django.test import Client

PARTS = ("run", "submit", "pages", "approve", "paying", "bank")
PEOPLE = {"olga": "reviewer", "omar": "approver", "fiona": "finance"}
AS_OF = "2026-03-20T08:00:00"  # on the program's clock
AIM = "500 ms, 20"
# How often progress is looked at: often enough to time what changes, seldom enough to leave the workers in peace.
LOOK = 0.1
LONGEST = 600.0  # seconds after which nobody waits any more


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of something at work: its seconds, how often its progress changed, the longest wait for that."""

    seconds: float
    changes: int
    longest: float
    page_ms: float
    page: str


def main() -> None:
    """Do the parts that are asked for, in their order."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("program")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, dest="parts")
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    django.setup()
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} at work before\n")
    if "run" in given.parts:
        measure_run(given.program)
    if "submit" in given.parts:
        submit(given.program)
    if "pages" in given.parts:
        measure_pages(pages(given.program), given)
    if "approve" in given.parts:
        measure_approval()
    if "paying" in given.parts:
        measure_pages(paying_pages(), given)
    if "bank" in given.parts:
        measure_bank(signed_in("fiona"))


# What is watched ------------------------------------------------------------------------------------------------------


def measure_run(program: str) -> None:
    """A run of all shops from nothing, started on its page and watched there."""
    client = signed_in("olga")
    asked = {"program": program, "as_of": AS_OF, "full": "on"}
    seen = watch(client, "/operator/runs/start", asked, working='id="run" hx-get')
    print("| a full run, watched on its page | seconds | changes | longest wait | the page | aim |")
    print("|---|---:|---:|---:|---:|---:|")
    from incentives.models import Run

    run = Run.objects.latest("pk")
    if run.state != "finished":
        raise SystemExit(f"run {run.pk} is {run.state}: {run.error}")
    tell(f"{run.shops:,} shops", seen, "2 s between changes")


def measure_approval() -> None:
    """Approve everything that is in review: the page before it, then the decision, watched on its page."""
    client = signed_in("omar")
    before = client.get("/operator/payouts/decide?state=in_review&step=approve&fit=1")
    chosen = re.search(r'name="chosen" value="([^"]*)"', before.content.decode())
    if chosen is None:
        raise SystemExit("nothing can be approved")
    asked = {"step": "approve", "chosen": chosen[1]}
    seen = watch(client, "/operator/payouts/decide", asked, working='id="bulk" hx-get')
    print("\n| a decision on many payouts, watched on its page | seconds | changes | longest wait | the page | aim |")
    print("|---|---:|---:|---:|---:|---:|")
    from incentives.models import BulkDecision

    bulk = BulkDecision.objects.latest("pk")
    done = bulk.items.filter(outcome="done").count()
    tell(f"approve {done:,} of {bulk.total:,}", seen, "10 s")


def watch(client: Client, path: str, asked: dict[str, str], *, working: str) -> Watched:
    """Ask for something, and look at the page that it leads to until it says that it is over.

    Progress are the parts done and the bar, not the seconds that pass meanwhile.
    """
    started = last = time.perf_counter()
    answer = client.post(path, asked)
    if answer.status_code != 302 or answer["location"] == "/operator/runs":
        raise SystemExit(f"{path} answered {answer.status_code}")
    page, shown = answer["location"], ""
    waits: list[float] = []
    took: list[float] = []
    while True:
        asked_at = time.perf_counter()
        text = client.get(page).content.decode()
        now = time.perf_counter()
        took.append(now - asked_at)
        said = " ".join(re.findall(r'<progress[^>]*value="\d+"|\d+ / \d+', text))
        over = working not in text
        if said != shown or over:
            waits.append(now - last)
            shown, last = said, now
        if over:
            return Watched(now - started, len(waits), max(waits), 1000 * sorted(took)[len(took) // 2], page)
        if now - started > LONGEST:
            raise SystemExit(f"{page} isn't over after {LONGEST:.0f} s: {shown}")
        time.sleep(LOOK)


def tell(name: str, seen: Watched, aim: str) -> None:
    """A line of the table."""
    figures = (f"{seen.seconds:.1f} s", str(seen.changes), f"{seen.longest:.2f} s", f"{seen.page_ms:.0f} ms")
    print(f"| {name} | {' | '.join(figures)} | {aim} |", flush=True)


# What is asked for ----------------------------------------------------------------------------------------------------


def pages(program: str) -> Iterator[tuple[str, str, str]]:
    """The pages of the days of review: what each is, who reads it, where."""
    shops, review = f"/operator/{program}/shops", "/operator/payouts"
    yield "today, of a reviewer", "olga", "/operator/"
    yield "today, of an approver", "omar", "/operator/"
    yield "review table, first page", "omar", review
    yield "review table, of a reviewer", "olga", review
    yield "review table, by amount", "omar", f"{review}?state=in_review&ordering=-payable"
    yield "review table, discounted", "omar", f"{review}?state=in_review&discounted=true"
    yield "review table, changed since the run before", "omar", f"{review}?state=in_review&changed=true"
    yield "review table, a search", "omar", f"{review}?state=in_review&search=partner+12"
    yield "all payouts to approve, before the decision", "omar", f"{review}/decide?state=in_review&step=approve&fit=1"
    yield "shops, first page", "olga", shops
    yield "shops, by part of a name", "olga", f"{shops}?search=chant+1234"
    yield "shops, by brand", "olga", f"{shops}?search=Brand+12345"
    yield "shops, by legal entity", "olga", f"{shops}?search=Entity+00012345"
    yield "shops, by partner", "olga", f"{shops}?search=Partner+1234"
    yield "shops, by partner and merchant", "olga", f"{shops}?search=P1234+Merchant"
    yield "shops, what nobody is called", "olga", f"{shops}?search=nobody+at+all"
    yield "shops, by shop code", "olga", f"{shops}?search=S0012345"
    yield "shops, by registration number", "olga", f"{shops}?search=R00012345"
    yield "partners", "omar", "/operator/partners"


def paying_pages() -> Iterator[tuple[str, str, str]]:
    """The pages of the days of payment, everything being approved."""
    yield "today, of finance", "fiona", "/operator/"
    yield "payments, what can be paid", "fiona", "/operator/payments"
    yield "payments, what can't yet", "fiona", "/operator/payments?show=not_yet"
    yield "ledger", "fiona", "/operator/ledger"
    yield "running accounts", "fiona", "/operator/ledger?show=accounts"
    yield "review table, approved", "fiona", "/operator/payouts?state=approved"


def measure_pages(of: Iterator[tuple[str, str, str]], given: argparse.Namespace) -> None:
    """Ask for each page so many times."""
    clients = {name: signed_in(name) for name in PEOPLE}
    print(f"\n{HEAD}")
    for name, who, path in of:
        clients[who].get("/notices/")  # loads what every page needs
        measure(clients[who], name, path, AIM, given.requests, explain=given.explain, rounds=given.rounds)


# Who and what there is ------------------------------------------------------------------------------------------------


def signed_in(name: str) -> Client:
    """A browser of this operator."""
    from django.test import Client

    client = Client(headers={"accept-language": "zh-hans", "host": "localhost"})
    client.force_login(operator(name))
    return client


def operator(name: str) -> Any:
    """The operator of this name, made at the first call with its role."""
    from core.models import RoleGrant, User

    user, made = User.objects.get_or_create(email=f"{name}@example.com", defaults={"name": name.capitalize()})
    if made:
        RoleGrant.objects.create(user=user, role=PEOPLE[name])
    return user


def submit(program: str) -> None:
    """The last run's payouts into review, and an account for nine in ten partners to pay to."""
    from django.db import connection

    from incentives.models import Run
    from incentives.services import submit_run
    from partners.people import actor_of

    started = time.perf_counter()
    run = Run.objects.published().filter(program__code=program).latest("pk")
    report = submit_run(actor=actor_of(operator("olga")), run=run, reason="The quarter's end.")
    print(f"\nsubmitted {len(report.payouts):,} payouts in {time.perf_counter() - started:.1f} s")
    give_payees()
    name_entities()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def name_entities() -> None:
    """Legal entities are called otherwise than their shops, so that a search for them finds them alone."""
    from django.db.models import Value
    from django.db.models.functions import Concat, Substr

    from merchants.models import Merchant

    Merchant.objects.update(name=Concat(Value("Entity "), Substr("registration_key", 2), Value(" Trading")))


def give_payees() -> None:
    """A confirmed account for each partner but every tenth."""
    from partners.models import Partner, Payee
    from partners.services.payees import cipher

    at, keys = datetime(2026, 1, 5, tzinfo=UTC), cipher()
    payees = [
        Payee(
            partner=partner,
            number=1,
            state="confirmed",
            holder=partner.name,
            bank_name="Example Bank",
            bank_code="102100099996",
            country="CN",
            currency="CNY",
            account_end="1234",
            stated_by=operator("olga"),
            stated_at=at,
            decided_by=operator("fiona"),
            decided_at=at,
        )
        for number, partner in enumerate(Partner.objects.order_by("code"))
        if number % 10
    ]
    for payee in payees:
        payee.account_sealed = keys.seal("6222020200001234", owner=payee.sealed_for)
    Payee.objects.bulk_create(payees)


if __name__ == "__main__":
    main()
