"""A policy's draft through the API: the same services as on the pages, and the same second person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from core.models import DraftState, PolicyDraft, PolicyVersion
from incentives.models import Run
from incentives.states import RunKind
from tests.incentives.factories import World

SignIn = Callable[..., Client]
DRAFT = "/api/v1/operator/programs/POP-2026Q1/draft"


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(address, body, content_type="application/json")


def changed(world: World, days: int = 45) -> dict[str, Any]:
    document: dict[str, Any] = world.program.current_policy.document
    return {**document, "activation": {**document["activation"], "window_days": days}}


def test_a_draft_is_written_tried_and_published_by_another(world: World, sign_in: SignIn) -> None:
    olga, omar = sign_in("olga"), sign_in("omar")
    assert olga.get(DRAFT).status_code == 404
    saved = post(olga, DRAFT, revision=0, document=changed(world))
    assert (saved.status_code, saved.json()["revision"]) == (200, 1)
    assert omar.get(DRAFT).json() == saved.json()
    tried = post(olga, f"{DRAFT}/try")
    assert tried.status_code == 202
    assert Run.objects.get(pk=tried.json()["run"]).kind == RunKind.DRAFT
    refused = post(omar, f"{DRAFT}/publish", revision=2)
    assert refused.status_code == 409
    published = post(omar, f"{DRAFT}/publish", revision=1, accept_example_tiers=True)
    assert published.json() == {"number": 2, "fingerprint": saved.json()["fingerprint"]}
    assert omar.get(DRAFT).status_code == 404


def test_nobody_publishes_their_own_and_a_rival_finds_nothing(world: World, sign_in: SignIn) -> None:
    omar, fiona = sign_in("omar"), sign_in("fiona")
    assert post(omar, DRAFT, revision=0, document=changed(world)).status_code == 200
    for client in (omar, fiona):
        assert post(client, f"{DRAFT}/publish", revision=1, accept_example_tiers=True).status_code == 403
    assert post(fiona, DRAFT, revision=1, document=changed(world, 60)).status_code == 403
    assert post(fiona, f"{DRAFT}/try").status_code == 403
    assert post(fiona, f"{DRAFT}/drop", revision=1).status_code == 403
    for name in ("alice", "charlie"):
        rival = sign_in(name)
        assert rival.get(DRAFT).status_code == 404
        for address in (DRAFT, f"{DRAFT}/try", f"{DRAFT}/publish", f"{DRAFT}/drop"):
            assert post(rival, address, revision=1, document={}).status_code == 404
    assert PolicyVersion.objects.count() == 1
    assert post(omar, f"{DRAFT}/drop", revision=1).status_code == 204
    assert PolicyDraft.objects.get().state == DraftState.DROPPED


def test_what_cant_be_is_refused_with_every_fault(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    answer = post(olga, DRAFT, revision=0, document={"colour": 1, "markets": []})
    assert answer.status_code == 400
    assert "colour" in answer.content.decode()
    assert "markets" in answer.content.decode()
    assert post(olga, DRAFT, revision=0, document=[1]).status_code == 400
    assert post(olga, DRAFT, document={}).status_code == 400
    assert not PolicyDraft.objects.exists()
