"""The imports' API: the same rows and filters as on the pages, for operators alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from merchants.models import Import
from merchants.services import load_feed
from tests.console.feeds import RATES
from tests.incentives.factories import World

SignIn = Callable[..., Client]
LIST = "/api/v1/operator/imports"


@pytest.fixture
def loaded(world: World, tmp_path: Path) -> Import:
    path = tmp_path / "rates.csv"
    path.write_text(RATES)
    return load_feed(actor=world.actor("olga"), kind="fx", path=path)


def test_operators_read_imports_and_their_rejected_rows(world: World, sign_in: SignIn, loaded: Import) -> None:
    omar = sign_in("omar")
    [row] = omar.get(LIST).json()["results"]
    assert (row["id"], row["kind"], row["state"], row["by"]) == (loaded.pk, "fx", "landed", "Olga")
    assert (row["rows"], row["new"], row["rejected"]) == (3, 2, 1)
    assert omar.get(f"{LIST}/{loaded.pk}").json() == row
    [fault] = omar.get(f"{LIST}/{loaded.pk}/rejected").json()["results"]
    assert (fault["line"], fault["column"], fault["code"]) == (3, "rate", "rate")
    assert fault["cells"]["rate_date"] == "2026-01-22"


def test_the_filters_are_the_pages(world: World, sign_in: SignIn, loaded: Import) -> None:
    omar = sign_in("omar")
    assert omar.get(f"{LIST}?outcome=troubled").json()["count"] == 1
    assert omar.get(f"{LIST}?outcome=clean").json()["count"] == 0
    assert omar.get(f"{LIST}?kind=stock").json()["count"] == 0


def test_to_partners_there_is_nothing_there(world: World, sign_in: SignIn, loaded: Import) -> None:
    for name in ("alice", "charlie"):
        for address in (LIST, f"{LIST}/{loaded.pk}", f"{LIST}/{loaded.pk}/rejected"):
            assert sign_in(name).get(address).status_code == 404
    assert Client().get(LIST).status_code == 403


def test_nothing_is_changed_there(world: World, sign_in: SignIn, loaded: Import) -> None:
    olga = sign_in("olga")
    for method in ("post", "put", "patch", "delete"):
        assert getattr(olga, method)(f"{LIST}/{loaded.pk}").status_code in (403, 405)
    assert Import.objects.filter(pk=loaded.pk).exists()
