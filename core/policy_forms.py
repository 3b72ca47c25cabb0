"""A policy as a form: each key with its words, what it means, and a field that takes what the key may hold.

What the form can't know by itself, such as tiers out of order, `core.policy_reader` finds; it is said beside the field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.policy import Policy
from core.policy_reader import SHOP_STATUSES, PolicyError, read_policy
from core.policy_words import WORDED, flat, said_of

SPARE_TIERS = 2  # empty rows below the last step


def _choices(key: str, values: tuple[str, ...], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[(value, said_of(key, value)) for value in values], **options)


def _whole(**options: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=1_000_000, **options)


def _amount(**options: Any) -> forms.DecimalField:
    return forms.DecimalField(min_value=0, widget=forms.TextInput(attrs={"inputmode": "decimal"}), **options)


class Codes(forms.CharField):
    """Some codes, separated by commas or spaces."""

    def to_python(self, value: Any) -> Any:
        """Cut the text at commas and spaces."""
        return [code for code in (value or "").replace("，", ",").replace(",", " ").split() if code]

    def prepare_value(self, value: Any) -> Any:
        """Show the codes as they are typed."""
        return ", ".join(value) if isinstance(value, list | tuple) else value


_COUNTRIES = _("Codes of countries such as DE, separated by commas.")
# Key → its field, made anew for each form, and what it means in words.
FIELDS: dict[str, tuple[Any, Promise]] = {
    "markets": (Codes, _("Only shops in these markets are judged. Codes of countries such as DE, with commas.")),
    "timezone": (
        forms.CharField,
        _("Every date of the rules is a local date here, such as Asia/Shanghai; a change moves midnights."),
    ),
    "incentive.amount": (_amount, _("What one eligible shop earns its partner, before the discount.")),
    "incentive.currency": (forms.CharField, _("A code such as CNY.")),
    "list.must_precede_certification": (
        lambda **options: forms.BooleanField(required=False, **options),
        _("A merchant that was listed only after its shop's certification doesn't count."),
    ),
    "first_entity.period": (
        lambda **options: _choices("first_entity.period", ("all_time", "program"), **options),
        _("Whether a shop that was certified before the period makes a later one of the same merchant fail."),
    ),
    "first_entity.markets": (
        lambda **options: _choices("first_entity.markets", ("program", "all"), **options),
        _("Whether a shop in another market makes it fail, too."),
    ),
    "activation.window_days": (
        _whole,
        _("Orders placed up to so many days after the certification count."),
    ),
    "activation.gmv_above": (_amount, _("In CNY, refunds deducted. Exactly this much is not enough.")),
    "activation.settlement_grace_days": (
        _whole,
        _("Such an order counts if it settles within so many days more."),
    ),
    "stock.countries": (Codes, _COUNTRIES),
    "stock.minimum": (_whole, _("0: no stock is asked for.")),
    "stock.scope": (
        lambda **options: _choices("stock.scope", ("merchant", "shop"), **options),
        _("Where the stock may have been seen."),
    ),
    "stock.exempt_markets": (
        lambda **options: Codes(required=False, **options),
        _("Shops in these markets need no stock. Codes of countries, or nothing."),
    ),
    "shop.normal_statuses": (
        lambda **options: forms.MultipleChoiceField(
            choices=[(status, said_of("shop.normal_statuses", [status])) for status in SHOP_STATUSES],
            widget=forms.CheckboxSelectMultiple,
            **options,
        ),
        _("A shop whose last status is another one isn't paid for."),
    ),
    "high_risk.categories": (
        Codes,
        _("A shop that was closed for one of these counts for the discount. Codes such as counterfeit."),
    ),
    "discount.basis": (
        lambda **options: _choices("discount.basis", ("share", "count"), **options),
        _("What the steps below begin at: a share such as 0.05 for 5%, or a number of shops."),
    ),
    "discount.example": (
        lambda **options: forms.BooleanField(required=False, **options),
        _("Ticked: nobody has announced them. They are labelled so wherever they are shown."),
    ),
    "claim.days": (_whole, _("For claims that are made from now on; those in force keep their end.")),
    "claim.max_in_force": (_whole, _("So that nobody hoards: how many a partner may hold.")),
    "attribution.order": (
        lambda **options: Codes(required=False, **options),
        _("claim, link and record in the order in which they win; what is left out decides nothing."),
    ),
}
GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_("The program"), ("markets", "timezone", "incentive.amount", "incentive.currency")),
    (_("Which shops count"), ("list.must_precede_certification", "first_entity.period", "first_entity.markets")),
    (_("Selling"), ("activation.window_days", "activation.gmv_above", "activation.settlement_grace_days")),
    (_("Stock"), ("stock.countries", "stock.minimum", "stock.scope", "stock.exempt_markets")),
    (_("In good order"), ("shop.normal_statuses", "high_risk.categories")),
    (_("The discount"), ("discount.basis", "discount.example")),
    (_("Who brought it in"), ("claim.days", "claim.max_in_force", "attribution.order")),
)
LANGUAGES = (("zh-hans", _("The program's name in Chinese")), ("en", _("The program's name in English")))


@dataclass(frozen=True, slots=True)
class Asked:
    """One key of the form: its field, and what the version in force says where the form says something else."""

    key: str
    field: forms.BoundField
    now: str

    @property
    def ticked(self) -> bool:
        """Whether it is a box to tick, which stands before its label."""
        return isinstance(self.field.field, forms.BooleanField)


class PolicyForm(forms.Form):
    """The rules, key by key. `document` is what it starts from, `in_force` what its changes are told against."""

    def __init__(self, data: Any = None, *, document: Mapping[str, Any], in_force: Mapping[str, Any]) -> None:
        self._document, self._in_force = document, flat(in_force)
        start = flat(document)
        tiers = start["discount.tiers"]
        names = {f"name.{code}": document["name"].get(code, "") for code, _label in LANGUAGES}
        steps = {f"tier-{n}-{end}": row[end] for n, row in enumerate(tiers) for end in ("from", "pay")}
        super().__init__(data, initial={**start, **names, **steps})
        for code, label in LANGUAGES:
            self.fields[f"name.{code}"] = forms.CharField(label=label, max_length=200, required=False)
        for key, (make, help_text) in FIELDS.items():
            self.fields[key] = make(label=WORDED[key][0], help_text=help_text)
        self._steps = len(tiers) + SPARE_TIERS
        for number in range(self._steps):
            for end, label in (("from", _("From")), ("pay", _("is paid"))):
                self.fields[f"tier-{number}-{end}"] = forms.CharField(label=label, required=False, max_length=30)
        self.policy: Policy | None = None

    def groups(self) -> Iterator[tuple[Promise, list[Asked]]]:
        """The keys under their headings."""
        current = flat(self._document)
        for heading, keys in GROUPS:
            asked = [Asked(key, self[key], self._said_now(key, current[key])) for key in keys]
            yield heading, asked

    def names(self) -> list[forms.BoundField]:
        """The program's name in each language."""
        return [self[f"name.{code}"] for code, _label in LANGUAGES]

    def tiers(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The discount's steps: from where on, and what is paid."""
        return [(self[f"tier-{number}-from"], self[f"tier-{number}-pay"]) for number in range(self._steps)]

    def _said_now(self, key: str, value: Any) -> str:
        before = self._in_force[key]
        return said_of(key, before) if before != value else ""

    def clean(self) -> dict[str, Any]:
        """Read the whole as a policy; what is wrong then stands beside its key."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            self.policy = read_policy(self._written(cleaned))
        except PolicyError as refusal:
            for problem in refusal.problems:
                key, _colon, words = problem.partition(": ")
                if key in self.fields:
                    self.add_error(key, words)
                else:
                    self.add_error(None, problem)
        return cleaned

    def _written(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for key in FIELDS:
            section, _dot, name = key.rpartition(".")
            value = cleaned[key]
            written = str(value) if isinstance(value, Decimal) else value
            (document.setdefault(section, {}) if section else document)[name] = written
        names = {code: cleaned[f"name.{code}"] for code, _label in LANGUAGES}
        document["name"] = {**self._document["name"], **names}
        document["name"] = {code: text for code, text in document["name"].items() if text}
        document["discount"]["tiers"] = [
            {end: text for end in ("from", "pay") if (text := cleaned[f"tier-{number}-{end}"].strip())}
            for number in range(self._steps)
            if cleaned[f"tier-{number}-from"].strip() or cleaned[f"tier-{number}-pay"].strip()
        ]
        return document
