"""What each page takes in the server, and its queries: requests through all middleware, without a network.

Run as a program, in the benchmark's house: prints a table. `--explain` adds the slowest queries with their plans.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from django.test import Client

LINKS, AIM, QUERIES = 200, 300, 15
HEAD = (
    "| page | first | median | slowest | of it SQL | processor | queries | aim |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass
class Watch:
    """What the queries of a request took."""

    taken: list[tuple[float, str, Any]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.taken.append(((time.perf_counter() - started) * 1000, sql, params))


def main() -> None:
    """Sign the partner's owner in, and ask for each page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("program")
    parser.add_argument("requests", type=int)
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    django.setup()
    from django.test import Client

    from incentives.models import Result, Run
    from partners.models import Partner

    partner = Partner.objects.get(code="P0000")
    client = Client(headers={"accept-language": "zh-hans", "host": "localhost"})
    client.force_login(owner_of(partner))
    give_links(partner)
    run = Run.objects.published().filter(program__code=given.program).latest("pk")
    shops = Result.objects.filter(run=run, partner=partner).count()
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores; {shops:,} shops of one partner of {run.shops:,}\n")
    print(HEAD)
    client.get("/notices/")  # loads what every page needs
    shop_list = f"/partner/{given.program}/shops"
    for name, path, aim in (
        ("overview", "/partner/", f"{AIM} ms, {QUERIES}"),
        ("overview of the API", f"/api/v1/overviews/{given.program}/{partner.code}", f"{AIM} ms, {QUERIES}"),
        ("merchants, first page", shop_list, f"{AIM} ms, {QUERIES}"),
        ("merchants that can be won, by deadline", f"{shop_list}?verdict=winnable&sort=deadline", "–"),
        ("merchants, a search", f"{shop_list}?search=merchant+12345", "–"),
    ):
        measure(client, name, path, aim, given.requests, explain=given.explain)


def owner_of(partner: Any) -> Any:
    """Somebody who may see the partner's pages."""
    from core.models import User
    from partners.models import Membership

    user, made = User.objects.get_or_create(email="owner@example.com", defaults={"name": "Owner"})
    if made:
        Membership.objects.create(partner=partner, user=user, role="owner")
    return user


def give_links(partner: Any) -> None:
    """Links, each visited on every day of the quarter."""
    from django.db import transaction

    from benchmarks.feeds import END, START
    from core.recording import open_batch, seal
    from core.values import Period
    from partners.models import InviteLink, LinkVisits

    if InviteLink.objects.filter(partner=partner).exists():
        return
    with transaction.atomic():
        batch = open_batch(source="feed", actor_id=None)
        links = InviteLink.objects.bulk_create(
            InviteLink(
                code=f"bench-{number}",
                partner=partner,
                starts_at=datetime(2026, 1, 1, tzinfo=UTC),
                expires_at=datetime(2027, 1, 1, tzinfo=UTC),
                batch=batch,
            )
            for number in range(LINKS)
        )
        LinkVisits.objects.bulk_create(
            LinkVisits(link=link, day=day, visits=5) for link in links for day in Period(START, END).dates()
        )
        seal(batch)


def measure(client: Client, name: str, path: str, aim: str, requests: int, *, explain: bool, rounds: int = 1) -> None:
    """One page, asked for so many times after a first one; of several rounds the best one's median counts."""
    from django.db import connection

    times: list[float] = []
    watches: list[Watch] = []
    spent = 0.0
    for number in range(rounds * requests + 1):
        spent = processor() if number == 1 else spent
        watch = Watch()
        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(watch))
            started = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        watches.append(watch)
    median, sql = min(
        (
            statistics.median(times[start : start + requests]),
            statistics.median(sum(ms for ms, _, _ in watch.taken) for watch in watches[start : start + requests]),
        )
        for start in range(1, rounds * requests + 1, requests)
    )
    spent = (processor() - spent) / (rounds * requests)
    figures = (times[0], median, max(times[1:]), sql, spent)
    cells = (name, *("–" if math.isnan(ms) else f"{ms:.0f} ms" for ms in figures))
    print(f"| {' | '.join(cells)} | {len(watches[-1].taken)} | {aim} |", flush=True)
    if explain:
        show_plans(watches[-1])


def processor() -> float:
    """Milliseconds of processor time so far: of this process, and of all that serves it in PostgreSQL.

    What others do on the machine meanwhile changes it little, unlike the time that passes. NaN where Linux doesn't say.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        stats = [read_stat(pid) for (pid,) in cursor.fetchall()]
    try:
        # Fields from the third on (proc(5)): the parent, own time, and that of children that have ended: the workers.
        parent = read_stat(int(stats[0][1]))
        ticks = sum(int(stat[11]) + int(stat[12]) for stat in stats) + int(parent[13]) + int(parent[14])
    except IndexError:
        return math.nan
    return (ticks / os.sysconf("SC_CLK_TCK") + time.process_time()) * 1000


def read_stat(pid: int) -> list[str]:
    """What Linux keeps of a process; nothing elsewhere."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def show_plans(watch: Watch) -> None:
    """The slowest queries and their plans."""
    from django.db import connection

    for ms, sql, params in sorted(watch.taken, key=lambda taken: -taken[0])[:6]:
        print(f"\n--- {ms:.1f} ms\n{sql}\n")
        if sql.lstrip().upper().startswith("SELECT") and ms > 5:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                sys.stdout.writelines(f"{line}\n" for (line,) in cursor.fetchall())


if __name__ == "__main__":
    main()
