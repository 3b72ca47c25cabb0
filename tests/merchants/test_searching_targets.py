"""Names are found whatever width and case they are typed in, and whatever legal form is put to them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from merchants.filters import TargetFilter
from merchants.listing import Place, latest_versions, placed
from merchants.models import TargetEntry
from merchants.searching import search_words
from tests import people
from tests.merchants.targets import claim, entry, running_program, shop, told_claim


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("岚渡舟电商运营（杭州）有限公司", ["岚渡舟电商运营", "杭州"]),
        ("ホシノ株式会社", ["ホシノ"]),
        ("（株）ﾎｼﾉ", ["ホシノ"]),
        ("Moosgrund Handels GmbH & Co. KG", ["moosgrund", "handels"]),
        ("FERNMOSS  Ltd.", ["fernmoss"]),
        ("Rivaforte S.r.l.", ["rivaforte"]),
        ("L'Étoile, S.A.", ["l'étoile"]),
        ("ＡＢＣ-１２３", ["abc", "123"]),
        ("有限公司", ["有限公司"]),  # nothing else was typed
        ("Ltd", ["ltd"]),
        ("  ", []),
        ("100%_\\", ["100%"]),
    ],
)
def test_what_is_looked_for(typed: str, words: list[str]) -> None:
    assert search_words(typed) == words


NAMES = {
    "T-1": "岚渡舟电商运营（杭州）有限公司",
    "T-2": "ﾎｼﾉ 商事株式会社",
    "T-3": "Moosgrund Handels GmbH",
    "T-4": "FERNMOSS Trading Co., Ltd.",
    "T-5": "100% Étoile S.A.",
}


@pytest.fixture
def names(db: None) -> None:
    for code, name in NAMES.items():
        entry(code, name=name)
    entry("T-6", brand="ＨＯＳＨＩ Kids")
    entry("T-7", name="Moosgrund Verlag", brand="Waldkind")


def found(**asked: object) -> list[str]:
    entries = placed(
        TargetEntry.objects.visible_to(people.actor("alice")),
        partner_ids=people.actor("alice").partner_ids,
        versions=latest_versions(),
        at=timezone.now(),
    )
    narrowed = TargetFilter(asked, queryset=entries.order_by("code"))
    assert narrowed.is_valid(), narrowed.errors
    return [one.code for one in narrowed.qs]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("岚渡舟", ["T-1"]),
        ("岚渡舟电商运营(杭州)股份有限公司", ["T-1"]),
        ("杭州 岚渡舟", ["T-1"]),
        ("ホシノ", ["T-2"]),
        ("株式会社ﾎｼﾉ商事", []),  # written together it is another name
        ("株式会社 ホシノ 商事", ["T-2"]),
        ("MOOSGRUND gmbh", ["T-3", "T-7"]),
        ("moosgrund handels AG", ["T-3"]),
        ("ｆｅｒｎｍｏｓｓ limited", ["T-4"]),
        ("ÉTOILE", ["T-5"]),
        ("100%", ["T-5"]),
        ("%", ["T-5"]),
        ("100_", ["T-5"]),
        ("hoshi", ["T-6"]),
        ("ｗａｌｄｋｉｎｄ", ["T-7"]),
        ("moosgrund waldkind", ["T-7"]),
        ("t-4", ["T-4"]),
        ("no such name", []),
        ("", ["T-1", "T-2", "T-3", "T-4", "T-5", "T-6", "T-7"]),
    ],
)
def test_what_is_found(names: None, typed: str, codes: list[str]) -> None:
    assert found(search=typed) == codes


@pytest.mark.django_db
def test_free_taken_own_directed_and_off_the_list() -> None:
    free, mine, waiting, theirs = (entry(f"T-{number}") for number in range(4))
    claim(mine)
    told_claim(waiting, "ALPHA", status="pending")
    claim(theirs, "charlie", "GAMMA")
    entry("T-4", assigned_to="ALPHA")
    entry("T-5", assigned_to="GAMMA")
    entry("T-6", review="rejected")
    entry("T-7", number="S-1")
    shop("S-1")
    assert found() == ["T-0", "T-1", "T-2", "T-3", "T-4", "T-7"]
    assert {place: found(place=[place]) for place in Place.values} == {
        "free": [free.code],
        "mine": ["T-1"],
        "waiting": ["T-2"],
        "directed": ["T-4"],
        "taken": ["T-3"],
        "shop": ["T-7"],
        "off": ["T-6"],
    }
    assert found(track="directed") == ["T-4"]
    assert found(country="hk") == found()
    assert found(country="JP") == []


@pytest.mark.django_db
def test_market_and_program() -> None:
    entry("T-1")
    entry("T-2", program=running_program("ASIA", markets=["JP", "FR"]))
    assert found(market="de") == ["T-1"]
    assert found(market="FR") == ["T-1", "T-2"]
    assert found(market="US") == []
    assert found(program="ASIA") == ["T-2"]
