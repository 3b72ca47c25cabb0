"""An evaluation of a program as of a moment (核算批次): how it stands, its queue, and what it would pay."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import PolicyVersion, Program, User
from core.policy import Policy
from core.triggers import legal_transitions, no_truncate
from incentives.querysets import PreviewQuerySet, RunQuerySet
from incentives.states import (
    RUN_TRANSITIONS,
    ChunkState,
    RunKind,
    RunState,
    RunTrigger,
    Step,
)
from partners.models import Partner


class Run(models.Model):
    """One evaluation. `document` is the whole policy that it judged by, so that it explains itself for ever."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="runs")
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, blank=True, related_name="runs")
    document = models.JSONField(_("policy document"))
    kind = models.CharField(_("kind"), max_length=10, choices=RunKind, default=RunKind.OFFICIAL)
    trigger = models.CharField(_("asked for by"), max_length=10, choices=RunTrigger)
    state = models.CharField(_("state"), max_length=10, choices=RunState)
    full = models.BooleanField(_("from nothing"), default=False)
    # What the run goes on from, and the full run that its base goes back to: itself, where it has no base.
    base = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    chain = models.ForeignKey("self", models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    reached = models.IntegerField(_("shops reached by changes"), null=True, blank=True)
    as_of = models.DateTimeField(_("as of"), null=True, blank=True)
    last_sequence = models.BigIntegerField(_("last fact batch"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    requested_at = models.DateTimeField(_("asked for"))
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    digest = models.CharField(_("fingerprint"), max_length=64, blank=True)
    shops = models.IntegerField(_("shops"), default=0)
    eligible = models.IntegerField(_("eligible"), default=0)
    pending = models.IntegerField(_("pending"), default=0)
    needs_data = models.IntegerField(_("needs data"), default=0)
    not_eligible = models.IntegerField(_("not eligible"), default=0)
    base_amount = models.DecimalField(_("base"), max_digits=19, decimal_places=2, default=0)
    net_amount = models.DecimalField(_("net"), max_digits=19, decimal_places=2, default=0)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes: ClassVar = [models.Index(fields=["program", "-id"], name="run_latest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program"],
                condition=Q(state=RunState.RUNNING, kind=RunKind.OFFICIAL),
                name="run_one_running",
            ),
            models.UniqueConstraint(fields=["program"], condition=Q(state=RunState.QUEUED), name="run_one_queued"),
            models.CheckConstraint(
                condition=Q(state__in=[RunState.QUEUED, RunState.ABSORBED, RunState.CANCELLED])
                | Q(as_of__isnull=False, started_at__isnull=False),
                name="run_started_as_of_a_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.FINISHED) | Q(digest__regex="^[0-9a-f]{64}$", finished_at__isnull=False),
                name="run_finished_has_a_fingerprint",
            ),
            models.CheckConstraint(
                condition=Q(kind=RunKind.DRAFT) | Q(policy__isnull=False), name="run_official_has_a_policy"
            ),
        ]
        triggers: ClassVar = [*legal_transitions(RUN_TRANSITIONS, version=None), no_truncate()]

    def __str__(self) -> str:
        return f"{self.program} #{self.pk}"

    @property
    def rules(self) -> Policy:
        """The policy that the run judges by."""
        return Policy.parse(self.document)


class RunChunk(models.Model):
    """One piece of a step: a range of shop ids, or the whole for a global step. These rows are the queue.

    A worker claims one with a lease and the next epoch, and writes its rows and `done` in one transaction
    that only succeeds while the epoch is still its own.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    step = models.CharField(_("step"), max_length=20, choices=Step)
    number = models.IntegerField(_("number"))
    low = models.BigIntegerField(_("first shop id"), default=0)
    high = models.BigIntegerField(_("last shop id"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=ChunkState, default=ChunkState.WAITING)
    epoch = models.IntegerField(_("epoch"), default=0)
    attempts = models.IntegerField(_("tries"), default=0)
    lease_until = models.DateTimeField(_("leased until"), null=True)
    worker = models.CharField(_("worker"), max_length=120, blank=True)
    rows = models.IntegerField(_("rows"), default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "step", "number"], name="chunk_once"),
            models.CheckConstraint(condition=Q(low__lte=F("high")), name="chunk_range"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.step} {self.number}"


class PayoutPreview(models.Model):
    """What a partner would be paid by a run's figures. Nothing is owed by it: only a submission makes payouts."""

    pk = models.CompositePrimaryKey("run_id", "partner_id")
    run = models.ForeignKey(Run, models.CASCADE, db_index=False, related_name="previews")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="previews")
    eligible = models.IntegerField(_("eligible"))
    pending = models.IntegerField(_("pending"))
    needs_data = models.IntegerField(_("needs data"))
    not_eligible = models.IntegerField(_("not eligible"))
    introduced = models.IntegerField(_("introduced"))
    high_risk = models.IntegerField(_("high risk"))
    base_amount = models.DecimalField(_("base"), max_digits=19, decimal_places=2)
    factor = models.DecimalField(_("factor"), max_digits=7, decimal_places=6)
    net_amount = models.DecimalField(_("net"), max_digits=19, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)

    objects = PreviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("payout preview")
        verbose_name_plural = _("payout previews")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(factor__gte=0, factor__lte=1), name="preview_factor"),
            models.CheckConstraint(
                condition=Q(net_amount=models.functions.Round(F("base_amount") * F("factor"), 2)),
                name="preview_net_is_rounded_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.partner_id}"
