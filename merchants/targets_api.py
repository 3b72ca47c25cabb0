"""`/targets` and `/claims` of the API: the list, claims and the checker, by the same services as on the pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions, mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.api import answers
from core.models import Program
from merchants.checker import LONGEST, AskedTooOften, check_merchant
from merchants.filters import TargetFilter
from merchants.listing import Place, for_partner, latest_versions, placed, standing_claims
from merchants.models import Claim, TargetEntry
from merchants.queries import claims as claim_queries
from merchants.queries.targets import RELATED, target_rows
from merchants.services import claim_entry, release_claim
from merchants.states import Review, Track
from partners.models import Partner
from partners.people import actor_of

CLAIM_STATES = ("in_force", "in_review", "resting", "expired", "released", "rejected", "ended")
ANSWERS = ("yes", "mine", "directed", "waiting", "under_review", "taken", "has_shop", "not_listed")


class TargetSerializer(serializers.Serializer[Any]):
    """An entry of a program's list, as it is to the caller. Whose a taken one is isn't told. Instants are UTC."""

    program = serializers.CharField()
    target_code = serializers.CharField(source="code")
    name = serializers.CharField()
    country = serializers.CharField(help_text="of the merchant; empty for a whole brand")
    brand = serializers.CharField(help_text="empty where the name is the brand")
    track = serializers.ChoiceField(choices=Track.choices)
    review = serializers.ChoiceField(choices=Review.choices)
    listed_on = serializers.DateField()
    delisted_on = serializers.DateField(allow_null=True, help_text="first day off the list")
    place = serializers.ChoiceField(choices=Place.choices)
    claimed_at = serializers.DateTimeField(allow_null=True, help_text="of the own claim")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="of the own claim")
    has_shop = serializers.BooleanField(help_text="a shop of its merchant or brand is certified already")


class ClaimSerializer(serializers.Serializer[Any]):
    """A claim. Instants are UTC."""

    program = serializers.CharField()
    target_code = serializers.CharField()
    partner_code = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField()
    state = serializers.ChoiceField(choices=CLAIM_STATES)
    claimed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
    days_left = serializers.IntegerField(source="left.days", default=None, allow_null=True, help_text="whole days")
    shops = serializers.IntegerField(help_text="how many it brought to the partner")


class OwnSerializer(serializers.Serializer[Any]):
    """For which organisation; needed by whoever belongs to several."""

    partner_code = serializers.CharField(required=False)


class QuestionSerializer(OwnSerializer):
    """A registration number with its country, or a brand."""

    program = serializers.CharField()
    country = serializers.CharField(required=False, allow_blank=True, default="", max_length=2)
    registration_no = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST["registration_no"]
    )
    brand = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST["brand"])


class RecruitingAnswerSerializer(serializers.Serializer[Any]):
    """May it be recruited? `free` is null off the list."""

    answer = serializers.ChoiceField(choices=ANSWERS)
    listed = serializers.BooleanField()
    free = serializers.BooleanField(allow_null=True)
    has_shop = serializers.BooleanField()
    target_codes = serializers.SerializerMethodField()

    def get_target_codes(self, answer: Any) -> list[str]:
        """The entries that name it."""
        return [row.code for row in answer.entries]


_PATH = [
    OpenApiParameter("program", OpenApiTypes.STR, OpenApiParameter.PATH, description="the program's code"),
    OpenApiParameter("code", OpenApiTypes.STR, OpenApiParameter.PATH, description="the entry's code"),
]
_ONE = r"(?P<program>[A-Za-z0-9._-]+)/(?P<code>[A-Za-z0-9._-]+)"


@extend_schema_view(
    list=extend_schema(
        operation_id="list_targets",
        summary="Target entries, and what each is to the caller",
        description="The latest listed first. What is off its list shows only where `place` asks for it.",
    )
)
class TargetViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[TargetEntry]):
    """Target entries that the caller may see."""

    queryset = TargetEntry.objects.none()
    serializer_class = TargetSerializer
    filterset_class = TargetFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators; for partners the open list and what is directed to them."""
        actor = actor_of(self.request.user)
        entries = placed(
            TargetEntry.objects.visible_to(actor),
            partner_ids=actor.partner_ids,
            versions=latest_versions(),
            at=timezone.now(),
        )
        return entries.select_related(*RELATED).order_by("-listed_on", "program__code", "code")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of the list."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(page or []))

    @extend_schema(operation_id="show_target", summary="One target entry", parameters=_PATH)
    @action(detail=False, url_path=_ONE, filter_backends=(), pagination_class=None)
    def one(self, request: Request, program: str, code: str) -> Response:
        """One entry."""
        return Response(self._again(program, code))

    @extend_schema(
        operation_id="claim_target",
        summary="Claim a target entry",
        parameters=_PATH,
        request=OwnSerializer,
        responses={201: TargetSerializer},
    )
    @action(detail=False, methods=["post"], url_path=f"{_ONE}/claim")
    def claim(self, request: Request, program: str, code: str) -> Response:
        """Reserve it for the organisation, if it is free."""
        partner, entry = self._at(OwnSerializer, program, code)
        with answers():
            claim_entry(actor=actor_of(request.user), partner=partner, entry=entry, at=timezone.now())
        return Response(self._again(program, code), status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="release_target",
        summary="Give a claim on a target entry back",
        parameters=_PATH,
        request=OwnSerializer,
        responses={200: TargetSerializer},
    )
    @action(detail=False, methods=["post"], url_path=f"{_ONE}/release")
    def release(self, request: Request, program: str, code: str) -> Response:
        """Whoever comes first may have it; 404 without a claim of the organisation's."""
        partner, entry = self._at(OwnSerializer, program, code)
        at = timezone.now()
        held = Claim.objects.visible_to(actor_of(request.user)).filter(partner=partner, entry=entry)
        found = held.filter(pk__in=standing_claims(at)).order_by("expires_at").first()
        if found is None:
            raise Http404
        with answers():
            release_claim(actor=actor_of(request.user), claim=found, at=at)
        return Response(self._again(program, code))

    @extend_schema(
        operation_id="check_merchant",
        summary="May this merchant be recruited?",
        description="By registration number or brand. Limited to so many questions an hour for each member.",
        request=QuestionSerializer,
        responses={200: RecruitingAnswerSerializer},
    )
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Listed or not, free or not, has a shop or not; never whose."""
        reader = QuestionSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        asked = dict(reader.validated_data)
        partner = own_partner(request, asked.pop("partner_code", None))
        program = Program.objects.filter(code=asked.pop("program"), policies__number=1).first()
        if program is None:
            raise exceptions.ValidationError({"program": "There is no such program."})
        with answers():
            try:
                answer = check_merchant(
                    actor=actor_of(request.user), partner=partner, program=program, at=timezone.now(), **asked
                )
            except AskedTooOften as refused:
                raise exceptions.Throttled(wait=refused.seconds) from None
        return Response(RecruitingAnswerSerializer(answer).data)

    def _at(self, kind: type[OwnSerializer], program: str, code: str) -> tuple[Partner, TargetEntry]:
        reader = kind(data=self.request.data)
        reader.is_valid(raise_exception=True)
        partner = own_partner(self.request, reader.validated_data.get("partner_code"))
        visible = for_partner(TargetEntry.objects.visible_to(actor_of(self.request.user)), partner.pk)
        entry: TargetEntry | None = visible.filter(program__code=program, code=code).select_related("program").first()
        if entry is None:
            raise Http404
        return partner, entry

    def _again(self, program: str, code: str) -> Any:
        found = self.get_queryset().filter(program__code=program, code=code)[:1]
        if not found:
            raise Http404
        return self._shown(found)[0]

    def _shown(self, entries: Any) -> Any:
        actor = actor_of(self.request.user)
        versions = latest_versions({entry.program_id for entry in entries})
        rows = target_rows(entries, partner_ids=actor.partner_ids, versions=versions, at=timezone.now())
        return TargetSerializer(rows, many=True).data


@extend_schema_view(
    list=extend_schema(
        operation_id="list_claims",
        summary="Claims, with what is left of each",
        description="The latest first. A partner sees its own.",
    )
)
class ClaimViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Claim]):
    """Claims that the caller may see."""

    queryset = Claim.objects.none()
    serializer_class = ClaimSerializer

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for partners."""
        visible: QuerySet[Any] = Claim.objects.visible_to(actor_of(self.request.user))
        return visible.select_related(*claim_queries.RELATED).order_by("-claimed_at", "-pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of claims."""
        page = list(self.paginate_queryset(self.filter_queryset(self.get_queryset())) or [])
        rows = claim_queries.claim_rows(actor=actor_of(request.user), claims=page, at=timezone.now())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


def own_partner(request: Request, code: str | None) -> Partner:
    """The organisation that is acted for: the one of this code, or the only one. 403 for whoever has none."""
    actor = actor_of(request.user)
    own = Partner.objects.visible_to(actor).filter(pk__in=actor.partner_ids)
    found = list(own.filter(code=code) if code else own[:2])
    if code and not found:
        raise Http404
    if not found:
        raise exceptions.PermissionDenied
    if len(found) > 1:
        raise exceptions.ValidationError({"partner_code": "Name one of your organisations."})
    chosen: Partner = found[0]
    return chosen


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("targets", TargetViewSet, basename="target")
    router.register("claims", ClaimViewSet, basename="claim")
