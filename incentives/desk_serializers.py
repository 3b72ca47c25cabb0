"""How the operators' API shows and reads things: frozen answers of the queries as serializers, and what bodies hold."""

import types
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers

from core.values import plain
from incentives.states import AdjustmentKind


class AmountField(serializers.DecimalField):
    """A decimal as text, with the places that it has: a JSON number is a float to most readers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, **kwargs)

    def to_representation(self, value: Any) -> str:
        """At least two places, without exponent."""
        return plain(value)


_PLAIN: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    str: serializers.CharField,
    Decimal: AmountField,
    datetime: serializers.DateTimeField,
}


@cache
def shown(view: type, *, name: str = "", extra: tuple[str, ...] = ()) -> type[serializers.Serializer[Any]]:
    """A serializer that shows the frozen dataclass `view`, field by field; `extra`: properties that are amounts."""
    if not is_dataclass(view):
        raise TypeError(f"{view} is no dataclass")
    hints = get_type_hints(view)
    made: dict[str, Any] = {field.name: _field(hints[field.name]) for field in fields(view)}
    made |= {each: AmountField() for each in extra}
    made["__doc__"] = view.__doc__
    return type(f"{name or view.__name__}Serializer", (serializers.Serializer,), made)


def _field(hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _field_of(next(each for each in arguments if each is not type(None)), allow_null=True)
    return _field_of(hint)


def _field_of(hint: Any, **options: Any) -> Any:
    if get_origin(hint) in (tuple, list, Sequence):
        inner = get_args(hint)[0]
        if is_dataclass(inner):
            return shown(inner)(many=True, **options)  # type: ignore[arg-type]
        return serializers.ListField(child=_field_of(inner), **options)
    if is_dataclass(hint):
        return shown(hint)(**options)  # type: ignore[arg-type]
    return _PLAIN[hint](**options)


class PayoutStepSerializer(serializers.Serializer[Any]):
    """What a step asks for. `version`: what the person saw; a payout that has changed since is refused (409)."""

    version = serializers.IntegerField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    reference = serializers.CharField(required=False, allow_blank=True, default="", help_text="mark_paid: the bank's")
    shops = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, help_text="claw_back: these shops' lines, else all"
    )
    amount = serializers.DecimalField(
        max_digits=19,
        decimal_places=2,
        required=False,
        allow_null=True,
        default=None,
        help_text="settle_difference: the difference that the person saw",
    )


class DeskReasonSerializer(serializers.Serializer[Any]):
    """A reason, and the version that the person saw."""

    version = serializers.IntegerField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class NoteTextSerializer(serializers.Serializer[Any]):
    """An internal note."""

    text = serializers.CharField()


class BulkItemSerializer(serializers.Serializer[Any]):
    """A payout, and the version that the person saw."""

    id = serializers.IntegerField()
    version = serializers.IntegerField(required=False, allow_null=True, default=None)


class BulkSerializer(serializers.Serializer[Any]):
    """One step on many payouts."""

    step = serializers.CharField(help_text="approve, return, void, hold or release")
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    payouts = BulkItemSerializer(many=True)


class RefusalSerializer(serializers.Serializer[Any]):
    """A payout of a bulk decision that was refused, and why."""

    payout = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a decision on many payouts has come."""

    id = serializers.IntegerField()
    step = serializers.CharField()
    total = serializers.IntegerField()
    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    refusals = serializers.SerializerMethodField()

    def get_refusals(self, progress: Any) -> list[dict[str, Any]]:
        """Each refused payout with its reason."""
        keys = ("payout", "code", "message")
        return [dict(zip(keys, refusal, strict=True)) for refusal in progress.refusals]


class SubmitSerializer(serializers.Serializer[Any]):
    """What a submission asks for: `partners` names some by code, else all of the run."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")
    partners = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True, default=None)
    shown = serializers.DecimalField(
        max_digits=19,
        decimal_places=2,
        required=False,
        allow_null=True,
        default=None,
        help_text="what the person was told that these partners' payouts come to; when it is otherwise by now, nothing "
        "is submitted (409)",
    )


class ProposalSerializer(serializers.Serializer[Any]):
    """An adjustment to be proposed: above zero in the partner's favour; a recovery or write-off above zero always."""

    partner_code = serializers.CharField()
    program = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=[kind for kind in AdjustmentKind.choices if kind[0] != AdjustmentKind.DIFFERENCE.value],
        default=AdjustmentKind.MANUAL.value,
    )
    amount = serializers.DecimalField(max_digits=16, decimal_places=2)
    reason = serializers.CharField()
    reference = serializers.CharField(required=False, allow_blank=True, default="")


class NewBatchSerializer(serializers.Serializer[Any]):
    """Which payouts a batch is to pay: those named, or all that can be paid of a program."""

    payouts = serializers.ListField(child=serializers.IntegerField(), required=False, allow_null=True, default=None)
    program = serializers.CharField(required=False, allow_blank=True, default="")


class DropSerializer(serializers.Serializer[Any]):
    """Payouts to be taken out of a draft."""

    version = serializers.IntegerField(required=False, allow_null=True, default=None)
    payouts = serializers.ListField(child=serializers.IntegerField())


class ResultFileSerializer(serializers.Serializer[Any]):
    """A result file of the bank: CSV, as docs/payouts.md tells."""

    file = serializers.FileField()
