"""The operators' API: a payout's whole life over HTTP, by whoever may; nothing for partners, no change for auditors."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import audit
from core.actors import Role
from core.models import AuditEvent
from incentives.models import Payout
from incentives.services.bulk import work_on_bulk
from incentives.states import Verdict
from tests.incentives.factories import Spec, World, make_program, make_run, make_user

BASE = "/api/v1/operator"
Say = Callable[..., Any]


@pytest.fixture
def say(world: World) -> Say:
    """`say(name, method, path, body)`: the answer to a request of one of the personas."""
    make_user("aurora", Role.AUDITOR)
    from core.models import User

    def ask(name: str, path: str, body: dict[str, Any] | None = None, *, expect: int = 200) -> Any:
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(email=f"{name}@example.com"))
        if body is None:
            answer: Any = client.get(BASE + path)
        elif "file" in body:
            answer = client.post(BASE + path, body)
        else:
            answer = client.post(BASE + path, body, content_type="application/json")
        assert answer.status_code == expect, (path, answer.status_code, answer.content[:600])
        return answer.json() if answer["Content-Type"] == "application/json" else answer

    return ask


def balances(say: Say) -> dict[str, Decimal]:
    rows = say("aurora", "/ledger/balances")
    assert sum((Decimal(row["balance"]) for row in rows), Decimal(0)) == 0
    return {row["account"]: Decimal(row["balance"]) for row in rows if Decimal(row["balance"])}


def test_the_quarters_close(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "The quarter is needed early."})
    mine, theirs = (f"/payouts/{row['id']}" for row in made)
    assert [row["payable"] for row in made] == ["4000.00", "2000.00"]
    say("olga", f"{theirs}/hold", {"reason": "A case is open.", "version": made[1]["version"]})
    detail = say("aurora", mine)
    line = detail["lines"][0]["id"]
    voided = say("olga", f"/lines/{line}/void", {"reason": "Wrong merchant."})
    assert voided["payout"]["payable"] == "2000.00"
    undone = say("olga", f"/lines/{line}/undo_void", {"reason": "The right one after all."})
    assert undone["payout"]["payable"] == "4000.00"
    assert balances(say) == {}
    say("olga", f"{mine}/approve", {}, expect=403)
    assert say("omar", f"{mine}/approve", {"version": undone["payout"]["version"]})["payout"]["state"] == "approved"
    say("omar", f"{theirs}/approve", {}, expect=409)
    say("fiona", f"{theirs}/release", {"reason": "Cleared."})
    say("omar", f"{theirs}/approve", {})
    assert balances(say) == {"incentive_expense": Decimal(6000), "partner_payable": Decimal(-6000)}

    batch = say("fiona", "/batches", {"program": world.program.code}, expect=201)
    assert (batch["payments"], batch["total"], batch["state"]) == (2, "6000.00", "draft")
    path = f"/batches/{batch['id']}"
    say("omar", f"{path}/lock", {"version": batch["version"]}, expect=403)
    assert say("fiona", f"{path}/lock", {"version": batch["version"]})["state"] == "locked"
    assert balances(say) == {"incentive_expense": Decimal(6000), "in_transit": Decimal(-6000)}
    say("aurora", f"{path}/export", {}, expect=403)
    file = say("fiona", f"{path}/export", {})
    assert file["Content-Disposition"].startswith("attachment")
    sent = list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))
    shown = say("aurora", f"{path}/payments")
    assert [row["account"] for row in shown] == ["•••• 0018"] * 2
    answer = "reference,result,amount,bank_reference,reason\n" + "".join(
        [f"{sent[0]['reference']},paid,4000.00,BOC-1,\n", f"{sent[1]['reference']},refused,,,Closed.\nDY-0,paid,,B,\n"]
    )
    loaded = say("fiona", "/bank-results", {"file": SimpleUploadedFile("r.csv", answer.encode())}, expect=201)
    assert [loaded[name] for name in ("paid", "refused", "unchanged", "quarantined")] == [1, 1, 0, 1]
    assert [(row["line"], row["code"]) for row in loaded["quarantine"]] == [(4, "unknown_reference")]
    assert say("aurora", "/bank-results")["results"][0]["id"] == loaded["id"]
    assert say("aurora", mine)["payout"]["reference"] == "BOC-1"
    assert balances(say) == {
        "incentive_expense": Decimal(6000),
        "partner_payable": Decimal(-2000),
        "cash": Decimal(-4000),
    }

    # A late finding, and the next quarter settles it.
    say("omar", f"{mine}/claw_back", {"reason": "Fabricated orders.", "shops": ["S-1"]})
    assert [(row["partner_code"], row["owes"]) for row in say("aurora", "/accounts")] == [("haiqiao", "2000.00")]
    run = make_run(make_program("POP-2"), [Spec(f"N-{number}", world.haiqiao) for number in range(2)])
    (following,) = say("olga", f"/runs/{run.pk}/submit", {"reason": "The next quarter."})
    assert (following["adjustments"], following["payable"]) == ("-2000.00", "2000.00")
    assert audit.verify_chain().intact


def test_a_difference_is_shown_and_becomes_an_adjustment(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early.", "partners": ["haiqiao"]})
    path = f"/payouts/{made[0]['id']}"
    say("omar", f"{path}/approve", {})
    make_run(
        world.program,
        [Spec("S-1", world.haiqiao, Verdict.NOT_ELIGIBLE), Spec("S-2", world.haiqiao), Spec("S-3", world.haiqiao)],
    )
    difference = say("aurora", path)["difference"]
    assert [(row["shop_code"], row["before"], row["after"]) for row in difference["lines"]] == [
        ("S-1", "2000.00", "0.00"),
        ("S-3", "0.00", "2000.00"),
    ]
    make_run(world.program, [Spec(f"S-{number}", world.haiqiao) for number in (1, 2, 3)])
    say("olga", f"{path}/settle_difference", {"reason": "Late stock.", "amount": "1.00"}, expect=409)
    say("olga", f"{path}/settle_difference", {"reason": "Late stock.", "amount": "2000.00"})
    proposed = say("aurora", "/adjustments?state=proposed")["results"][0]
    assert (proposed["kind"], proposed["amount"], proposed["who"]) == ("difference", "2000.00", "Olga")
    say("olga", f"/adjustments/{proposed['id']}/confirm", {}, expect=403)
    assert say("omar", f"/adjustments/{proposed['id']}/confirm", {})["state"] == "confirmed"
    late = say("omar", f"/adjustments/{proposed['id']}/decline", {"reason": "x"}, expect=409)
    assert late["errors"][0]["detail"].startswith("Omar has decided on this adjustment")
    assert say("aurora", path)["payout"]["payable"] == "4000.00"
    body = {"partner_code": "haiqiao", "program": world.program.code, "amount": "-10.50", "reason": "Postage."}
    manual = say("fiona", "/adjustments", body, expect=201)
    assert (manual["state"], manual["amount"], manual["kind"]) == ("proposed", "-10.50", "manual")
    assert say("fiona", f"/adjustments/{manual['id']}/decline", {"reason": "Forget it."})["state"] == "withdrawn"


def test_notes_are_for_operators_alone(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    path = f"/payouts/{made[0]['id']}/notes"
    say("olga", path, {"text": "Look at S-2 again."}, expect=201)
    assert [(note["text"], note["who"]) for note in say("aurora", path)] == [("Look at S-2 again.", "Olga")]
    say("aurora", path, {"text": "x"}, expect=403)
    say("olga", path, {"text": "  "}, expect=400)
    say("alice", path, expect=404)
    client = Client()
    client.force_login(world.alice)
    statement = client.get(f"/api/v1/statements/{world.program.code}/haiqiao").content.decode()
    assert "Look at S-2" not in statement
    assert not AuditEvent.objects.filter(details__icontains="Look at").exists()


def test_holds_of_a_partner_are_listed_and_released(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    stopped = say("fiona", "/holds/haiqiao/hold", {"reason": "An inquiry."})
    assert [row["id"] for row in stopped] == [made[0]["id"]]
    say("olga", f"/payouts/{made[1]['id']}/hold", {"reason": "A case."})
    holds = say("aurora", "/holds")["results"]
    assert [(hold["scope"], hold["partner_code"], hold["reason"], hold["who"]) for hold in holds] == [
        ("payout", "rival", "A case.", "Olga"),
        ("partner", "haiqiao", "An inquiry.", "Fiona"),
    ]
    assert say("aurora", "/payouts?held=true")["count"] == 2
    say("omar", "/holds/haiqiao/release", {})
    assert [hold["scope"] for hold in say("aurora", "/holds")["results"]] == ["payout"]
    say("omar", "/holds/nobody/hold", {"reason": "x"}, expect=404)


def test_many_at_once_with_progress(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    body = {"step": "hold", "payouts": [{"id": row["id"], "version": row["version"]} for row in made]}
    say("olga", "/bulk", body, expect=400)
    asked = say("olga", "/bulk", {**body, "reason": "A case."}, expect=202)
    assert (asked["total"], asked["waiting"], asked["finished_at"]) == (2, 2, None)
    assert not work_on_bulk(asked["id"])
    done = say("aurora", f"/bulk/{asked['id']}")
    assert (done["done"], done["refused"], done["waiting"]) == (2, 0, 0)
    again = say("omar", "/bulk", {**body, "reason": "Twice."}, expect=202)
    work_on_bulk(again["id"])
    refusals = say("omar", f"/bulk/{again['id']}")["refusals"]
    assert [row["code"] for row in refusals] == ["stale", "stale"]
    assert "Olga changed this payout" in refusals[0]["message"]
    mistakes: list[dict[str, Any]] = [{"step": "fly"}, {"payouts": []}, {"payouts": [{"id": 999_999}]}]
    for wrong in mistakes:
        say("omar", "/bulk", {**body, "reason": "x", **wrong}, expect=400)


def test_a_rival_and_a_partner_find_nothing(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    payout = Payout.objects.get(pk=made[0]["id"])
    line = payout.lines.order_by("pk")[0]
    for name in ("alice", "charlie"):
        for path in ("/payouts", f"/payouts/{payout.pk}", "/holds", "/adjustments", "/batches", "/ledger", "/accounts"):
            say(name, path, expect=404)
        for path in (
            f"/payouts/{payout.pk}/approve",
            f"/payouts/{payout.pk}/void",
            f"/lines/{line.pk}/void",
            "/holds/haiqiao/release",
            "/bulk",
            "/batches",
            "/adjustments",
            f"/runs/{world.run.pk}/submit",
        ):
            say(name, path, {"reason": "x"}, expect=404)
    assert Payout.objects.get(pk=payout.pk).version == payout.version


def test_the_auditor_changes_nothing(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    payout = Payout.objects.get(pk=made[0]["id"])
    line = payout.lines.order_by("pk")[0]
    trail = AuditEvent.objects.count()
    steps = ("approve", "return", "hold", "release", "void", "carry", "start_payment", "mark_paid", "claw_back")
    paths = [f"/payouts/{payout.pk}/{step}" for step in (*steps, "settle_difference")]
    paths += [f"/lines/{line.pk}/{step}" for step in ("void", "hold", "release")]
    paths += ["/holds/haiqiao/hold", "/holds/haiqiao/release", f"/runs/{world.run.pk}/submit"]
    for path in paths:
        say("aurora", path, {"reason": "x", "reference": "x"}, expect=403)
    say("aurora", "/bulk", {"step": "approve", "payouts": [{"id": payout.pk}]}, expect=403)
    say("aurora", "/batches", {"payouts": [payout.pk]}, expect=403)
    body = {"partner_code": "haiqiao", "program": world.program.code, "amount": "1.00", "reason": "x"}
    say("aurora", "/adjustments", body, expect=403)
    say("aurora", "/bank-results", {"file": SimpleUploadedFile("r.csv", b"reference,result\n")}, expect=403)
    assert AuditEvent.objects.count() == trail


def test_the_ledger_is_read_filtered_and_taken_along(world: World, say: Say) -> None:
    made = say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early."})
    for row in made:
        say("omar", f"/payouts/{row['id']}/approve", {})
    page = say("aurora", "/ledger?partner=rival")
    assert [(row["account"], row["debit"], row["credit"]) for row in page["results"]] == [
        ("incentive_expense", "2000.00", "0.00"),
        ("partner_payable", "0.00", "2000.00"),
    ]
    table = list(csv.DictReader(io.StringIO(say("aurora", "/ledger/export").content.decode(), newline="")))
    assert sum(Decimal(row["debit"] or 0) for row in table) == sum(Decimal(row["credit"] or 0) for row in table) == 6000
    assert [row["partner_code"] for row in table] == ["haiqiao", "haiqiao", "rival", "rival"]


def test_more_payouts_are_no_more_queries(world: World, say: Say) -> None:
    say("olga", f"/runs/{world.run.pk}/submit", {"reason": "Early.", "partners": ["rival"]})
    client = Client()
    client.force_login(world.omar)
    with CaptureQueriesContext(connection) as one:
        client.get(f"{BASE}/payouts")
    for number in range(6):
        run = make_run(make_program(f"POP-{number}"), [Spec(f"Q-{number}", world.haiqiao)])
        say("olga", f"/runs/{run.pk}/submit", {"reason": "Early."})
    with CaptureQueriesContext(connection) as seven:
        assert client.get(f"{BASE}/payouts").json()["count"] == 7
    assert len(seven) == len(one)
    assert len(seven) <= 20


def test_what_a_submission_would_do_is_said_before_and_held_to(world: World, say: Say) -> None:
    path = f"/runs/{world.run.pk}/submit"
    plan = say("olga", path)
    assert {row["partner_code"]: (row["chosen"], row["payable"]) for row in plan["payouts"]} == {
        "haiqiao": (True, "4000.00"),
        "rival": (True, "2000.00"),
    }
    assert (plan["payable"], plan["withheld"], plan["left_out"], plan["refused"]) == ("6000.00", [], [], "")
    assert say("olga", f"{path}?partner=rival")["payable"] == "2000.00"
    late = {"reason": "Early.", "partners": ["rival"], "shown": "6000.00"}
    refused = say("olga", path, late, expect=409)
    assert "2,000.00 CNY now, not to 6,000.00" in refused["errors"][0]["detail"]
    assert not Payout.objects.exists()
    (made,) = say("olga", path, late | {"shown": "2000.00"})
    assert made["payable"] == "2000.00"
    (out,) = say("olga", path)["left_out"]
    assert (out["partner_code"], out["code"], out["payout_id"]) == ("rival", "in_life", made["id"])
    for name, expect in (("omar", 403), ("aurora", 403), ("alice", 404)):
        say(name, path, expect=expect)
