"""`/overviews` of the API: a partner's program at a glance, from the same query as the page."""

from decimal import Decimal
from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.values import plain
from incentives.models import PayoutPreview
from incentives.queries.answers import answer_of
from incentives.queries.overview import Overview, partner_overview
from incentives.queries.shops import ShopView
from incentives.states import PayoutState
from partners.models import Partner
from partners.people import actor_of

PHASES = ("upcoming", "running", "observed", "closed")


class MoneySerializer(serializers.Serializer[Any]):
    """What the partner is or would be paid."""

    state = serializers.CharField(help_text="one of " + ", ".join(PayoutState.values))
    amount = serializers.CharField(help_text="after the discount; a decimal with 2 places")
    provisional = serializers.BooleanField()
    held = serializers.BooleanField()


class CauseSerializer(serializers.Serializer[Any]):
    """How many shops a condition holds up."""

    condition = serializers.CharField(source="key")
    shops = serializers.IntegerField()


class WindowSerializer(serializers.Serializer[Any]):
    """What ends for how many pending shops; a shop may be in several. Dates include their last minute."""

    kind = serializers.CharField(help_text="certification, sales, stock or settlement")
    shops = serializers.IntegerField()
    within_a_week = serializers.IntegerField(source="soon", help_text="of them, by the shop's own nearest deadline")
    first = serializers.DateField()
    last = serializers.DateField()


class StageSerializer(serializers.Serializer[Any]):
    """A stage of the funnel."""

    stage = serializers.CharField(source="key", help_text="visits, registered, certified, selling, eligible")
    count = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True, help_text="of those before, 0 to 1; of the visits: through links")


class WeekSerializer(serializers.Serializer[Any]):
    """A week of the period."""

    first = serializers.DateField()
    last = serializers.DateField()
    certified = serializers.IntegerField()
    standing = serializers.IntegerField(help_text="of the certified, those that have not failed since")
    total = serializers.IntegerField(help_text="standing, added up")


class PaceSerializer(serializers.Serializer[Any]):
    """Certified shops that have not failed, against the commitment."""

    commitment = serializers.IntegerField(allow_null=True)
    standing = serializers.IntegerField()
    gone = serializers.CharField(help_text="the share of the period that is over, 0 to 1")
    ahead = serializers.IntegerField(help_text="of the commitment pro rata; below zero: behind")
    weeks = WeekSerializer(many=True)


class DiscountSerializer(serializers.Serializer[Any]):
    """The discount now, and with one more closed shop."""

    introduced = serializers.IntegerField()
    high_risk = serializers.IntegerField()
    factor = serializers.CharField()
    factor_after_one_more = serializers.CharField(source="factor_after")
    net = serializers.CharField()
    net_after_one_more = serializers.CharField(source="net_after")
    example_tiers = serializers.BooleanField(source="example")


class UrgentSerializer(serializers.Serializer[Any]):
    """A shop to see to, and what it lacks, in the request's language."""

    shop_code = serializers.CharField(source="code")
    merchant_name = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    until = serializers.DateField()
    days_left = serializers.IntegerField(help_text="from the run's date; 0 is the last day")
    lacks = serializers.SerializerMethodField()

    def get_lacks(self, shop: ShopView) -> list[str]:
        """One sentence for each condition that is pending."""
        return [line.sentence for line in shop.why]


class OverviewSerializer(serializers.Serializer[Any]):
    """A partner's program at a glance. Amounts are decimals with 2 places, before the discount unless said."""

    program = serializers.CharField(source="program.code")
    title = serializers.CharField(source="program.title")
    starts_on = serializers.DateField(source="program.first")
    ends_on = serializers.DateField(source="program.last")
    closes_on = serializers.DateField(source="program.closes_on", help_text="what happens later no longer counts")
    days_left = serializers.IntegerField(source="program.days_left")
    phase = serializers.ChoiceField(choices=PHASES, source="program.phase")
    joined = serializers.BooleanField(source="program.joined")
    answer = serializers.SerializerMethodField(help_text="the whole in a sentence or two, in the request's language")
    run = serializers.IntegerField(source="run_id", allow_null=True, help_text="null before the first run")
    as_of = serializers.DateTimeField(allow_null=True)
    policy_version = serializers.IntegerField(source="policy_number")
    currency = serializers.CharField()
    shops = serializers.IntegerField(source="tally.shops")
    eligible = serializers.IntegerField(source="tally.eligible")
    winnable = serializers.IntegerField(source="tally.winnable", help_text="pending, and something can still be done")
    winnable_this_week = serializers.IntegerField(source="tally.week")
    waiting = serializers.IntegerField(source="tally.waiting", help_text="pending, for settlements or a review alone")
    needs_data = serializers.IntegerField(source="tally.needs_data")
    not_eligible = serializers.IntegerField(source="tally.not_eligible")
    won = serializers.CharField()
    winnable_amount = serializers.CharField()
    waiting_amount = serializers.CharField()
    payout = MoneySerializer(allow_null=True)
    missing_data = CauseSerializer(many=True, source="tally.unknown")
    lost_by = CauseSerializer(many=True, source="tally.lost")
    windows = WindowSerializer(many=True, source="tally.windows")
    funnel = StageSerializer(many=True, source="funnel.stages")
    pace = PaceSerializer()
    discount = DiscountSerializer(allow_null=True)
    urgent = UrgentSerializer(many=True)

    def get_answer(self, overview: Overview) -> str:
        """As on the page."""
        return " ".join(map(str, answer_of(overview)))

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Decimals as the other endpoints write them."""
        shown: dict[str, Any] = super().to_representation(instance)
        for key in ("won", "winnable_amount", "waiting_amount"):
            shown[key] = f"{Decimal(shown[key]):.2f}"
        if shown["payout"]:
            shown["payout"]["amount"] = f"{Decimal(shown['payout']['amount']):.2f}"
        if shown["discount"]:
            for key in ("factor", "factor_after_one_more"):
                shown["discount"][key] = plain(Decimal(shown["discount"][key]))
        shown["pace"]["gone"] = f"{Decimal(shown['pace']['gone']):.4f}"
        return shown


class OverviewViewSet(viewsets.GenericViewSet[Any]):
    """Overviews that the caller may see."""

    queryset = PayoutPreview.objects.none()
    serializer_class = OverviewSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        operation_id="retrieve_overview",
        summary="Overview: where a partner stands in a program",
        description="Of the program's last published run: what is won and can still be won, until when, the funnel, "
        "the pace against the commitment, the discount, the shops to see to first.",
        parameters=[
            OpenApiParameter("program", OpenApiTypes.STR, OpenApiParameter.PATH, description="the program's code"),
            OpenApiParameter("partner", OpenApiTypes.STR, OpenApiParameter.PATH, description="the partner's code"),
        ],
    )
    @action(detail=False, url_path="(?P<program>[^/]+)/(?P<partner>[^/]+)")
    def glance(self, request: Request, program: str, partner: str) -> Response:
        """One program; foreign and absent are not told apart."""
        actor = actor_of(request.user)
        found = Partner.objects.visible_to(actor).filter(code=partner).first()
        shown = partner_overview(actor=actor, partner=found, program=program)[0] if found else None
        if shown is None:
            raise Http404
        return Response(self.get_serializer(shown).data)


def register(router: BaseRouter) -> None:
    """Add this app's views to the API."""
    router.register("overviews", OverviewViewSet, basename="overview")
