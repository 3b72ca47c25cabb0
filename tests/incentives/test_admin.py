"""The back office: two people take a payout through its life in Django's admin, and nobody takes a short cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import audit
from core.actors import Role
from core.models import AuditEvent, User
from incentives.models import Payout
from incentives.services import submit_run
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run, make_user

Browser = Callable[[str], Client]


@pytest.fixture
def browser(world: World) -> Browser:
    def signed_in(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(getattr(world, name))
        return client

    return signed_in


@pytest.fixture
def payout(world: World) -> Payout:
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def said(response: Any) -> str:
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))


def take(client: Client, step: str, *payouts: Payout, **data: str) -> str:
    """Walk the step's two pages as a person does: the form as it is shown, filled in; returns what is said then."""
    address = f"{reverse('admin:incentives_payout_step', args=[step])}?ids={','.join(str(p.pk) for p in payouts)}"
    page = client.get(address)
    assert page.status_code == 200
    hidden = {f"version_{payout.pk}": str(payout.version) for payout, able in page.context["rows"] if able}
    return said(client.post(address, {**hidden, **data}, follow=True))


def test_submit_approve_void_and_pay_by_different_people(world: World, browser: Browser) -> None:
    olga, omar, fiona = browser("olga"), browser("omar"), browser("fiona")
    chosen = olga.post(
        reverse("admin:incentives_run_changelist"), {"action": "submit_payouts", "_selected_action": [world.run.pk]}
    )
    page = olga.get(chosen["Location"])
    assert "Submit 2 payouts · at most 6,000.00 CNY" in page.content.decode()
    assert "2 payouts are in review · 6,000.00 CNY" in said(olga.post(chosen["Location"], {"text": ""}, follow=True))

    mine, theirs = Payout.objects.order_by("partner__code")
    asked = omar.post(
        reverse("admin:incentives_payout_changelist"),
        {"action": "approve", "_selected_action": [mine.pk, theirs.pk]},
    )
    assert "Approve: 2 payouts · 6,000.00 CNY" in omar.get(asked["Location"]).content.decode()
    assert take(omar, "approve", mine, theirs) == "Approve: 2 payouts · 6,000.00 CNY"
    assert take(omar, "void", theirs, text="Fabricated orders.") == "Void: 1 payout · 2,000.00 CNY"
    take(fiona, "start_payment", mine)
    take(fiona, "mark_paid", mine, text="BOC-1")

    states = dict(Payout.objects.values_list("partner__code", "state"))
    assert states == {"haiqiao": "paid", "rival": "void"}
    assert list(
        AuditEvent.objects.filter(action__startswith="payout").order_by("pk").values_list("action", "actor__name")
    ) == [
        ("payouts.submitted", "Olga"),
        ("payout.approved", "Omar"),
        ("payout.approved", "Omar"),
        ("payout.voided", "Omar"),
        ("payout.sent_to_payment", "Fiona"),
        ("payout.paid", "Fiona"),
    ]
    assert audit.verify_chain().intact


def test_voiding_and_undoing_a_line(world: World, browser: Browser, payout: Payout) -> None:
    omar, line = browser("omar"), payout.lines.order_by("pk")[0]
    void = reverse("admin:incentives_payoutline_step", args=[line.pk, "void"])
    assert "2,000.00 CNY" in omar.get(void).content.decode()
    told = said(omar.post(void, {"version": "1", "text": "Forged licence."}, follow=True))
    assert told == "Void the line: S-1. The payout comes to 2,000.00 CNY now."
    undo = reverse("admin:incentives_payoutline_step", args=[line.pk, "undo_void"])
    told = said(omar.post(undo, {"version": "2", "text": ""}, follow=True))
    assert told == "Undo the void: S-1. The payout comes to 4,000.00 CNY now."


def test_what_hurts_needs_a_reason_and_a_fresh_page(world: World, browser: Browser, payout: Payout) -> None:
    omar = browser("omar")
    assert "Give a reason" in take(omar, "void", payout, text=" ")
    address = f"{reverse('admin:incentives_payout_step', args=['void'])}?ids={payout.pk}"
    take(browser("olga"), "hold", payout, text="A case is open.")
    stale = said(omar.post(address, {f"version_{payout.pk}": "1", "text": "Forged."}, follow=True))
    assert "Olga changed this payout" in stale
    payout.refresh_from_db()
    assert (payout.state, payout.held) == ("in_review", True)


def test_each_role_is_offered_its_own_steps(world: World, browser: Browser, payout: Payout) -> None:
    make_user("aurora", Role.AUDITOR)
    world.aurora = User.objects.get(email="aurora@example.com")  # type: ignore[attr-defined]  # one more persona
    offered = {}
    for name in ("olga", "omar", "fiona", "aurora"):
        page = browser(name).get(reverse("admin:incentives_payout_change", args=[payout.pk]))
        offered[name] = [address.split("/")[-2] for address, _ in page.context["steps"]]
    assert offered == {
        "olga": ["return", "void", "hold"],
        "omar": ["return", "approve", "void", "hold"],
        "fiona": ["hold"],
        "aurora": [],
    }


def test_each_role_is_offered_its_own_steps_for_many(world: World, browser: Browser, payout: Payout) -> None:
    offered = {}
    for name in ("olga", "omar", "fiona"):
        page = browser(name).get(reverse("admin:incentives_payout_changelist"))
        choices = page.context["action_form"].fields["action"].choices
        offered[name] = {key for key, _ in choices if key}
    assert offered == {
        "olga": {"return", "void", "undo_void", "hold", "release", "claw_back"},
        "omar": {"return", "approve", "void", "undo_void", "hold", "release", "claw_back"},
        "fiona": {"hold", "release", "start_payment", "mark_paid", "refuse_payment"},
    }
    olga = browser("olga")
    listed = reverse("admin:incentives_payout_changelist")
    chosen = olga.post(listed, {"action": "return", "_selected_action": [payout.pk]})
    assert "Return: 1 payout" in olga.get(chosen["Location"]).content.decode()
    assert take(olga, "return", payout, text="The list was not final.") == "Return: 1 payout · 4,000.00 CNY"


def test_decisions_name_states_in_words(world: World, browser: Browser, payout: Payout) -> None:
    take(browser("omar"), "approve", payout)
    for language, words in (("en", ("In review", "Approved")), ("zh-hans", ("审核中", "已批准"))):
        client = Client(headers={"accept-language": language})
        client.force_login(world.omar)
        for address in (
            reverse("admin:incentives_decision_changelist"),
            reverse("admin:incentives_payout_change", args=[payout.pk]),
        ):
            page = client.get(address).content.decode()
            cells = re.findall(r'<td class="field-state_(?:before|after)">\s*(?:<p>)?(.*?)(?:</p>)?\s*</td>', page)
            assert set(words) <= set(cells), (address, cells)
            assert not {"in_review", "approved"} & set(cells)


def test_every_table_opens_for_operators_and_for_nobody_else(world: World, browser: Browser, payout: Payout) -> None:
    omar, alice = browser("omar"), browser("alice")
    world.olga.role_grants.all().delete()  # staff without a role
    bare = browser("olga")
    ours = [model for model in admin.site._registry if model._meta.app_label in FLOORS]
    assert len(ours) > 20
    for model in ours:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_changelist")
        assert omar.get(address).status_code == 200, name
        assert bare.get(address).status_code == 403, name
        assert alice.get(address).status_code in (302, 403), name
        assert omar.get(reverse(f"admin:{name}_add")).status_code == 403, name
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            assert omar.get(reverse(f"admin:{name}_change", args=[first.pk])).status_code == 200, name
            assert omar.get(reverse(f"admin:{name}_delete", args=[first.pk])).status_code == 403, name


FLOORS = ("core", "partners", "merchants", "incentives", "governance")


def test_a_payouts_page_shows_decisions_and_ledger(world: World, browser: Browser, payout: Payout) -> None:
    take(browser("omar"), "approve", payout)
    page = browser("fiona").get(reverse("admin:incentives_payout_change", args=[payout.pk])).content.decode()
    assert "Payable to partners -4,000.00" in page
    assert "Omar" in page or "omar@example.com" in page


def test_an_open_program_asks_why_now_on_its_own_clock(world: World, browser: Browser) -> None:
    run = make_run(make_program("POP-2099Q1", year=2099), [Spec("F-1", world.haiqiao)])
    olga, address = browser("olga"), reverse("admin:incentives_run_submit", args=[run.pk])
    assert "open for observation until 1 Jun 2099, 00:00 (Beijing time)" in olga.get(address).content.decode()
    assert "Give a reason to submit now" in said(olga.post(address, {"text": ""}, follow=True))
    assert "1 payout is in review" in said(olga.post(address, {"text": "Agreed."}, follow=True))


def test_absent_and_unknown_answer_404(world: World, browser: Browser, payout: Payout) -> None:
    omar = browser("omar")
    for address in (
        reverse("admin:incentives_payout_step", args=["approve"]) + "?ids=999999",
        reverse("admin:incentives_payout_step", args=["approve"]) + "?ids=x,'",
        reverse("admin:incentives_payout_step", args=["explode"]) + f"?ids={payout.pk}",
        reverse("admin:incentives_payoutline_step", args=[999999, "void"]),
        reverse("admin:incentives_run_submit", args=[999999]),
    ):
        assert omar.get(address).status_code == 404, address
