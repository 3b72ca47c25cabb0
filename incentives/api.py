"""`/results` and `/payouts` of the API: the exports' columns, scoped to the caller."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from incentives.filters import PayoutFilter, ResultFilter
from incentives.models import Payout, PayoutPreview, Result
from incentives.queries import payout_rows, result_rows, statement_of, with_state
from incentives.statement_files import signed_statement
from incentives.states import Outcome, PayoutState, Verdict
from incentives.views.common import asked_payout, program_or_404
from merchants.states import Track
from partners.models import Partner
from partners.people import actor_of


def _outcome() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=Outcome.choices)


class ResultSerializer(serializers.Serializer[dict[str, Any]]):
    """One evaluated shop, as in the export `results`."""

    program = serializers.CharField()
    run = serializers.IntegerField()
    shop_code = serializers.CharField()
    partner_code = serializers.CharField()
    merchant_name = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    market = serializers.CharField()
    track = serializers.ChoiceField(choices=Track.choices, allow_null=True)
    target_code = serializers.CharField(allow_null=True)
    registered_at = serializers.CharField(help_text="ISO 8601, in the program's time zone")
    certified_at = serializers.CharField(allow_null=True, help_text="ISO 8601, in the program's time zone")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    amount = serializers.CharField(help_text="a decimal with 2 places; 0.00 unless eligible")
    listed = _outcome()
    first_entity = _outcome()
    partner_certified = _outcome()
    exclusive_link = _outcome()
    onboarded = _outcome()
    activated = _outcome()
    stocked = _outcome()
    shop_normal = _outcome()
    gmv_cny = serializers.CharField(allow_null=True, help_text="rounded half up to 2 places")
    window_ends_on = serializers.DateField(allow_null=True)
    settles_by = serializers.DateField(allow_null=True)
    stock_countries = serializers.CharField(allow_blank=True, help_text="joined with |")


class PayoutSerializer(serializers.Serializer[dict[str, Any]]):
    """One partner of a run, as in the export `payouts`. `computed` means: nobody has submitted it yet."""

    program = serializers.CharField()
    run = serializers.IntegerField()
    partner_code = serializers.CharField()
    eligible = serializers.IntegerField()
    pending = serializers.IntegerField()
    needs_data = serializers.IntegerField()
    not_eligible = serializers.IntegerField()
    introduced = serializers.IntegerField()
    high_risk = serializers.IntegerField()
    base_amount = serializers.CharField(help_text="a decimal with 2 places")
    factor = serializers.CharField(help_text="a decimal from 0 to 1")
    net_amount = serializers.CharField(help_text="a decimal with 2 places")
    currency = serializers.CharField()
    state = serializers.ChoiceField(choices=PayoutState.choices)


class SignatureSerializer(serializers.Serializer[dict[str, Any]]):
    """What the document is verified with."""

    algorithm = serializers.CharField(help_text="Ed25519")
    key = serializers.CharField(help_text="the fingerprint of the key that signed (RFC 7638)")
    value = serializers.CharField(help_text="over the canonical text of all the rest; base64url without padding")


class SignedStatementSerializer(serializers.Serializer[dict[str, Any]]):
    """A signed statement. `statement` is told in docs/feeds.md."""

    format = serializers.CharField(help_text="dingyao-statement/1")
    statement = serializers.DictField()
    signature = SignatureSerializer()


class _RowsViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """A list whose rows are made for a whole page at once."""

    rows: Callable[[list[Any]], list[dict[str, Any]]]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of rows."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = type(self).rows(list(page or []))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="list_results",
        summary="Results: a run's verdict on each shop",
        description="Of the run named, else of each program's last published run; sorted by program, run and shop.",
    )
)
class ResultViewSet(_RowsViewSet):
    """Results that the caller may see."""

    queryset = Result.objects.none()
    serializer_class = ResultSerializer
    filterset_class = ResultFilter
    rows = staticmethod(result_rows)

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for partners."""
        return (
            Result.objects.visible_to(actor_of(self.request.user))
            .select_related("shop", "partner", "run__program")
            .order_by("run__program__code", "run_id", "shop__code")
        )


@extend_schema_view(
    list=extend_schema(
        operation_id="list_payouts",
        summary="Payouts: what each partner is or would be paid",
        description="Of the run named, else of each program's last published run; sorted by program, run and partner.",
    )
)
class PayoutViewSet(_RowsViewSet):
    """Payouts and previews that the caller may see."""

    queryset = PayoutPreview.objects.none()
    serializer_class = PayoutSerializer
    filterset_class = PayoutFilter
    rows = staticmethod(payout_rows)

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for partners."""
        return (
            with_state(PayoutPreview.objects.visible_to(actor_of(self.request.user)))
            .select_related("partner", "run__program")
            .order_by("run__program__code", "run_id", "partner__code")
        )


_PARTS = [
    OpenApiParameter("program", OpenApiTypes.STR, OpenApiParameter.PATH, description="the program's code"),
    OpenApiParameter("partner", OpenApiTypes.STR, OpenApiParameter.PATH, description="the partner's code"),
    OpenApiParameter("payout", OpenApiTypes.INT, description="an earlier payout of theirs in this program"),
]


class StatementViewSet(viewsets.GenericViewSet[Any]):
    """Statements that the caller may see."""

    queryset = Payout.objects.none()
    serializer_class = SignedStatementSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        operation_id="retrieve_statement",
        summary="Statement: what a partner is or would be paid in a program, signed",
        description="The same signed document as on the partner's page: of the payout that counts, else of what the "
        "last published run comes to. `manage.py verify_statement` checks it, or whoever has the key published at "
        "`/.well-known/dingyao-statement-keys.json`.",
        parameters=_PARTS,
    )
    @action(detail=False, url_path="(?P<program>[^/]+)/(?P<partner>[^/]+)")
    def signed(self, request: Request, program: str, partner: str) -> HttpResponse:
        """The statement's canonical bytes: whoever keeps them keeps what was signed."""
        actor = actor_of(request.user)
        found = Partner.objects.visible_to(actor).filter(code=partner).first()
        run = program_or_404(program).run
        statement = (
            statement_of(actor=actor, run=run, partner_id=found.pk, payout_id=asked_payout(request))
            if run and found
            else None
        )
        if statement is None:
            raise Http404
        return HttpResponse(
            signed_statement(statement, at=timezone.now()),
            content_type="application/json",
            headers={"Cache-Control": "private, no-store"},
        )


def register(router: BaseRouter) -> None:
    """Add this app's views to the API."""
    router.register("results", ResultViewSet, basename="result")
    router.register("payouts", PayoutViewSet, basename="payout")
    router.register("statements", StatementViewSet, basename="statement")
