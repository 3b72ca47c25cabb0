"""Every address of the house, and what it answers to a stranger, a partner, its rival and an operator.

An address that isn't listed here fails: whoever adds one says who may see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from incentives.models import Payout
from incentives.services import submit_run
from partners.services import add_application_file, save_draft, submit_application
from tests.incentives.factories import AFTER_CLOSE, World, make_entry, make_merchant, make_registration, make_world
from tests.partners.test_applications import WHOLE, pdf

# Answers to GET, as: stranger, alice (its partner), charlie (another partner), olga (an operator).
OPEN = (200, 200, 200, 200)
SIGNED_IN = (302, 200, 200, 200)
OWN = (302, 200, 404, 404)  # an operator sees it only after choosing a partner
OPERATORS = (302, 404, 404, 200)
OPERATORS_POST = (302, 404, 404, 405)  # a decision: only taken by posting it
BACK_OFFICE = (302, 302, 302, 200)
API = (403, 200, 200, 200)
ACCOUNT = (302, 200, 200, 200)
DESK = (403, 404, 404, 200)  # the operators' API: to everybody else there is nothing there
DECIDED = (403, 404, 404, 405)  # something is decided there, so it isn't looked at

POSTED = (302, 405, 405, 405)  # something happens there, so it isn't looked at

ANSWERS: dict[str, tuple[int, int, int, int]] = {
    "account/": SIGNED_IN,
    "account/sessions": SIGNED_IN,
    "programs/": OPEN,
    "programs/<program>": OPEN,
    "partner/programs": (302, 200, 200, 404),
    "partner/<program>/rules": (302, 200, 200, 404),
    "partner/team": (302, 200, 200, 404),
    "partner/payee": (302, 200, 200, 404),
    "partner/payee/change": (302, 302, 302, 404),  # the owners have to prove themselves first
    "partner/payee/withdraw": POSTED,
    "team/invitation/<token>": (404, 404, 404, 404),  # of a token that works: tests/partners
    "apply/": SIGNED_IN,
    "apply/new": (302, 302, 200, 302),  # alice has an application under way; operators don't apply
    "applications/<application>": (302, 200, 404, 200),
    "applications/<application>/edit": (302, 302, 404, 404),  # it was submitted
    "applications/<application>/answer": POSTED,
    "applications/<application>/withdraw": POSTED,
    "applications/<application>/files/<file>": (302, 200, 404, 200),
    "": (200, 302, 302, 302),
    "healthz": OPEN,
    "readyz": OPEN,
    "metrics": OPEN,
    ".well-known/dingyao-statement-keys.json": OPEN,
    "i18n/setlang/": (302, 302, 302, 302),
    "api/schema": OPEN,
    "api/docs": OPEN,
    "api/v1/": API,
    "api/v1/shops": API,
    "api/v1/applications": API,
    "api/v1/applications/<application>": (403, 200, 404, 200),
    "api/v1/applications/<application>/submit": (403, 405, 405, 405),
    "api/v1/applications/<application>/answer": (403, 405, 405, 405),
    "api/v1/applications/<application>/withdraw": (403, 405, 405, 405),
    "api/v1/applications/<application>/files": (403, 405, 405, 405),
    "api/v1/applications/<application>/files/<file>": (403, 200, 404, 200),
    "api/v1/programs": API,
    "api/v1/programs/<program>": API,
    "api/v1/joinings": API,
    "api/v1/invitations": API,
    "api/v1/invitations/<invitation>/withdraw": (403, 405, 405, 405),
    "api/v1/results": API,
    "api/v1/payouts": API,
    "api/v1/notices": API,
    "api/v1/notices/read": (403, 405, 405, 405),
    "api/v1/notices/<pk>/read": (403, 405, 405, 405),
    "demo/outbox": (404, 404, 404, 404),  # the demo's alone
    "demo/outbox/<mail_id>": (404, 404, 404, 404),
    "notices/": SIGNED_IN,
    "notices/read": (302, 405, 405, 405),
    "notices/settings": SIGNED_IN,
    "notices/<notice>": (302, 404, 404, 404),  # each person's own: tests/notices has the one that may
    "notices/<notice>/read": (302, 405, 405, 405),
    "partner/": (302, 200, 200, 404),
    "partner/<program>/overview": (302, 200, 200, 404),
    "api/v1/overviews/<program>/<partner>": (403, 200, 404, 200),
    "partner/<program>/shops": (302, 200, 200, 404),
    "partner/<program>/shops.csv": (302, 200, 200, 404),
    "partner/<program>/shops.xlsx": (302, 200, 200, 404),
    "partner/<program>/shops/<shop_code>": OWN,
    "partner/<program>/payout": (302, 200, 200, 404),
    "partner/<program>/payout.csv": (302, 200, 200, 404),
    "partner/<program>/payout.xlsx": (302, 200, 200, 404),
    "partner/<program>/payout.json": (302, 200, 200, 404),
    "api/v1/statements/<program>/<partner>": (403, 200, 404, 200),
    "partner/statements": (302, 200, 200, 404),
    "partner/<program>/payout/<payout>/invoice": (302, 302, 404, 404),  # it isn't approved yet
    "partner/invoices/<invoice>/file": (302, 404, 404, 404),  # there is none: tests/incentives has the one
    "api/v1/payees": API,
    "api/v1/payees/<pk>": (403, 404, 404, 404),  # there is none: tests/partners has those
    "api/v1/payees/<pk>/withdraw": (403, 405, 405, 405),
    "api/v1/invoices": API,
    "api/v1/invoices/<pk>": (403, 404, 404, 404),  # as above
    "api/v1/invoices/<pk>/file": (403, 404, 404, 404),
    "api/v1/links": API,
    "api/v1/links/<code>": (403, 200, 404, 200),
    "api/v1/links/<code>/revoke": (403, 405, 405, 405),
    "api/v1/links/<code>/extend": (403, 405, 405, 405),
    "partner/<program>/targets": (302, 200, 200, 404),
    "partner/<program>/targets/<code>": OWN,
    "partner/<program>/targets/<code>/claim": POSTED,
    "partner/<program>/targets/<code>/release": POSTED,
    "partner/<program>/claims": (302, 200, 200, 404),
    "partner/<program>/check": (302, 200, 200, 404),
    "api/v1/targets": API,
    "api/v1/targets/check": (403, 405, 405, 405),
    "api/v1/targets/<program>/<code>": (403, 200, 404, 200),
    "api/v1/targets/<program>/<code>/claim": (403, 405, 405, 405),
    "api/v1/targets/<program>/<code>/release": (403, 405, 405, 405),
    "api/v1/claims": API,
    "partner/links": (302, 200, 200, 404),
    "partner/links/<code>": OWN,
    "partner/links/<code>/revoke": (302, 405, 405, 405),
    "partner/links/<code>/extend": (302, 405, 405, 405),
    "partner/links/<code>/qr.svg": OWN,
    "partner/links/<code>/qr.png": OWN,
    "i/<code>": OPEN,
    "r/<number>": OPEN,
    "api/v1/operator/payouts": DESK,
    "api/v1/operator/payouts/<payout>": DESK,
    "api/v1/operator/payouts/<payout>/notes": DESK,
    "api/v1/operator/payouts/<payout>/<step>": DECIDED,
    "api/v1/operator/lines/<line>/<step>": DECIDED,
    "api/v1/operator/holds": DESK,
    "api/v1/operator/holds/<partner>/<step>": DECIDED,
    "api/v1/operator/bulk": DECIDED,
    "api/v1/operator/bulk/<bulk>": (403, 404, 404, 404),  # there is none: tests/incentives has one
    "api/v1/operator/runs/<run>/submit": DESK,
    "api/v1/operator/adjustments": DESK,
    "api/v1/operator/adjustments/<adjustment>/<answer>": DECIDED,
    "api/v1/operator/accounts": DESK,
    "api/v1/operator/batches": DESK,
    "api/v1/operator/batches/<batch>": (403, 404, 404, 404),  # there is none: tests/incentives has one
    "api/v1/operator/batches/<batch>/payments": (403, 404, 404, 404),
    "api/v1/operator/batches/<batch>/drop": DECIDED,
    "api/v1/operator/batches/<batch>/export": DECIDED,
    "api/v1/operator/batches/<batch>/<move>": DECIDED,
    "api/v1/operator/bank-results": DESK,
    "api/v1/operator/ledger": DESK,
    "api/v1/operator/ledger/balances": DESK,
    "api/v1/operator/ledger/export": DESK,
    "api/v1/operator/programs/<program>/draft": (403, 404, 404, 404),  # there is none: tests/console has one
    "api/v1/operator/programs/<program>/draft/try": DECIDED,
    "api/v1/operator/programs/<program>/draft/publish": DECIDED,
    "api/v1/operator/programs/<program>/draft/drop": DECIDED,
    "api/v1/operator/imports": DESK,
    "api/v1/operator/imports/<import_id>": (403, 404, 404, 404),  # there is none: tests/console has one
    "api/v1/operator/imports/<import_id>/rejected": (403, 404, 404, 404),
    "api/v1/operator/uploads": DESK,
    "api/v1/operator/uploads/<upload_id>": (403, 404, 404, 404),
    "api/v1/operator/uploads/<upload_id>/columns": DECIDED,
    "api/v1/operator/uploads/<upload_id>/load": DECIDED,
    "api/v1/operator/uploads/<upload_id>/drop": DECIDED,
    "operator/": OPERATORS,
    "operator/runs": OPERATORS,
    "operator/runs.csv": OPERATORS,
    "operator/runs/start": OPERATORS_POST,
    "operator/runs/<run_id>": OPERATORS,
    "operator/runs/<run_id>/cancel": OPERATORS_POST,
    "operator/runs/<run_id>/submit": OPERATORS,
    "operator/runs/<run_id>/changes": OPERATORS,
    "operator/runs/<run_id>/changes.csv": (302, 404, 404, 404),  # there is no other run: tests/console has one
    "operator/ledger": OPERATORS,
    "operator/ledger.csv": OPERATORS,
    "operator/ledger/partners/<partner>": OPERATORS,
    "operator/ledger/partners/<partner>/adjust": OPERATORS_POST,
    "operator/ledger/adjustments/<adjustment>/<answer>": OPERATORS_POST,
    "operator/payments": OPERATORS,
    "operator/payments.csv": OPERATORS,
    "operator/payments/batches": OPERATORS_POST,
    "operator/payments/batches/<batch>": (302, 404, 404, 404),  # there is none: tests/console has one
    "operator/payments/batches/<batch>/<move>": OPERATORS_POST,
    "operator/payments/results": OPERATORS_POST,
    "operator/payments/results/<result>": (302, 404, 404, 404),  # there is none: tests/console has one
    "operator/payments/results/<result>.csv": (302, 404, 404, 404),
    "operator/payouts": OPERATORS,
    "operator/payouts.csv": OPERATORS,
    "operator/payouts/decide": (302, 404, 404, 404),  # of no step: tests/console has those
    "operator/payouts/bulk/<bulk>": (302, 404, 404, 404),  # there is none: tests/console has one
    "operator/payouts/<payout>": OPERATORS,
    "operator/payouts/<payout>/<step>": OPERATORS_POST,
    "operator/payouts/<payout>/lines/<line>/<step>": OPERATORS_POST,
    "operator/payouts/<payout>/adjustments/<adjustment>/<answer>": OPERATORS_POST,
    "operator/payouts/<payout>/invoices/<invoice>/<answer>": OPERATORS_POST,
    "operator/<program>/unknown": OPERATORS,
    "operator/<program>/unknown.csv": OPERATORS,
    "operator/applications": OPERATORS,
    "operator/applications.csv": OPERATORS,
    "operator/applications/<application>": OPERATORS,
    "operator/applications/<application>/<step>": OPERATORS_POST,
    "operator/partners": OPERATORS,
    "operator/partners.csv": OPERATORS,
    "operator/partners/<partner>": OPERATORS,
    "operator/partners/<partner>/<step>": OPERATORS_POST,
    "operator/partners/<partner>/payee/<payee>/<answer>": OPERATORS_POST,
    "api/v1/operator/entries": DESK,
    "api/v1/operator/entries/<program>/<code>": DESK,
    "api/v1/operator/entries/<program>/<code>/review": DECIDED,
    "api/v1/operator/entries/<program>/<code>/direct": DECIDED,
    "api/v1/operator/entries/<program>/<code>/delist": DECIDED,
    "api/v1/operator/duplicates": DESK,
    "api/v1/operator/duplicates/<pk>/keep": DECIDED,
    "api/v1/operator/duplicates/<pk>/reject": DECIDED,
    "operator/lists": (302, 404, 404, 302),  # leads on to the newest program's
    "operator/<program>/lists": OPERATORS,
    "operator/<program>/lists.csv": OPERATORS,
    "operator/<program>/lists/review": OPERATORS_POST,
    "operator/<program>/entries/<code>": OPERATORS,
    "operator/<program>/entries/<code>/<step>": OPERATORS_POST,
    "operator/duplicates": OPERATORS,
    "operator/duplicates.csv": OPERATORS,
    "operator/duplicates/look": OPERATORS_POST,
    "operator/duplicates/<pair>": OPERATORS_POST,
    "operator/unattributed": OPERATORS,
    "operator/unattributed.csv": OPERATORS,
    "operator/unattributed/apply": OPERATORS_POST,
    "operator/attribution/<shop_code>": OPERATORS,
    "operator/attribution/<shop_code>/assign": OPERATORS_POST,
    "operator/registrations/contested": OPERATORS,
    "operator/registrations/contested.csv": OPERATORS,
    "operator/programs": OPERATORS,
    "operator/programs/<program>": OPERATORS,
    "operator/programs/<program>/policy.json": OPERATORS,
    "operator/new-program": OPERATORS,
    "operator/programs/<program>/draft": OPERATORS,
    "operator/programs/<program>/draft/try": OPERATORS_POST,
    "operator/programs/<program>/draft/publish": OPERATORS_POST,
    "operator/programs/<program>/draft/drop": OPERATORS_POST,
    "operator/trials/<run_id>/changes.csv": (302, 404, 404, 404),  # as below
    "operator/trials/<run_id>": (302, 404, 404, 404),  # that run is no draft's: tests/console has one
    "operator/feeds": OPERATORS,
    "operator/feeds.csv": OPERATORS,
    "operator/feeds/upload": OPERATORS_POST,
    "operator/feeds/uploads/<upload_id>": (302, 404, 404, 404),  # there is none: tests/console has one
    "operator/feeds/uploads/<upload_id>/columns": OPERATORS_POST,
    "operator/feeds/uploads/<upload_id>/load": OPERATORS_POST,
    "operator/feeds/uploads/<upload_id>/drop": OPERATORS_POST,
    "operator/feeds/<import_id>": (302, 404, 404, 404),  # as above
    "operator/feeds/<import_id>/rejected.csv": (302, 404, 404, 404),
    "operator/audit": OPERATORS,
    "operator/audit.csv": OPERATORS,
    "operator/people": OPERATORS,
    "operator/people.csv": OPERATORS,
    "operator/people/<user_id>": OPERATORS,
    "operator/people/<user_id>/<step>": OPERATORS_POST,
    "operator/<program>/shops": OPERATORS,
    "operator/<program>/shops.csv": OPERATORS,
    "operator/<program>/shops.xlsx": OPERATORS,
    "operator/<program>/shops/<shop_code>": OPERATORS,
}
# Whole subtrees that others wrote: a stranger is led to the sign-in, or sees a page without anybody's data.
ACCOUNT_PAGES = "accounts/"
ADMIN = "admin/"
VALUES = {
    "program": "POP-2026Q1",
    "shop_code": "S-1",
    "partner": "haiqiao",
    "notice": "1",
    "pk": "1",
    "mail_id": "1",
    "code": "LINK-1",
    "number": "R-1",
    "step": "hold",
    "move": "lock",
    "answer": "confirm",
    "line": "1",
    "bulk": "1",
    "run": "1",
    "run_id": "1",
    "user_id": "1",
    "payee": "1",
    "upload_id": "1",
    "import_id": "1",
    "adjustment": "1",
    "result": "999999",
    "batch": "1",
    "invitation": "1",
    "pair": "1",
}


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every pattern as an address with its parameters in angle brackets; format suffixes of the API left out."""
    for pattern in patterns:
        text = before + readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, text)
        elif "<format>" not in text:
            yield text


def readable(pattern: str) -> str:
    """A path or a regular expression, as people write addresses."""
    pattern = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)
    pattern = re.sub(r"<\w+:(\w+)>", r"<\1>", pattern)
    return pattern.removeprefix("^").removesuffix("\\Z").removesuffix("$").replace("\\.", ".").removesuffix("/?")


EVERY = sorted(set(addresses(get_resolver().url_patterns)))
OURS = [address for address in EVERY if not address.startswith((ACCOUNT_PAGES, ADMIN))]


@pytest.fixture
def world(db: None) -> World:
    world = make_world()
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    make_entry(world.program, make_merchant(), "LINK-1", assigned_to=world.haiqiao)  # one code serves both addresses
    apply_for_another(world)
    return world


def apply_for_another(world: World) -> None:
    """Alice applies for a second organisation, with a file."""
    alice = world.actor("alice")
    application = save_draft(actor=alice, data=WHOLE)
    file = add_application_file(actor=alice, application=application, file=pdf())
    submit_application(actor=alice, application=application)
    VALUES.update(application=str(application.pk), file=str(file.pk), token="no-such-token")
    VALUES.update(run=str(world.run.pk), run_id=str(world.run.pk), user_id=str(world.alice.pk))
    VALUES.update(payout=str(Payout.objects.get(partner=world.haiqiao).pk), invoice="1")


@pytest.fixture
def answers(world: World) -> Callable[[str], tuple[int, ...]]:
    clients = [Client()]
    for name in ("alice", "charlie", "olga"):
        client = Client()
        client.force_login(getattr(world, name))
        clients.append(client)

    def ask(address: str) -> tuple[int, ...]:
        return tuple(client.get(f"/{address}").status_code for client in clients)

    return ask


def test_every_address_is_listed() -> None:
    assert sorted(set(OURS) - set(ANSWERS)) == []
    assert sorted(set(ANSWERS) - set(OURS)) == []


@pytest.mark.parametrize("address", sorted(ANSWERS))
def test_an_address_answers_each_as_listed(answers: Callable[[str], tuple[int, ...]], address: str) -> None:
    filled = re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], address)
    assert answers(filled) == ANSWERS[address]


@pytest.mark.parametrize("address", sorted(ANSWERS))
def test_nobody_writes_by_an_unexpected_method(world: World, address: str) -> None:
    olga = Client()
    olga.force_login(world.olga)
    filled = "/" + re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], address)
    for method in ("put", "patch", "delete"):
        assert getattr(olga, method)(filled).status_code in (302, 403, 404, 405), (method, filled)


def test_the_back_office_is_closed_to_partners(world: World, answers: Callable[[str], tuple[int, ...]]) -> None:
    payout = Payout.objects.get(partner=world.haiqiao)
    line = payout.lines.order_by("pk")[0]
    for address in (
        "admin/",
        "admin/incentives/payout/",
        f"admin/incentives/payout/{payout.pk}/change/",
        f"admin/incentives/payout/step/approve/?ids={payout.pk}",
        f"admin/incentives/payout/line/{line.pk}/step/void/",
        f"admin/incentives/run/{world.run.pk}/submit/",
        "admin/core/auditevent/",
    ):
        assert answers(address) == BACK_OFFICE, address


def test_account_pages_show_a_stranger_nobody(world: World) -> None:
    stranger = Client()
    for address in EVERY:
        if not address.startswith(ACCOUNT_PAGES) or "<" in address:
            continue
        response = stranger.get(f"/{address}")
        assert response.status_code in (200, 302, 403, 404, 405), address
        assert b"@example.com" not in response.content, address
