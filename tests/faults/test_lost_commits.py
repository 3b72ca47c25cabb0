"""The connection breaks at COMMIT, and nobody knows whether it happened: looked up by key, not doubled, not lost."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from core.models import AuditEvent, FactBatch, Program
from incentives.engine.run import start_run
from incentives.models import PayoutPreview, Result, Run, RunChunk
from incentives.states import RunState
from merchants.models import Import, Settlement
from merchants.services import load_feed
from merchants.states import ImportState
from tests.engine.harness import ACTOR
from tests.faults.conftest import finish
from tests.faults.proxy import Cut, Proxy
from tests.shell import Shell

CUTS = pytest.mark.parametrize("cut", list(Cut), ids=lambda cut: cut.name.lower())


def test_the_proxy_cuts_where_it_says(proxy: Proxy) -> None:
    """Without help of ours the one is rolled back, the other committed, and the client sees the same error."""
    for cut, expected in ((Cut.BEFORE, 0), (Cut.AFTER, 1)):
        proxy.cut_once(cut, "INSERT INTO .core_factbatch")
        connection.set_autocommit(False)
        FactBatch.objects.create(source=cut.name.lower())
        with pytest.raises(OperationalError):
            connection.commit()
        connection.close()
        assert FactBatch.objects.filter(source=cut.name.lower()).count() == expected
    assert [cut for cut, _ in proxy.cuts] == [Cut.BEFORE, Cut.AFTER]


@CUTS
def test_a_run_finds_out_what_became_of_its_work(program: Program, calm: Run, proxy: Proxy, cut: Cut) -> None:
    claim, done, published = r"SET epoch = epoch \+ 1", r"SET state = 'done'", r"run\.finished"
    for what, skip in ((claim, 0), (claim, 4), (done, 0), (done, 4), (published, 0)):
        proxy.cuts.clear()
        run = start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)
        proxy.cut_once(cut, what, skip=skip)
        finish(run)
        assert [each for each, _ in proxy.cuts] == [cut], what
        assert_same(run, calm)
        assert not RunChunk.objects.filter(run=run, attempts__gt=1).exists(), "an outage counted against a chunk"


@CUTS
def test_a_start_finds_out_whether_it_happened(
    program: Program, calm: Run, proxy: Proxy, cut: Cut, shell: Shell
) -> None:
    proxy.cut_once(cut, r"run\.started")
    done = shell("recompute", program.code, "--inline", "--full", "--as-of", str(calm.as_of))
    assert (done.status, done.err) == (0, "")
    assert [each for each, _ in proxy.cuts] == [cut]
    (run,) = Run.objects.exclude(pk=calm.pk)
    assert_same(run, calm)


@CUTS
def test_a_load_finds_out_whether_it_landed(program: Program, proxy: Proxy, cut: Cut, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    lines = write_settlements(path)
    before = FactBatch.objects.count()
    proxy.cut_once(cut, r"feed\.landed")
    landed = load_feed(actor=ACTOR, kind="settlements", path=path)
    assert [each for each, _ in proxy.cuts] == [cut]
    landed = Import.objects.get(pk=landed.pk)
    assert (landed.state, landed.new, landed.error) == (ImportState.LANDED, lines, "")
    assert Settlement.objects.filter(line_code__startswith="CUT-").count() == lines
    assert set(Settlement.objects.filter(line_code__startswith="CUT-").values_list("batch", flat=True)) == {
        landed.batch_id
    }
    assert FactBatch.objects.count() == before + 1
    assert AuditEvent.objects.filter(subject_type="merchants.import", subject_id=str(landed.pk)).count() == 1
    repeated = load_feed(actor=ACTOR, kind="settlements", path=path)
    assert (repeated.new, repeated.unchanged) == (0, lines)


def assert_same(run: Run, calm: Run) -> None:
    """Same figures, published once, nothing doubled."""
    assert (run.state, run.digest) == (RunState.FINISHED, calm.digest), run.error
    results = Result.objects.filter(run=run)
    assert results.count() == results.values("shop").distinct().count() == calm.shops == run.shops
    previews = PayoutPreview.objects.filter(run=run)
    assert previews.count() == PayoutPreview.objects.filter(run=calm).count()
    assert AuditEvent.objects.filter(action="run.started", subject_id=str(run.pk)).count() == 1
    assert AuditEvent.objects.filter(action="run.finished", subject_id=str(run.pk)).count() == 1


def write_settlements(path: Path) -> int:
    """A hundred new lines of the quarter's shops."""
    from merchants.models import Shop

    codes = list(Shop.objects.order_by("pk").values_list("code", flat=True)[:10])
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["line_code", "shop_code", "order_code", "kind", "ordered_at", "settled_at", "amount", "currency"]
        )
        for number in range(100):
            moment = "2026-02-01T00:00:00Z"
            writer.writerow([f"CUT-{number}", codes[number % 10], f"O{number}", "sale", moment, moment, "5.00", "CNY"])
    return 100
