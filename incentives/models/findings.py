"""What runs know and find, kept once for as long as it stays the same.

A full run begins a *chain*; a run from changes only goes on with the chain of its base. Each row of `FrozenFacts`,
`Judgement` and `FirstEntity` holds from run `since_id` up to, and not including, run `until_id` of its chain. So a run
writes only what differs from its base, and every run can still be read whole: `FrozenShop` and `Result` are views
that show each run with the rows that hold for it.

The rows are worked out by SELECTs from tables that nothing is ever deleted from, so they carry no foreign keys in the
database: checking eleven of them cost more than freezing the shop.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import CodeField
from incentives.models.runs import Run
from incentives.querysets import ResultQuerySet
from incentives.states import Outcome, Verdict
from merchants.models import Brand, Merchant, Shop, TargetEntry
from merchants.states import Review, ShopState, Track
from partners.models import InviteLink, Partner

FOREVER = 2**63 - 1  # `until_id` of what still holds


def _reference(to: type[models.Model], *, null: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(to, models.DO_NOTHING, null=null, db_index=False, db_constraint=False, related_name="+")


def _outcome() -> models.CharField:  # type: ignore[type-arg]  # the field's types are the stubs' own matter
    return models.CharField(max_length=14, choices=Outcome)


class Held(models.Model):
    """A row of a chain, and from which run on, until which run, it holds."""

    chain_id = models.BigIntegerField()
    since_id = models.BigIntegerField()
    until_id = models.BigIntegerField(default=FOREVER)

    class Meta:
        abstract = True


class FactColumns(models.Model):
    """Everything that a run knows about one shop: the facts, reduced to what the conditions ask (DESIGN 3).

    `gmv` (CNY, not rounded) sums the counted lines that have a rate; `unrated_lines` are those that have none.
    """

    shop = _reference(Shop)
    partner = _reference(Partner)
    cause = models.CharField(max_length=10)
    merchant = _reference(Merchant)
    brand = _reference(Brand, null=True)
    brand_name = models.CharField(max_length=255, null=True)
    market = models.CharField(max_length=2)
    registered_at = models.DateTimeField()
    certified_at = models.DateTimeField(null=True)
    certified_on = models.DateField(null=True)
    window_ends_on = models.DateField(null=True)
    settles_by = models.DateField(null=True)
    entry = _reference(TargetEntry, null=True)
    track = models.CharField(max_length=10, choices=Track, null=True)
    entry_in_force = models.BooleanField(default=False)
    entry_review = models.CharField(max_length=10, choices=Review, null=True)
    assigned_to = _reference(Partner, null=True)
    rival = _reference(Shop, null=True)
    rival_of = models.CharField(max_length=8, null=True)  # "merchant" or "brand"
    partner_certified = models.BooleanField(null=True)
    link = _reference(InviteLink, null=True)
    link_partner = _reference(Partner, null=True)
    link_valid = models.BooleanField(null=True)
    link_entry = _reference(TargetEntry, null=True)
    gmv = models.DecimalField(max_digits=40, decimal_places=16, null=True)
    lines = models.IntegerField(default=0)
    unrated_lines = models.IntegerField(default=0)
    unrated_currency = models.CharField(max_length=3, null=True)
    unrated_on = models.DateField(null=True)
    stock_countries = ArrayField(models.CharField(max_length=2), default=list)
    stock_seen = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=ShopState, null=True)
    status_at = models.DateTimeField(null=True)
    high_risk = models.BooleanField(default=False)

    class Meta:
        abstract = True


class VerdictColumns(models.Model):
    """The verdict on one shop, with the outcome of each condition (POLICY 3).

    `introduced` and `high_risk` are what its partner's discount counts (POLICY 5).
    """

    shop = _reference(Shop)
    partner = _reference(Partner)
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    introduced = models.BooleanField()
    high_risk = models.BooleanField()
    listed = _outcome()
    first_entity = _outcome()
    partner_certified = _outcome()
    exclusive_link = _outcome()
    onboarded = _outcome()
    activated = _outcome()
    stocked = _outcome()
    shop_normal = _outcome()
    fingerprint = models.BinaryField(max_length=32)

    class Meta:
        abstract = True


class FrozenFacts(FactColumns, Held):
    """What is known about a shop, for as many runs of a chain as it stays so."""

    pk = models.CompositePrimaryKey("chain_id", "shop_id", "since_id")

    class Meta:
        verbose_name = _("frozen facts")
        verbose_name_plural = _("frozen facts")

    def __str__(self) -> str:
        return f"{self.chain_id} {self.shop_id} {self.since_id}"


class Judgement(VerdictColumns, Held):
    """What is found about a shop, for as many runs of a chain as it stays so."""

    pk = models.CompositePrimaryKey("chain_id", "shop_id", "since_id")

    class Meta:
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        indexes: ClassVar = [models.Index(fields=["chain_id", "partner", "verdict"], name="judgement_of_partner")]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.shop_id} {self.since_id}: {self.verdict}"


class FirstEntity(Held):
    """The earliest certified shop of one merchant or brand, among those that compete in a run."""

    pk = models.CompositePrimaryKey("chain_id", "scope", "key", "since_id")
    scope = models.CharField(max_length=8)  # "merchant" or "brand"
    key = models.BigIntegerField()  # the merchant's or the brand's id
    shop = _reference(Shop)
    shop_code = CodeField()
    certified_at = models.DateTimeField()

    class Meta:
        verbose_name = _("first entity")
        verbose_name_plural = _("first entities")

    def __str__(self) -> str:
        return f"{self.scope} {self.key}: {self.shop_code}"


class FrozenShop(FactColumns):
    """What a run knows about a shop: a view of the rows that hold for the run."""

    pk = models.CompositePrimaryKey("run_id", "shop_id")
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="frozen")

    class Meta:
        managed = False
        verbose_name = _("frozen facts of a run")
        verbose_name_plural = _("frozen facts of a run")

    def __str__(self) -> str:
        return f"{self.run_id} {self.shop_id}"


class Result(VerdictColumns):
    """A run's verdict on one shop: a view of the rows that hold for the run."""

    pk = models.CompositePrimaryKey("run_id", "shop_id")
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="results")
    shop = models.ForeignKey(Shop, models.DO_NOTHING, related_name="results")
    # What it was judged by: the same run's facts about the same shop.
    facts = models.ForeignObject(
        FrozenShop,
        on_delete=models.DO_NOTHING,
        from_fields=("run", "shop"),
        to_fields=("run", "shop"),
        related_name="+",
    )

    objects = ResultQuerySet.as_manager()

    class Meta:
        managed = False
        verbose_name = _("result")
        verbose_name_plural = _("results")

    def __str__(self) -> str:
        return f"{self.run_id} {self.shop_id}: {self.verdict}"


class Reached(models.Model):
    """A shop that a run from changes only has to look at again. Gone when the run has ended."""

    pk = models.CompositePrimaryKey("run_id", "shop_id")
    run_id = models.BigIntegerField()
    shop = _reference(Shop)

    class Meta:
        verbose_name = _("reached shop")
        verbose_name_plural = _("reached shops")

    def __str__(self) -> str:
        return f"{self.run_id} {self.shop_id}"
