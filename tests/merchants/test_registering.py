"""A merchant registers through a link: counted exactly, once for the same form, and nobody learns of anybody else."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.audit import verify_chain
from core.errors import BadInput
from core.models import AuditEvent
from merchants.entrants import NOTICE_VERSION, Entrant, problems
from merchants.models import Attribution, Registration, RegistrationContact, Shop
from merchants.services import LinkIsDead, register_merchant
from merchants.states import Cause, Consent
from partners.models import InviteLink
from partners.services import revoke_link
from tests import people
from tests.merchants.imports.feeds import Feeds, make_program
from tests.merchants.invites import ENTRANT, NUMBERS, dead_codes, entrant, link

MARKETS = ("DE", "FR")


def register(code: str, who: Entrant = ENTRANT) -> Registration:
    return register_merchant(code=code, entrant=who, at=timezone.now())


def uses(made: InviteLink) -> int:
    return InviteLink.objects.values_list("uses", flat=True).get(pk=made.pk)


@pytest.mark.django_db
def test_a_registration_is_a_fact_with_its_consents_and_names_nobody_in_the_trail() -> None:
    made = link(max_uses=5)
    row = register(made.code)
    assert re.fullmatch(r"R(-[2-9A-HJKMNP-Z]{7}){4}", row.receipt)
    assert row.batch.recorded_at is not None
    assert row.batch.source == "merchant"
    assert uses(made) == 1
    assert {(consent.kind, consent.notice_version) for consent in row.consents.all()} == {
        (Consent.PRIVACY, NOTICE_VERSION),
        (Consent.SHARE_CONTACT, NOTICE_VERSION),
    }
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.action, event.subject_id) == ("merchant.registered", str(row.pk))
    for personal in ("虚构", "138", "Example", row.receipt):
        assert personal not in str(event.details)
    assert verify_chain().intact
    # What names a person goes without touching what counts.
    RegistrationContact.objects.filter(registration=row).delete()
    assert Registration.objects.get(pk=row.pk).receipt == row.receipt


@pytest.mark.django_db
def test_the_same_merchant_and_contact_get_their_first_receipt() -> None:
    made = link(max_uses=1)
    first = register(made.code)
    same = replace(ENTRANT, registration_no="inv 0001", phone="13800000000", merchant_name="Another spelling", brand="")
    assert register(made.code, same) == first
    assert uses(made) == 1
    # Somebody else is told that the link is over, as by any dead link.
    with pytest.raises(LinkIsDead):
        register(made.code, replace(ENTRANT, phone="13900000000"))
    # And whoever has registered still finds the receipt when the link is gone.
    revoke_link(actor=people.actor("alice"), link=made, at=timezone.now())
    assert register(made.code) == first
    assert Registration.objects.count() == 1


@pytest.mark.django_db
def test_another_party_gets_a_receipt_like_anybody_and_operators_see_both() -> None:
    made, rivals = link(), link("charlie", "GAMMA")
    first = register(made.code)
    other_contact = register(made.code, replace(ENTRANT, phone="", wechat="other-one"))
    other_link = register(rivals.code)
    alone = register(made.code, entrant(2))
    assert len({first.receipt, other_contact.receipt, other_link.receipt, alone.receipt}) == 4
    assert set(Registration.objects.contested()) == {first, other_contact, other_link}
    assert set(Registration.objects.visible_to(people.actor("charlie"))) == {other_link}
    assert set(Registration.objects.visible_to(people.actor("bob"))) == {first, other_contact, alone}
    assert Registration.objects.visible_to(people.actor("olga")).count() == 4


@pytest.mark.django_db
def test_a_dead_link_registers_nobody_whatever_it_died_of() -> None:
    said = set()
    for kind, code in dead_codes().items():
        with pytest.raises(LinkIsDead) as refused:
            register(code)
        said.add((refused.value.message, refused.value.code))
        assert not Registration.objects.exists(), kind
    assert len(said) == 1


@pytest.mark.django_db
def test_what_the_form_would_refuse_uses_nothing_up() -> None:
    made = link()
    for wrong in (
        replace(ENTRANT, merchant_name=""),
        replace(ENTRANT, phone="", wechat=""),
        replace(ENTRANT, consents=frozenset({Consent.SHARE_CONTACT})),
        replace(ENTRANT, market="US"),
    ):
        with pytest.raises(BadInput):
            register(made.code, wrong)
    assert uses(made) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"merchant_name": ""}, "merchant_name"),
        ({"merchant_name": "x" * 256}, "merchant_name"),
        ({"merchant_name": "evil\u202ename"}, "merchant_name"),
        ({"country": "XX"}, "country"),
        ({"registration_no": " - "}, "registration_no"),
        ({"country": "CN", "registration_no": NUMBERS[0][:-1] + "1"}, "registration_no"),
        ({"country": "CN", "registration_no": "INV-1"}, "registration_no"),
        ({"market": "US"}, "market"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "123"}, "phone"),
        ({"phone": "", "wechat": "两个字"}, "wechat"),
        ({"phone": "", "wechat": ""}, "phone"),
        ({"consents": frozenset()}, "privacy"),
    ],
)
def test_each_mistake_is_told_beside_its_field(changes: dict[str, object], field: str) -> None:
    found = problems(replace(ENTRANT, **changes), MARKETS)  # type: ignore[arg-type]  # one field or two
    assert set(found) == {field}


def test_either_contact_is_enough_and_brand_and_name_may_be_missing() -> None:
    plain = replace(ENTRANT, brand="", contact_name="")
    assert problems(plain, MARKETS) == {}
    assert problems(replace(plain, phone="", wechat="wxid_invented-1"), MARKETS) == {}
    assert problems(replace(plain, country="CN", registration_no=NUMBERS[0].lower()), MARKETS) == {}


@pytest.mark.django_db(transaction=True)
def test_five_hundred_at_once_through_one_use_are_one_registration() -> None:
    made = link(max_uses=1)

    def attempt(number: int) -> str:
        try:
            return str(register(made.code, entrant(number)).receipt)
        except LinkIsDead:
            return ""
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=40) as pool:
        receipts = [receipt for receipt in pool.map(attempt, range(500)) if receipt]
    assert len(receipts) == 1
    assert uses(made) == 1
    assert list(Registration.objects.values_list("receipt", flat=True)) == receipts
    assert AuditEvent.objects.filter(action="merchant.registered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_fifty_times_at_once_is_one_registration() -> None:
    made = link(max_uses=30)

    def attempt(_: int) -> str:
        try:
            return str(register(made.code).receipt)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=25) as pool:
        receipts = set(pool.map(attempt, range(50)))
    assert len(receipts) == 1
    assert uses(made) == 1
    assert Registration.objects.count() == 1


def test_a_shop_with_the_receipt_takes_the_links_partner_and_instant(feeds: Feeds) -> None:
    make_program()
    made = link()
    row = register(made.code)
    # The link's end and a revocation after the registration take nothing away.
    revoke_link(actor=people.actor("alice"), link=made, at=timezone.now() + timedelta(seconds=1))
    shop = {
        "shop_code": "S-1",
        "merchant_name": ENTRANT.merchant_name,
        "country": ENTRANT.country,
        "registration_no": ENTRANT.registration_no,
        "brand": "Hoshi",
        "market": "DE",
        "registered_at": "2026-01-10T10:00:00+08:00",
        "invite_code": "",
        "partner_code": "",
        "certified_at": "",
        "receipt": row.receipt,
    }
    landed = feeds.load("shops", shop, {**shop, "shop_code": "S-2", "receipt": "R-UNKNOWN"})
    assert (landed.new, landed.rejected) == (1, 1)
    found = Shop.objects.get(code="S-1")
    assert (found.link, found.link_valid, found.registration) == (made, True, row)
    assert found.registered_at == row.registered_at
    given = Attribution.objects.get(shop=found)
    assert (given.partner.code, given.cause) == ("ALPHA", Cause.LINK)
