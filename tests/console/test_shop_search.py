"""An operator's search among a program's shops finds what a reviewer types; a shop's page leads to whose it is."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.recording import open_batch, seal
from merchants.models import Merchant, Shop, ShopFact
from tests.console.reading import text
from tests.incentives.factories import World
from tests.people import person

LIST = "/operator/POP-2026Q1/shops"


def found(client: Client, page: str, typed: str) -> list[str]:
    return sorted(row.code for row in client.get(page, {"search": typed, "sort": "code"}).context["page"].rows)


@pytest.fixture
def olga(world: World) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.olga)
    return client


def test_a_reviewer_finds_a_shop_by_partner_entity_number_and_code(world: World, olga: Client) -> None:
    shop = Shop.objects.select_related("merchant").get(code="S-1")
    number = shop.merchant.registration_no
    Merchant.objects.filter(pk=shop.merchant_id).update(name="Entity Of Record")
    assert found(olga, LIST, "S-1") == ["S-1"]
    assert found(olga, LIST, "entity of record") == ["S-1"]
    assert found(olga, LIST, f"{number[:4]}-{number[4:]}") == ["S-1"]
    assert found(olga, LIST, "海桥") == found(olga, LIST, "HAIQIAO") == ["S-1", "S-2", "S-3"]
    assert found(olga, LIST, "rival s-") == ["S-4"]
    assert found(olga, LIST, "nobody at all") == []


def test_a_partners_own_name_finds_nothing_in_its_own_list(world: World) -> None:
    alice = Client(headers={"accept-language": "en"})
    alice.force_login(world.alice)
    assert found(alice, "/partner/POP-2026Q1/shops", "haiqiao") == []
    assert found(alice, "/partner/POP-2026Q1/shops", "s-1") == ["S-1"]


def test_a_shops_page_leads_to_its_attribution_with_facts_and_who_recorded_them(world: World, olga: Client) -> None:
    with transaction.atomic():
        landed = open_batch(source="operator", actor_id=person("lena").pk)
        ShopFact.objects.create(shop=Shop.objects.get(code="S-1"), brand_name="Bluefinch", batch=landed)
        seal(landed)
    assert 'href="/operator/attribution/S-1"' in olga.get(f"{LIST}/S-1").content.decode()
    assert "Bluefinch · not certified · Lena" in text(olga.get("/operator/attribution/S-1"))


def test_the_words_may_be_spread_over_shop_entity_and_partner(world: World, olga: Client) -> None:
    shop = Shop.objects.get(code="S-1")
    Merchant.objects.filter(pk=shop.merchant_id).update(name="Ｅntity 100% Of_Record")
    Shop.objects.filter(pk=shop.pk).update(brand_name="青鳥 Outdoor")
    for typed in (
        "s-1 entity",
        "ENTITY s-1",
        "outdoor record haiqiao",
        "of_record 100% 青鳥 s-1 海桥",
        "haiqiao 青鳥",
        "entity entity",
    ):
        assert found(olga, LIST, typed) == ["S-1"], typed
    assert found(olga, LIST, "haiqiao s-") == ["S-1", "S-2", "S-3"]
    for typed in ("entity s-2", "entity rival", "outdoor record rival", "s-1 entity haiqiao nowhere", "of%record"):
        assert found(olga, LIST, typed) == [], typed


def test_however_many_words_are_typed_the_queries_stay_few(world: World, olga: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert found(olga, LIST, "haiqiao 海桥 s-1 s s- 1") == ["S-1"]
    assert len(queries) <= 20
