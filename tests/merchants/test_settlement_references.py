"""Settlements have no foreign keys: what keeps their references true is the triggers, on both sides."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from core.models import FactBatch
from merchants.models import Settlement, Shop
from tests.merchants.imports.feeds import Feeds

NOBODY = 2_000_000_000


@pytest.fixture
def line(feeds: Feeds) -> dict[str, Any]:
    feeds.world(until="settlements")
    batch = FactBatch.objects.create(source="operator", recorded_at=timezone.now(), sequence=10_000)
    at = datetime(2026, 2, 1, tzinfo=UTC)
    return {
        "shop_id": Shop.objects.get().pk,
        "batch_id": batch.pk,
        "order_code": "O-1",
        "kind": "sale",
        "ordered_at": at,
        "settled_at": at,
        "amount": Decimal(5),
        "currency": "EUR",
    }


@pytest.mark.parametrize("column", ["shop_id", "batch_id"])
def test_a_line_of_nobody_is_refused_with_all_that_came_with_it(line: dict[str, Any], column: str) -> None:
    rows = [Settlement(line_code=f"L-{number}", **line) for number in range(3)]
    astray = Settlement(line_code="L-X", **{**line, column: NOBODY})
    with pytest.raises(IntegrityError, match="refers to nothing"), transaction.atomic():
        Settlement.objects.bulk_create([*rows[:2], astray, rows[2]])
    assert not Settlement.objects.exists()
    assert len(Settlement.objects.bulk_create(rows)) == 3


@pytest.mark.parametrize(("table", "column"), [("merchants_shop", "shop_id"), ("core_factbatch", "batch_id")])
@pytest.mark.parametrize(
    "act", ["DELETE FROM {} WHERE id = %s", "UPDATE {} SET id = -1 WHERE id = %s", "TRUNCATE {} CASCADE"]
)
def test_what_a_line_refers_to_stays(line: dict[str, Any], table: str, column: str, act: str) -> None:
    Settlement.objects.create(line_code="L-1", **line)
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act.format(table), [line[column]] if "%s" in act else [])
    assert Settlement.objects.filter(**{column: line[column]}).count() == 1
