"""`/operator/entries` and `/operator/duplicates` of the API: operators keep target lists, by the pages' services."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from incentives.desk_views import OperatorViewSet, decided_by, deciding
from merchants.console_lists import EntryFilter, PairFilter, entries, pairs
from merchants.listing import platform_date
from merchants.models import EntryPair, TargetEntry
from merchants.services import assign_entry, delist_entry, keep_both, reject_duplicate, review_entries
from merchants.states import PairState, Review, Track
from partners.models import Partner


class EntrySerializer(serializers.Serializer[Any]):
    """An entry as those who keep the list see it. `fact` is its last listing fact: send it back as `seen`."""

    program = serializers.CharField(source="program.code")
    target_code = serializers.CharField(source="code")
    merchant_name = serializers.CharField(source="named")
    country = serializers.CharField(source="merchant.country", default=None, allow_null=True)
    registration_no = serializers.CharField(source="merchant.registration_no", default=None, allow_null=True)
    brand = serializers.CharField(source="brand.name", default=None, allow_null=True)
    track = serializers.ChoiceField(choices=Track.choices)
    partner_code = serializers.CharField(source="assigned_to.code", default=None, allow_null=True)
    listed_on = serializers.DateField()
    delisted_on = serializers.DateField(allow_null=True, help_text="first day off the list")
    review = serializers.ChoiceField(choices=Review.choices)
    claimed_by = serializers.CharField(allow_null=True, help_text="the partner whose claim stands")
    fact = serializers.IntegerField(allow_null=True)


class SeenSerializer(serializers.Serializer[Any]):
    """Why, and which fact was looked at: a decision on what has changed since is refused."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    seen = serializers.IntegerField(required=False, allow_null=True, default=None)


class ReviewSerializer(SeenSerializer):
    """The review's outcome. A rejection and a reopening need a reason."""

    review = serializers.ChoiceField(choices=Review.choices)


class DirectSerializer(SeenSerializer):
    """To whom the entry is directed; null opens it to all."""

    partner_code = serializers.CharField(allow_null=True)


class DelistSerializer(SeenSerializer):
    """The first day off the list, today or later; null puts it back."""

    delisted_on = serializers.DateField(allow_null=True)


class PairSerializer(serializers.Serializer[Any]):
    """Two entries that may be the same. `names` and `brands` say how alike those are, in per cent."""

    id = serializers.IntegerField()
    program = serializers.CharField(source="program.code")
    first = serializers.CharField(source="first.code")
    second = serializers.CharField(source="second.code")
    first_name = serializers.CharField(source="first.merchant_name", allow_null=True)
    second_name = serializers.CharField(source="second.merchant_name", allow_null=True)
    names = serializers.IntegerField()
    brands = serializers.IntegerField()
    one_merchant = serializers.BooleanField()
    state = serializers.ChoiceField(choices=PairState.choices)
    rejected = serializers.CharField(source="rejected.code", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class KeepSerializer(serializers.Serializer[Any]):
    """Why, if you like."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class RejectSerializer(serializers.Serializer[Any]):
    """Which of the two is the duplicate, and why."""

    target_code = serializers.CharField()
    reason = serializers.CharField(max_length=4000)


_PATH = [
    OpenApiParameter("program", OpenApiTypes.STR, OpenApiParameter.PATH, description="the program's code"),
    OpenApiParameter("code", OpenApiTypes.STR, OpenApiParameter.PATH, description="the entry's code"),
]
_ONE = r"(?P<program>[A-Za-z0-9._-]+)/(?P<code>[A-Za-z0-9._-]+)"


@extend_schema_view(
    list=extend_schema(
        operation_id="list_entries",
        summary="Target entries, for those who keep the lists",
        responses=EntrySerializer(many=True),
    )
)
class EntryViewSet(OperatorViewSet):
    """Every entry of every list."""

    queryset = TargetEntry.objects.none()
    serializer_class = EntrySerializer
    filterset_class = EntryFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All, by program and code."""
        return entries(self.actor, at=timezone.now())

    def list(self, request: Request) -> Response:
        """One page of entries."""
        return self.page(self.get_queryset(), list, EntrySerializer)

    @extend_schema(operation_id="show_entry", summary="One target entry", parameters=_PATH, responses=EntrySerializer)
    @action(detail=False, url_path=_ONE, filter_backends=(), pagination_class=None)
    def one(self, request: Request, program: str, code: str) -> Response:
        """One entry."""
        return self._shown(program, code)

    @extend_schema(
        operation_id="review_entry",
        summary="Approve or reject an entry",
        parameters=_PATH,
        request=ReviewSerializer,
        responses=EntrySerializer,
    )
    @action(detail=False, methods=["post"], url_path=f"{_ONE}/review")
    @decided_by(Capability.KEEP_LISTS)
    def review(self, request: Request, program: str, code: str) -> Response:
        """Or open its review again."""
        entry, given = self._found(program, code), self.read(ReviewSerializer)
        seen = {entry.pk: given["seen"]} if given["seen"] is not None else None
        with deciding():
            review_entries(actor=self.actor, entries=[entry], review=given["review"], reason=given["reason"], seen=seen)
        return self._shown(program, code)

    @extend_schema(
        operation_id="direct_entry",
        summary="Direct an entry to one partner, or open it to all",
        parameters=_PATH,
        request=DirectSerializer,
        responses=EntrySerializer,
    )
    @action(detail=False, methods=["post"], url_path=f"{_ONE}/direct")
    @decided_by(Capability.KEEP_LISTS)
    def direct(self, request: Request, program: str, code: str) -> Response:
        """Its own link alone counts for it then."""
        entry, given = self._found(program, code), self.read(DirectSerializer)
        partner = None
        if given["partner_code"] is not None:
            partner = Partner.objects.visible_to(self.actor).filter(code=given["partner_code"]).first()
            if partner is None:
                raise serializers.ValidationError({"partner_code": "There is no such partner."})
        with deciding():
            assign_entry(actor=self.actor, entry=entry, partner=partner, reason=given["reason"], seen=given["seen"])
        return self._shown(program, code)

    @extend_schema(
        operation_id="delist_entry",
        summary="Take an entry off its list, or put it back",
        parameters=_PATH,
        request=DelistSerializer,
        responses=EntrySerializer,
    )
    @action(detail=False, methods=["post"], url_path=f"{_ONE}/delist")
    @decided_by(Capability.KEEP_LISTS)
    def delist(self, request: Request, program: str, code: str) -> Response:
        """What was certified before still counts."""
        entry, given = self._found(program, code), self.read(DelistSerializer)
        with deciding():
            delist_entry(
                actor=self.actor,
                entry=entry,
                on=given["delisted_on"],
                reason=given["reason"],
                today=platform_date(timezone.now()),
                seen=given["seen"],
            )
        return self._shown(program, code)

    def _found(self, program: str, code: str) -> Any:
        found = self.get_queryset().filter(program__code=program, code=code).first()
        if found is None:
            raise Http404
        return found

    def _shown(self, program: str, code: str) -> Response:
        return Response(EntrySerializer(self._found(program, code)).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="list_duplicates",
        summary="Pairs of entries that look like one",
        description="Those that wait for a decision, unless a `state` is asked for.",
        responses=PairSerializer(many=True),
    )
)
class DuplicateViewSet(OperatorViewSet):
    """Pairs that were found, and what was decided on them."""

    queryset = EntryPair.objects.none()
    serializer_class = PairSerializer
    filterset_class = PairFilter
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """The most alike first."""
        return pairs(self.actor)

    def list(self, request: Request) -> Response:
        """One page of pairs."""
        return self.page(self.get_queryset(), list, PairSerializer)

    @extend_schema(
        operation_id="keep_both",
        summary="Say that two entries differ",
        request=KeepSerializer,
        responses=PairSerializer,
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.KEEP_LISTS)
    def keep(self, request: Request, pk: str) -> Response:
        """The pair isn't shown again."""
        pair, given = self._found(pk), self.read(KeepSerializer)
        with deciding():
            keep_both(actor=self.actor, pair=pair, at=timezone.now(), reason=given["reason"])
        return Response(PairSerializer(self._found(pk)).data)

    @extend_schema(
        operation_id="reject_duplicate",
        summary="Reject one of two entries as the other's duplicate",
        request=RejectSerializer,
        responses=PairSerializer,
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.KEEP_LISTS)
    def reject(self, request: Request, pk: str) -> Response:
        """Its review becomes rejected."""
        pair, given = self._found(pk), self.read(RejectSerializer)
        entry = next((side for side in (pair.first, pair.second) if side.code == given["target_code"]), None)
        if entry is None:
            raise serializers.ValidationError({"target_code": "It is none of the two."})
        with deciding():
            reject_duplicate(actor=self.actor, pair=pair, entry=entry, at=timezone.now(), reason=given["reason"])
        return Response(PairSerializer(self._found(pk)).data)

    def _found(self, pk: str) -> Any:
        found = self.get_queryset().filter(pk=int(pk)).first()
        if found is None:
            raise Http404
        return found


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("operator/entries", EntryViewSet, basename="entry")
    router.register("operator/duplicates", DuplicateViewSet, basename="duplicate")
