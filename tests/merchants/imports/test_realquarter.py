"""A real quarter's feeds, where they exist beside the repository: all rows land, and a second time nothing changes."""

from __future__ import annotations

from datetime import date

import pytest

from core.services import create_program, read_policy
from merchants.models import Attribution, Settlement, Shop
from merchants.services import load_feed
from tests.merchants.imports.feeds import ACTOR
from tests.realquarter import FOLDER, needed

ROWS = {"partners": 22, "targets": 842, "fx": 1175, "shops": 842, "shop_statuses": 842, "settlements": 4984}


@pytest.mark.django_db
@needed
def test_real_feeds() -> None:
    create_program(
        actor=ACTOR,
        code="olist-2026",
        start=date(2026, 1, 1),
        end=date(2026, 3, 31),
        policy=read_policy(FOLDER / "policy.json"),
        accept_example_tiers=True,
    )
    for turn in ("new", "unchanged"):
        for kind, rows in ROWS.items():
            loaded = load_feed(actor=ACTOR, kind=kind, path=FOLDER / f"{kind}.csv")
            assert (loaded.rows, getattr(loaded, turn)) == (rows, rows), kind
    assert (Shop.objects.count(), Attribution.objects.filter(cause="record").count()) == (842, 842)
    assert Settlement.objects.count() == 4984
