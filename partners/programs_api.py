"""`/programs` and `/joinings` of the API: what is offered to everybody, and who takes part in it."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import exceptions, mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.api import answers
from partners import services
from partners.models import Joining, Partner
from partners.people import actor_of
from partners.programs import latest_policy, offer_of, open_offers


class RuleSerializer(serializers.Serializer[Any]):
    """One of a program's rules, in the request's language."""

    title = serializers.CharField()
    text = serializers.CharField()


class OfferSerializer(serializers.Serializer[Any]):
    """A program by the latest version of its policy. Dates are meant in its time zone, both included."""

    program = serializers.CharField(source="code")
    title = serializers.CharField()
    first_day = serializers.DateField(source="first")
    last_day = serializers.DateField(source="last")
    time_zone = serializers.CharField(source="zone")
    days_left = serializers.IntegerField(allow_null=True, help_text="of the period; null once it is over")
    policy = serializers.IntegerField(source="number", help_text="the version's number")
    published_at = serializers.DateTimeField()
    amount = serializers.DecimalField(max_digits=20, decimal_places=2, help_text="for each eligible shop")
    currency = serializers.CharField()
    markets = serializers.ListField(child=serializers.CharField())
    rules = RuleSerializer(many=True)
    discount = serializers.ListField(source="tiers", child=serializers.CharField())
    discount_is_example = serializers.BooleanField(source="example_tiers")


class JoiningSerializer(serializers.Serializer[Any]):
    """That a partner accepted a version of a program's policy."""

    partner_code = serializers.CharField(source="partner.code")
    program = serializers.CharField(source="program.code")
    policy = serializers.IntegerField(source="policy.number")
    commitment = serializers.IntegerField()
    accepted_at = serializers.DateTimeField()


class NewJoiningSerializer(serializers.Serializer[Any]):
    """An acceptance: of the version that was read."""

    partner_code = serializers.CharField()
    program = serializers.CharField()
    policy = serializers.IntegerField(min_value=1, max_value=1_000_000)
    commitment = serializers.IntegerField(min_value=1)


class ArrivingViews(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """What views of arriving share."""

    lookup_value_regex = r"\d{1,18}"

    def read(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's body, checked."""
        reader = kind(data=self.request.data)
        reader.is_valid(raise_exception=True)
        return dict(reader.validated_data)

    def own_partner(self, code: str) -> Partner:
        """The caller's own organisation of this code, or 404."""
        actor = actor_of(self.request.user)
        own = Partner.objects.visible_to(actor).filter(pk__in=actor.partner_ids)
        found: Partner | None = own.filter(code=code).first()
        if found is None:
            raise Http404
        return found


class ProgramViewSet(viewsets.GenericViewSet[Any]):
    """Programs that are open. They are no secret."""

    queryset = Joining.objects.none()
    lookup_url_kwarg = "program"
    lookup_value_regex = r"[A-Za-z0-9._-]+"
    serializer_class = OfferSerializer
    filter_backends = ()

    @extend_schema(operation_id="list_programs", summary="Programs that are open", responses=OfferSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The one that ends first before the others."""
        page = self.paginate_queryset(open_offers(now=timezone.now()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="show_program", summary="One program: what it pays, what counts, when")
    def retrieve(self, request: Request, program: str) -> Response:
        """One program, open or over."""
        policy = latest_policy(program)
        if policy is None:
            raise Http404
        return Response(self.get_serializer(offer_of(policy, now=timezone.now())).data)


@extend_schema_view(list=extend_schema(operation_id="list_joinings", summary="Which partner takes part in what"))
class JoiningViewSet(ArrivingViews):
    """Acceptances of programs' policies that the caller may see."""

    queryset = Joining.objects.none()
    serializer_class = JoiningSerializer

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        found: QuerySet[Any] = Joining.objects.visible_to(actor_of(self.request.user))
        return found.select_related("partner", "program", "policy").order_by("-pk")

    @extend_schema(
        operation_id="join_program",
        summary="Accept a program's policy",
        request=NewJoiningSerializer,
        responses={201: JoiningSerializer},
    )
    def create(self, request: Request) -> Response:
        """Join a program, or accept its new version."""
        given = self.read(NewJoiningSerializer)
        partner, latest = self.own_partner(given["partner_code"]), latest_policy(given["program"])
        policy = latest.program.policies.filter(number=given["policy"]).first() if latest else None
        if policy is None:
            raise exceptions.ValidationError({"policy": "There is no such program, or no such version."})
        with answers():
            made = services.join_program(
                actor=actor_of(request.user), partner=partner, policy=policy, commitment=given["commitment"]
            )
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("programs", ProgramViewSet, basename="program")
    router.register("joinings", JoiningViewSet, basename="joining")
