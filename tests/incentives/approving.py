"""The ways in which a person can try to approve a payout, each through the outside, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core.actors import Role
from core.models import AuditEvent, Notice, User
from incentives.models import BulkDecision, Decision, LedgerEntry, Payout, PayoutLine, Posting
from incentives.services.bulk import work_on_bulk
from tests.console.reading import text
from tests.incentives.factories import make_user

# Tries to approve the payout as the person. The second call happens at the last moment: when the page has been opened,
# or the bulk decision has been asked for and nobody has worked on it yet. Returns what the person is told.
Way = Callable[[User, Payout, Callable[[], object]], str]


def browser(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def by_page(user: User, payout: Payout, meanwhile: Callable[[], object]) -> str:
    client, address = browser(user), f"/operator/payouts/{payout.pk}"
    seen = client.get(address).context["detail"].payout.version
    meanwhile()
    return said(client.post(f"{address}/approve", {"version": str(seen)}, follow=True))


def by_pages_of_many(user: User, payout: Payout, meanwhile: Callable[[], object]) -> str:
    client, chosen = browser(user), f"{payout.pk}:{Payout.objects.get(pk=payout.pk).version}"
    assert client.get(f"/operator/payouts/decide?step=approve&payout={chosen}").status_code == 200
    asked = client.post("/operator/payouts/decide", {"step": "approve", "chosen": chosen})
    return worked_off(asked.headers["Location"].rsplit("/", 1)[1], meanwhile)


def by_api(user: User, payout: Payout, meanwhile: Callable[[], object]) -> str:
    client, address = browser(user), f"/api/v1/operator/payouts/{payout.pk}"
    seen = client.get(address).json()["payout"]["version"]
    meanwhile()
    answer = client.post(f"{address}/approve", {"version": seen}, content_type="application/json")
    if answer.status_code == 200:
        return str(answer.json()["payout"]["state"])
    assert answer.status_code == 403, answer.content
    return str(answer.json()["errors"][0]["detail"])


def by_api_of_many(user: User, payout: Payout, meanwhile: Callable[[], object]) -> str:
    seen = Payout.objects.get(pk=payout.pk).version
    body = {"step": "approve", "payouts": [{"id": payout.pk, "version": seen}]}
    asked = browser(user).post("/api/v1/operator/bulk", body, content_type="application/json")
    assert asked.status_code == 202, asked.content
    return worked_off(asked.json()["id"], meanwhile)


def by_back_office(user: User, payout: Payout, meanwhile: Callable[[], object]) -> str:
    client = browser(user)
    address = f"{reverse('admin:incentives_payout_step', args=['approve'])}?ids={payout.pk}"
    shown = client.get(address).context["rows"]
    seen = next(each.version for each, _able in shown)
    meanwhile()
    return said(client.post(address, {f"version_{payout.pk}": str(seen)}, follow=True))


WAYS: tuple[Way, ...] = (by_page, by_pages_of_many, by_api, by_api_of_many, by_back_office)
OF_MANY = (by_pages_of_many, by_api_of_many)


def worked_off(bulk_id: str | int, meanwhile: Callable[[], object]) -> str:
    """Have a worker do it, and read what became of the only payout of it, as a colleague may."""
    meanwhile()
    assert not work_on_bulk(int(bulk_id))
    progress = browser(make_user("reader", Role.AUDITOR)).get(f"/api/v1/operator/bulk/{bulk_id}").json()
    assert (progress["done"] + progress["refused"], progress["waiting"]) == (1, 0)
    assert BulkDecision.objects.get(pk=bulk_id).finished_at
    return "approved" if progress["done"] else str(progress["refusals"][0]["message"])


def said(answer: Any) -> str:
    """What the page that follows a step says of it; its other words may say the same without the step.

    Who is refused at the door gets a page that says nothing else.
    """
    if answer.status_code == 403:
        return text(answer)
    return " | ".join(str(message) for message in get_messages(answer.wsgi_request))


def left_behind(payout: Payout) -> dict[str, Any]:
    """All that an approval would change: the payout, its lines, decisions, the whole ledger, what people are told."""
    return {
        "payout": Payout.objects.filter(pk=payout.pk).values().get(),
        "lines": list(PayoutLine.objects.filter(payout=payout).order_by("pk").values()),
        "decisions": list(Decision.objects.order_by("pk").values_list("pk", "kind", "actor")),
        "ledger": (Posting.objects.count(), list(LedgerEntry.objects.order_by("pk").values())),
        "notices": Notice.objects.count(),
    }


def trail_since(last: int) -> list[tuple[str, str | None]]:
    """What the audit trail has got since the row of this id: each action, and whose."""
    found = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
    return list(found.values_list("action", "actor__email"))
