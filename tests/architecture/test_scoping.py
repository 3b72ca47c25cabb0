"""A rival's hand on every address, by every method, with the first partner's ids: nothing of hers is read or moved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from core.actors import Role
from core.models import Notice
from incentives.models import Payout
from merchants.entrants import Entrant
from merchants.models import Shop
from merchants.services import register_merchant
from merchants.states import Consent
from partners.models import Application, ApplicationFile, InviteLink
from partners.services import invite_member
from tests.architecture import test_urls
from tests.architecture.belongings import belongings, may_ask_again, mentions
from tests.incentives.factories import World
from tests.notices.helpers import tell_all

world = test_urls.world  # the fixture: whoever adds an address gives its values there

# Whoever holds these has been let in by their holder: the merchant's page behind a link, and its receipt.
FOR_HOLDERS = ("i/<code>", "r/<number>")
# Parameters that name nothing of a partner's.
OF_NOBODY = {"program"}
# Subtrees that others wrote, what their addresses ask for, and the one that has no page at all for a partner.
OF_OTHERS = (test_urls.ACCOUNT_PAGES, test_urls.ADMIN)
FOREIGN_VALUES = {"key": "abc-def", "uidb36": "1"}
# What not even her own pages say: her merchant's number.
KEPT = ("HERS-0001",)
READING, WRITING = ("get", "head", "options", "trace"), ("post", "put", "patch", "delete")
LED_AWAY, REFUSED = (301, 302), (400, 403, 404, 405, 415, 422)


@dataclass(frozen=True)
class Hers:
    """What would give alice away: `said` is never sent by the rival, `ids` are the ones that he knows and sends."""

    world: World
    said: frozenset[str]
    ids: dict[str, str]


@pytest.fixture
def hers(world: World) -> Hers:
    """Alice's organisation with something on every page of hers."""
    link = InviteLink.objects.get(code="LINK-1")
    InviteLink.objects.filter(pk=link.pk).update(label="Her label, hall 3")
    invitation = invite_member(
        actor=world.actor("alice"), partner=world.haiqiao, email="zoe@example.org", role=Role.MEMBER
    )
    registered = register_merchant(code="LINK-1", entrant=entrant(), at=timezone.now())
    tell_all(world.alice)
    notice = Notice.objects.get(user=world.alice, kind="tests.tried")
    shops = Shop.objects.filter(attributions__partner=world.haiqiao)
    application = Application.objects.get(applicant=world.alice)
    payout = Payout.objects.get(partner=world.haiqiao)
    test_urls.VALUES.update(notice=str(notice.pk), pk=str(notice.pk))
    said = {world.haiqiao.name, world.alice.email, world.bob.email, "zoe@example.org", "Her label, hall 3"}
    said |= {shop.merchant_name for shop in shops} | {shop.merchant.registration_no for shop in shops}
    said |= {
        application.name,
        "licence.pdf",
        registered.merchant_name,
        "13900000001",
        "zoe-lantern",
        "4,000.00",
        "4000.00",
        *KEPT,
    }
    ids = {
        "partner": world.haiqiao.code,
        "shop": "S-1",
        "link": "LINK-1",
        "code": "LINK-1",
        "receipt": registered.receipt,
        "notice": str(notice.pk),
        "until": str(notice.pk),
        "user": str(world.bob.pk),
        "member": str(world.bob.pk),
        "invitation": str(invitation.pk),
        "application": str(application.pk),
        "file": str(ApplicationFile.objects.get(application=application).pk),
        "remove": str(ApplicationFile.objects.get(application=application).pk),
        "payout": str(payout.pk),
        "line": str(payout.lines.order_by("pk")[0].pk),
        "search": "S-1",
    }
    return Hers(world, frozenset(said), ids)


def entrant() -> Entrant:
    return Entrant(
        merchant_name="Her Own Merchant",
        country="HK",
        registration_no="HERS-0001",
        market="DE",
        phone="13900000001",
        consents=frozenset({Consent.PRIVACY, Consent.SHARE_CONTACT}),
    )


def browser(user: Any) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def filled(address: str) -> str:
    """The address with alice's ids in it. A parameter without a value in tests/architecture/test_urls.py fails here."""

    def value(found: re.Match[str]) -> str:
        if address.startswith(OF_OTHERS):
            return FOREIGN_VALUES.get(found[1], "1")
        return test_urls.VALUES[found[1]]

    return "/" + re.sub(r"<(\w+)>", value, address)


def names_hers(address: str) -> bool:
    """Whether the address itself names something of alice's."""
    ours = not address.startswith(OF_OTHERS) and address not in FOR_HOLDERS
    return ours and bool(set(re.findall(r"<(\w+)>", address)) - OF_NOBODY)


def readings(hers: Hers, address: str) -> Iterator[tuple[str, str]]:
    """Every way to ask for a page: as it is, through her organisation, and naming her things in the query."""
    path = filled(address)
    if address.startswith(test_urls.ADMIN):
        yield "get", path
        return
    query = "&".join(f"{name}={value}" for name, value in hers.ids.items() if name != "partner")
    for asked in (path, f"{path}?partner={hers.ids['partner']}", f"{path}?{query}"):
        for method in READING:
            yield method, asked


def what_forms_do() -> list[str]:
    """Every word that a button of the house's forms sends as `do`."""
    folder = settings.BASE_DIR / "templates"
    return sorted(
        {word for page in folder.rglob("*.html") for word in re.findall(r'name="do" value="(\w+)"', page.read_text())}
    )


def body(hers: Hers, do: str) -> dict[str, str]:
    more = {"role": "viewer", "email": "thief@example.org", "label": "taken", "last_day": "2099-01-01"}
    return {**hers.ids, **more, "reason": "taken", "answer": "taken", "name": "taken", **({"do": do} if do else {})}


def send(client: Client, method: str, asked: str, given: dict[str, str]) -> Iterator[HttpResponse]:
    """The body as a form and, where the API may read it, as JSON."""
    call = getattr(client, method)
    if method == "post":
        yield call(asked, given)
    if asked.startswith("/api/") or method != "post":
        yield call(asked, json.dumps(given), content_type="application/json")


def content(response: Any) -> str:
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.headers.get('location', '')} {raw.decode('utf-8', 'replace')}"


def test_the_rival_reads_nothing_of_hers(hers: Hers) -> None:
    charlie = browser(hers.world.charlie)
    leaks: list[tuple[object, ...]] = []
    before = belongings(hers.world)
    for address in test_urls.EVERY:
        for method, asked in readings(hers, address):
            response = getattr(charlie, method)(asked)
            found = mentions(content(response), hers.said)
            if found and address not in FOR_HOLDERS:
                leaks.append((method, asked, found))
            # Options are an address's, whatever it names.
            if names_hers(address) and method != "options" and response.status_code not in (*LED_AWAY, *REFUSED):
                leaks.append((method, asked, response.status_code))
        may_ask_again()
    assert leaks == []
    assert changes(before, belongings(hers.world)) == {}
    assert charlie.get("/partner/").status_code == 200  # he was signed in all the time


def test_the_rival_moves_nothing_of_hers(hers: Hers) -> None:
    leaks: list[tuple[object, ...]] = []
    before = belongings(hers.world)
    for address in test_urls.EVERY:
        asked = filled(address)
        charlie = browser(hers.world.charlie)
        for method in WRITING:
            buttons = what_forms_do() if method == "post" and not address.startswith((*OF_OTHERS, "api/")) else []
            for do in ["", *buttons]:
                for response in send(charlie, method, asked, body(hers, do)):
                    found = mentions(content(response), hers.said)
                    if found and address not in FOR_HOLDERS:
                        leaks.append((method, asked, do, found))
                    if names_hers(address) and response.status_code not in (*LED_AWAY, *REFUSED):
                        leaks.append((method, asked, do, response.status_code))
                    assert response.status_code < 500, (method, asked, do)
                    if not charlie.cookies[settings.SESSION_COOKIE_NAME].value:  # one of them signs out
                        charlie = browser(hers.world.charlie)
        may_ask_again()
    assert leaks == []
    assert changes(before, belongings(hers.world)) == {}


def changes(before: dict[str, set[Any]], after: dict[str, set[Any]]) -> dict[str, Any]:
    return {table: before[table] ^ rows for table, rows in after.items() if before[table] != rows}


def test_alice_herself_sees_all_that_would_give_her_away(hers: Hers) -> None:
    """Else the walk would look for words that no page ever says."""
    alice, seen = browser(hers.world.alice), set()
    for address in test_urls.OURS:
        seen |= set(mentions(content(alice.get(filled(address))), hers.said))
    assert hers.said - seen == set(KEPT)


def test_the_walk_sees_what_would_be_taken(hers: Hers) -> None:
    before = belongings(hers.world)
    assert {table for table, rows in before.items() if rows} >= {
        *("partners.Partner", "partners.Membership", "partners.InviteLink", "partners.Application"),
        *("partners.Invitation", "merchants.Registration", "incentives.Payout", "core.Notice", "core.User"),
    }
    Notice.objects.filter(user=hers.world.alice).update(read_at=timezone.now())
    assert set(changes(before, belongings(hers.world))) == {"core.Notice"}
