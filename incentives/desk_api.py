"""`/operator/…` of the API: reviewing payouts. The same services and queries as on the operators' pages."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.errors import BadInput, Conflict
from incentives import policies, services
from incentives.desk_filters import DeskFilter
from incentives.desk_serializers import (
    BulkSerializer,
    DeskReasonSerializer,
    NoteTextSerializer,
    PayoutStepSerializer,
    ProgressSerializer,
    shown,
)
from incentives.desk_views import OperatorViewSet, StaleSerializer, decided_by, deciding
from incentives.models import Decision, Hold, Payout, PayoutLine
from incentives.queries.desk import (
    RELATED,
    HoldView,
    NoteView,
    PayoutDetail,
    PayoutRow,
    hold_views,
    payout_desk_rows,
    payout_detail,
    payout_notes,
)
from incentives.queries.payments import bulk_progress
from incentives.services.bulk import BULK_STEPS
from incentives.states import DecisionKind
from partners.models import Partner

Rows = shown(PayoutRow)
Details = shown(PayoutDetail)
Holds = shown(HoldView)
Notes = shown(NoteView)

Act = Callable[[OperatorViewSet, Payout, dict[str, Any]], object]


def _reasoned(service: Callable[..., object]) -> Act:
    return lambda view, payout, given: service(
        actor=view.actor, payout=payout, version=given["version"], reason=given["reason"]
    )


def _plainly(service: Callable[..., object]) -> Act:
    return lambda view, payout, given: service(actor=view.actor, payout=payout, version=given["version"])


def _undo(view: OperatorViewSet, payout: Payout, given: dict[str, Any], line: PayoutLine | None = None) -> object:
    kind = DecisionKind.VOID if line is None else DecisionKind.VOID_LINE
    standing = Decision.objects.filter(payout=payout, kind=kind, line=line, undone_by=None).order_by("-pk").first()
    if standing is None:
        raise Conflict("There is no void to undo.")
    return services.undo_void(actor=view.actor, decision=standing, reason=given["reason"], version=given["version"])


def _claw_back(view: OperatorViewSet, payout: Payout, given: dict[str, Any]) -> object:
    named = set(given["shops"])
    lines = list(payout.lines.filter(shop__code__in=named)) if named else None
    if lines is not None and len(lines) != len(named):
        raise BadInput("One of these shops has no line in this payout.")
    return services.claw_back(
        actor=view.actor, payout=payout, lines=lines, version=given["version"], reason=given["reason"]
    )


STEPS: dict[str, Act] = {
    "approve": _plainly(services.approve_payout),
    "return": _reasoned(services.return_payout),
    "hold": _reasoned(services.hold_payout),
    "release": _reasoned(services.release_payout),
    "void": _reasoned(services.void_payout),
    "undo_void": _undo,
    "carry": _plainly(services.carry_account),
    "start_payment": _plainly(services.start_payment),
    "mark_paid": lambda view, payout, given: services.mark_paid(
        actor=view.actor, payout=payout, version=given["version"], reference=given["reference"]
    ),
    "refuse_payment": _reasoned(services.refuse_payment),
    "claw_back": _claw_back,
    "settle_difference": lambda view, payout, given: services.propose_difference(
        actor=view.actor, payout=payout, reason=given["reason"], amount=given["amount"]
    ),
}
LINE_STEPS: dict[str, Callable[..., object]] = {
    "void": services.void_line,
    "hold": services.hold_line,
    "release": services.release_line,
}
# Which capabilities open each of them.
_OPENED_BY = {**policies.OPENED_BY, "settle_difference": policies.OPENED_BY["adjust"]}


class DeskPayoutViewSet(OperatorViewSet):
    """Submitted payouts, for whoever reviews them."""

    queryset = Payout.objects.none()
    serializer_class = Rows
    filterset_class = DeskFilter
    lookup_url_kwarg = "payout"
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """All, as operators see everybody's; the newest first."""
        return Payout.objects.visible_to(self.actor).select_related(*RELATED).order_by("-pk")

    @extend_schema(
        operation_id="list_desk_payouts", summary="Payouts to review, each with the steps open to the caller"
    )
    def list(self, request: Request) -> Response:
        """One page of payouts."""
        return self.page(self.get_queryset(), lambda part: payout_desk_rows(actor=self.actor, payouts=part), Rows)

    @extend_schema(
        operation_id="show_desk_payout",
        summary="A payout with its lines, holds, notes, decisions and difference to a later run",
        responses={200: Details},
    )
    def retrieve(self, request: Request, payout: str) -> Response:
        """One payout."""
        return self._detail(int(payout))

    @extend_schema(
        operation_id="list_payout_notes",
        summary="Internal notes on a payout",
        responses={200: Notes(many=True)},
        filters=False,
        methods=["get"],
    )
    @extend_schema(
        operation_id="note_payout",
        summary="Write an internal note on a payout; partners never read it",
        request=NoteTextSerializer,
        responses={201: Notes(many=True)},
        methods=["post"],
    )
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    @decided_by(*policies.OPENED_BY["note"])
    def notes(self, request: Request, payout: str) -> Response:
        """The notes on a payout, or one more."""
        found, writes = self.get_object(), request.method == "POST"
        if writes:
            with deciding():
                services.note_payout(actor=self.actor, payout=found, text=self.read(NoteTextSerializer)["text"])
        code = status.HTTP_201_CREATED if writes else status.HTTP_200_OK
        return Response(Notes(payout_notes(found), many=True).data, status=code)

    @extend_schema(
        operation_id="take_payout_step",
        summary="Take a step with a payout",
        description="Who may take which: docs/roles.md. A payout that has changed since `version` is refused with what "
        "has changed (409).",
        parameters=[OpenApiParameter("step", OpenApiTypes.STR, OpenApiParameter.PATH, enum=[*STEPS])],
        request=PayoutStepSerializer,
        responses={200: Details, 409: StaleSerializer},
    )
    @action(detail=True, methods=["post"], url_path=f"(?P<step>{'|'.join(STEPS)})")
    @decided_by(step=_OPENED_BY)
    def take(self, request: Request, payout: str, step: str) -> Response:
        """Decide on one payout."""
        found, given = self.get_object(), self.read(PayoutStepSerializer)
        with deciding():
            STEPS[step](self, found, given)
        return self._detail(found.pk)

    def _detail(self, payout_id: int) -> Response:
        found = payout_detail(actor=self.actor, payout_id=payout_id)
        if found is None:
            raise Http404
        return Response(Details(found).data)


class DeskLineViewSet(OperatorViewSet):
    """Lines of payouts."""

    queryset = PayoutLine.objects.none()
    serializer_class = Details
    filter_backends = ()
    lookup_url_kwarg = "line"
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """Lines of the payouts that the caller sees."""
        return PayoutLine.objects.filter(payout__in=Payout.objects.visible_to(self.actor)).select_related("payout")

    @extend_schema(
        operation_id="take_line_step",
        summary="Void, hold or release one line of a payout, or undo its void",
        parameters=[OpenApiParameter("step", OpenApiTypes.STR, OpenApiParameter.PATH, enum=[*LINE_STEPS, "undo_void"])],
        request=DeskReasonSerializer,
        responses={200: Details, 409: StaleSerializer},
    )
    @action(detail=True, methods=["post"], url_path=f"(?P<step>{'|'.join([*LINE_STEPS, 'undo_void'])})")
    @decided_by(step=_OPENED_BY)
    def take(self, request: Request, line: str, step: str) -> Response:
        """Decide on one line; answers with its payout."""
        found, given = self.get_object(), self.read(DeskReasonSerializer)
        with deciding():
            if step == "undo_void":
                _undo(self, found.payout, given, found)
            else:
                LINE_STEPS[step](actor=self.actor, line=found, **given)
        return Response(Details(payout_detail(actor=self.actor, payout_id=found.payout_id)).data)


class HoldViewSet(OperatorViewSet):
    """Standing holds; those of all of a partner are placed and released here."""

    queryset = Hold.objects.none()
    serializer_class = Holds
    filter_backends = ()
    lookup_url_kwarg = "partner"
    lookup_value_regex = r"[A-Za-z0-9._-]+"

    @extend_schema(operation_id="list_holds", summary="Standing holds of partners, payouts and lines")
    def list(self, request: Request) -> Response:
        """One page of holds, the latest first."""
        standing = Hold.objects.standing().order_by("-pk")
        return self.page(standing, lambda part: hold_views(Hold.objects.filter(pk__in=[h.pk for h in part])), Holds)

    @extend_schema(
        operation_id="hold_or_release_partner",
        summary="Hold all of a partner's money, or release that hold",
        parameters=[
            OpenApiParameter("partner", OpenApiTypes.STR, OpenApiParameter.PATH, description="the partner's code"),
            OpenApiParameter("step", OpenApiTypes.STR, OpenApiParameter.PATH, enum=["hold", "release"]),
        ],
        request=DeskReasonSerializer,
        responses={200: Rows(many=True)},
    )
    @action(detail=True, methods=["post"], url_path="(?P<step>hold|release)", pagination_class=None)
    @decided_by(step=_OPENED_BY)
    def take(self, request: Request, partner: str, step: str) -> Response:
        """Answers with the payouts that it stopped, or that go on."""
        named = Partner.objects.visible_to(self.actor).filter(code=partner).first()
        if named is None:
            raise Http404
        service = services.hold_partner if step == "hold" else services.release_partner
        with deciding():
            moved = service(actor=self.actor, partner=named, reason=self.read(DeskReasonSerializer)["reason"])
        found = Payout.objects.visible_to(self.actor).filter(pk__in=[p.pk for p in moved]).select_related(*RELATED)
        return Response(Rows(payout_desk_rows(actor=self.actor, payouts=list(found.order_by("pk"))), many=True).data)


class BulkViewSet(OperatorViewSet):
    """Decisions on many payouts."""

    queryset = Payout.objects.none()
    serializer_class = ProgressSerializer
    filter_backends = ()
    pagination_class = None
    lookup_url_kwarg = "bulk"
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(
        operation_id="decide_in_bulk",
        summary="Take one step with many payouts",
        description="Answers at once; workers do it in pieces. Ask for its progress.",
        request=BulkSerializer,
        responses={202: ProgressSerializer},
    )
    @decided_by(*{each for step in BULK_STEPS for each in policies.OPENED_BY[step]})
    def create(self, request: Request) -> Response:
        """Ask for it."""
        given = self.read(BulkSerializer)
        versions = {each["id"]: each["version"] for each in given["payouts"]}
        with deciding():
            made = services.decide_in_bulk(
                actor=self.actor, step=given["step"], versions=versions, reason=given["reason"]
            )
        return self._progress(made.pk, status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="show_bulk_progress",
        summary="How far a decision on many payouts has come",
        parameters=[OpenApiParameter("bulk", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    def retrieve(self, request: Request, bulk: str) -> Response:
        """Its progress and what was refused."""
        return self._progress(int(bulk), status.HTTP_200_OK)

    def _progress(self, bulk_id: int, code: int) -> Response:
        found = bulk_progress(actor=self.actor, bulk_id=bulk_id)
        if found is None:
            raise Http404
        return Response(ProgressSerializer(found).data, status=code)


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("operator/payouts", DeskPayoutViewSet, basename="desk-payout")
    router.register("operator/lines", DeskLineViewSet, basename="desk-line")
    router.register("operator/holds", HoldViewSet, basename="desk-hold")
    router.register("operator/bulk", BulkViewSet, basename="desk-bulk")
