"""A feed's file by the API: handed in, read by other headings, loaded by a worker, thrown away. As on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.models import AuditEvent
from merchants.models import FeedUpload, Import, Rate
from merchants.services import carry_out_upload
from tests.console.feeds import RATES, STRANGE, file, kept_files
from tests.incentives.factories import World

SignIn = Callable[..., Client]
PLACE = "/api/v1/operator/uploads"


def hand_in(client: Client, text: str = RATES, kind: str = "fx") -> Any:
    return client.post(PLACE, {"kind": kind, "file": file(text)})


def post(client: Client, step: str, **given: Any) -> Any:
    return client.post(f"{PLACE}/{step}", given, content_type="application/json")


def test_a_file_is_looked_at_loaded_and_its_bad_rows_are_read(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    rates = Rate.objects.count()
    answer = hand_in(olga)
    assert answer.status_code == 201
    kept = answer.json()
    assert (kept["state"], kept["rows"], kept["load"], kept["by"]) == ("kept", 3, None, "Olga")
    preview = kept["preview"]
    assert (preview["new"], preview["rejected"], preview["ignored"]) == (2, 1, ["remark"])
    assert [(fault["line"], fault["column"]) for fault in preview["faults"]] == [(3, "rate")]
    assert Rate.objects.count() == rates, "looking records nothing"

    answer = post(olga, f"{kept['id']}/load")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    carry_out_upload(upload_id=kept["id"])
    done = olga.get(f"{PLACE}/{kept['id']}").json()
    assert (done["state"], done["preview"], done["read"]) == ("loaded", None, None)
    loaded = olga.get(f"/api/v1/operator/imports/{done['load']}").json()
    assert (loaded["new"], loaded["rejected"], loaded["by"]) == (2, 1, "Olga")
    assert Rate.objects.count() == rates + 2
    assert post(olga, f"{kept['id']}/load").status_code == 409, "once"


def test_headings_are_said_to_be_columns(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    kept = hand_in(olga, STRANGE).json()
    assert kept["preview"]["refused"]
    assert set(kept["preview"]["missing"]) == {"rate_date", "currency", "rate"}
    assert post(olga, f"{kept['id']}/load").status_code == 400
    assert post(olga, f"{kept['id']}/columns", columns=["", "currency", "nonsense", "rate_date"]).status_code == 400
    said = post(olga, f"{kept['id']}/columns", columns=["", "currency", "rate", "rate_date"]).json()
    assert (said["preview"]["refused"], said["preview"]["new"]) == ("", 2)
    post(olga, f"{kept['id']}/load", strict=True)
    carry_out_upload(upload_id=kept["id"])
    assert Import.objects.get().mapping[1] == ["币种", "currency"]


@pytest.mark.parametrize(
    ("kind", "text", "attr"), [("weather", RATES, "kind"), ("fx", "", None), ("fx", "\x00\x01\x02", None)]
)
def test_what_is_no_feed_is_refused_and_not_kept(
    world: World, sign_in: SignIn, kind: str, text: str, attr: str | None
) -> None:
    before = kept_files()
    answer = hand_in(sign_in("olga"), text, kind)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr or attr is None
    assert not FeedUpload.objects.exists()
    assert kept_files() == before


def test_a_file_is_thrown_away(
    world: World, sign_in: SignIn, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    olga, before = sign_in("olga"), kept_files()
    kept = hand_in(olga).json()
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(olga, f"{kept['id']}/drop")
    assert (answer.json()["state"], answer.json()["preview"]) == ("dropped", None)
    assert post(olga, f"{kept['id']}/load").status_code == 409
    assert kept_files() == before


def test_whoever_doesnt_load_feeds_reads_and_changes_nothing(world: World, sign_in: SignIn) -> None:
    kept = hand_in(sign_in("olga")).json()
    omar, trail = sign_in("omar"), AuditEvent.objects.count()
    assert omar.get(PLACE).json()["count"] == 1
    assert hand_in(omar).status_code == 403
    for step in ("columns", "load", "drop"):
        assert post(omar, f"{kept['id']}/{step}", columns=[]).status_code == 403
    assert (FeedUpload.objects.get().state, AuditEvent.objects.count()) == ("kept", trail)


def test_to_partners_there_is_nothing_there(world: World, sign_in: SignIn) -> None:
    kept = hand_in(sign_in("olga")).json()
    for name in ("alice", "charlie"):
        partner = sign_in(name)
        assert partner.get(PLACE).status_code == 404
        assert partner.get(f"{PLACE}/{kept['id']}").status_code == 404
        assert hand_in(partner).status_code in (403, 404)
        assert post(partner, f"{kept['id']}/load").status_code in (403, 404)
    assert FeedUpload.objects.get().state == "kept"
    assert Client().get(PLACE).status_code == 403
