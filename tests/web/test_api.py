"""The API: the exports' rows, scoped to the caller."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incentives import exports
from incentives.services import submit_run
from incentives.states import RunKind, Verdict
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_entry, make_merchant, make_program, make_run

SignIn = Callable[[str], Client]


def codes(response: object, key: str = "shop_code") -> list[str]:
    return [row[key] for row in response.json()["results"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["shops", "results"])
def test_a_partner_sees_its_own_shops_and_never_a_rivals(sign_in: SignIn, path: str) -> None:
    assert codes(sign_in("alice").get(f"/api/v1/{path}")) == ["S-1", "S-2", "S-3"]
    assert codes(sign_in("bob").get(f"/api/v1/{path}")) == ["S-1", "S-2", "S-3"]
    assert codes(sign_in("charlie").get(f"/api/v1/{path}")) == ["S-4"]
    assert codes(sign_in("olga").get(f"/api/v1/{path}")) == ["S-1", "S-2", "S-3", "S-4"]
    # Asking for the rival by name helps nobody.
    assert codes(sign_in("charlie").get(f"/api/v1/{path}?partner=haiqiao")) == []


def test_payouts_are_a_partners_own(sign_in: SignIn) -> None:
    assert codes(sign_in("alice").get("/api/v1/payouts"), "partner_code") == ["haiqiao"]
    assert codes(sign_in("olga").get("/api/v1/payouts"), "partner_code") == ["haiqiao", "rival"]


@pytest.mark.parametrize("path", ["shops", "results", "payouts"])
def test_strangers_are_turned_away_and_nobody_writes(client: Client, sign_in: SignIn, path: str) -> None:
    refused = client.get(f"/api/v1/{path}")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["code"] == "not_authenticated"
    assert sign_in("olga").post(f"/api/v1/{path}", {}).status_code == 405


@pytest.mark.parametrize("kind", ["results", "payouts"])
def test_the_rows_are_the_exports_rows(world: World, sign_in: SignIn, kind: str) -> None:
    merchant = make_merchant()
    run = make_run(
        world.program,
        [
            Spec("B-1", world.haiqiao, merchant=merchant, entry=make_entry(world.program, merchant)),
            Spec("B-2", world.haiqiao, Verdict.NEEDS_DATA),
            Spec("B-3", world.rival, Verdict.PENDING),
        ],
    )
    submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE, reason="All of them.")
    buffer = io.BytesIO()
    exports.write_csv({"results": exports.results, "payouts": exports.payouts}[kind](run), buffer)
    exported = list(csv.DictReader(io.StringIO(buffer.getvalue().decode())))
    served = sign_in("olga").get(f"/api/v1/{kind}?run={run.pk}").json()["results"]
    assert [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in served] == exported
    assert len(exported) == {"results": 3, "payouts": 2}[kind]


def test_the_last_published_run_is_shown_unless_another_is_named(world: World, sign_in: SignIn) -> None:
    later = make_run(world.program, [Spec("S-1", world.haiqiao, Verdict.NOT_ELIGIBLE)])
    make_run(world.program, [Spec("S-9", world.haiqiao)], kind=RunKind.DRAFT)
    olga = sign_in("olga")
    assert {row["run"] for row in olga.get("/api/v1/results").json()["results"]} == {later.pk}
    assert codes(olga.get(f"/api/v1/results?run={world.run.pk}")) == ["S-1", "S-2", "S-3", "S-4"]
    draft = later.pk + 1
    assert codes(olga.get(f"/api/v1/results?run={draft}")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("verdict=eligible", ["S-1", "S-2", "S-4"]),
        ("verdict=eligible&verdict=not_eligible", ["S-1", "S-2", "S-3", "S-4"]),
        ("partner=rival", ["S-4"]),
        ("market=jp", []),
        ("market=de&verdict=not_eligible", ["S-3"]),
        ("program=POP-2026Q1&search=s-2", ["S-2"]),
        ("program=NO-SUCH", []),
        ("limit=2&offset=1", ["S-2", "S-3"]),
    ],
)
def test_results_are_narrowed(sign_in: SignIn, query: str, expected: list[str]) -> None:
    assert codes(sign_in("olga").get(f"/api/v1/results?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [("certified=true", 4), ("certified=false", 0), ("partner=rival", 1), ("market=DE", 4), ("search=S-3", 1)],
)
def test_shops_are_narrowed(sign_in: SignIn, query: str, expected: int) -> None:
    assert sign_in("olga").get(f"/api/v1/shops?{query}").json()["count"] == expected


def test_shops_of_a_program_are_those_on_its_list(world: World, sign_in: SignIn) -> None:
    merchant = make_merchant()
    make_entry(world.program, merchant)
    make_run(make_program("OTHER"), [Spec("L-1", world.rival, merchant=merchant)])
    assert codes(sign_in("olga").get("/api/v1/shops?program=POP-2026Q1")) == ["L-1"]


def test_a_bad_filter_is_answered_with_what_is_wrong(sign_in: SignIn) -> None:
    response = sign_in("olga").get("/api/v1/results?verdict=maybe")
    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == "verdict"


@pytest.mark.parametrize("path", ["shops", "results", "payouts"])
def test_more_rows_take_no_more_queries(world: World, sign_in: SignIn, path: str) -> None:
    olga = sign_in("olga")
    olga.get(f"/api/v1/{path}")
    with CaptureQueriesContext(
        connection,
    ) as few:
        olga.get(f"/api/v1/{path}")
    make_run(world.program, [Spec(f"M-{number}", world.haiqiao) for number in range(12)])
    with CaptureQueriesContext(connection) as many:
        olga.get(f"/api/v1/{path}")
    assert len(many) == len(few)


def test_the_schema_is_complete_and_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())
