"""The weekly digest: what a partner can still win this week, told once, and only where there is something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from core.models import Notice, NoticePreference
from core.notices import mailing
from core.notices.inbox import notice_views
from incentives.digest import send_digests
from incentives.states import Verdict
from merchants.models import Shop
from tests.incentives.factories import Spec, World, make_run

pytestmark = pytest.mark.django_db

# The factory's shops are certified on 10 January: orders count until 9 February.
THURSDAY = datetime(2026, 2, 5, 1, 0, tzinfo=UTC)


@pytest.fixture
def world(world: World) -> World:
    """Two of Haiqiao's shops can be won until Monday; of the rival's none."""
    specs = [
        Spec("S-1", world.haiqiao, Verdict.PENDING),
        Spec("S-2", world.haiqiao, Verdict.PENDING),
        Spec("S-3", world.haiqiao, Verdict.NOT_ELIGIBLE),
        Spec("S-4", world.rival),
    ]
    make_run(world.program, specs, as_of=THURSDAY)
    return world


def send(now: datetime = THURSDAY) -> int:
    return send_digests(now=now, seconds=30)


def test_a_partner_is_told_what_it_can_still_win(world: World) -> None:
    assert send() == 1
    mailing.send_waiting(seconds=20)
    assert sorted(each.to[0] for each in mail.outbox) == ["alice@example.com", "bob@example.com"]
    [view] = notice_views(Notice.objects.filter(user=world.alice))
    assert view.sentence == "Spring: 2 shops can still be won this week, together 4,000.00 CNY."
    assert view.path == "/partner/?partner=haiqiao"
    body = mail.outbox[0].body
    assert "182.40" in body  # what is missing, in words
    assert str(mail.outbox[0].subject) == "Spring: 4,000.00 CNY at risk this week"
    names = {shop.merchant_name for shop in _shops(world)}
    assert all(name in body for name in names)
    # Names are looked up when the mail is made, and not kept with the notice.
    kept = str(list(Notice.objects.values_list("params", flat=True)))
    assert not any(name in kept for name in names)


def test_it_is_told_once_a_week(world: World) -> None:
    assert [send(), send(), send(THURSDAY + timedelta(hours=1))] == [1, 0, 0]
    assert Notice.objects.filter(user=world.alice).count() == 1
    # The next week has begun and the deadline, Monday, is still to come.
    assert send(datetime(2026, 2, 9, 1, 0, tzinfo=UTC)) == 1


@pytest.mark.parametrize(
    "now",
    [
        THURSDAY - timedelta(days=4),  # more than a week is left
        THURSDAY + timedelta(days=5),  # over: the shops only wait for settlements
    ],
)
def test_where_nothing_is_at_risk_nothing_is_said(world: World, now: datetime) -> None:
    assert send(now) == 0
    assert not Notice.objects.exists()


def test_what_is_no_longer_the_readers_is_not_named(world: World) -> None:
    send()
    world.bob.memberships.all().delete()
    mailing.send_waiting(seconds=20)
    to_bob = next(each for each in mail.outbox if each.to == ["bob@example.com"])
    assert not any(shop.merchant_name in to_bob.body for shop in _shops(world))


def test_one_shop_is_one(world: World) -> None:
    make_run(world.program, [Spec("S-1", world.haiqiao, Verdict.PENDING)], as_of=THURSDAY)
    NoticePreference.objects.create(user=world.bob, kind="digest.at_risk", inbox=False, mail=False)
    send()
    [view] = notice_views(Notice.objects.all())
    assert view.sentence == "Spring: 1 shop can still be won this week, worth 2,000.00 CNY."


def _shops(world: World) -> list[Shop]:
    return list(Shop.objects.filter(code__in=["S-1", "S-2"]))
