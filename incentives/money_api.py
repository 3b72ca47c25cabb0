"""`/operator/…` of the API: payment batches, the bank's results, adjustments, running accounts and the ledger."""

import io
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from core.models import Program
from incentives import policies, services
from incentives.bank_formats import LARGEST_FILE
from incentives.desk_filters import AdjustmentFilter, BatchFilter, LedgerFilter
from incentives.desk_serializers import (
    DeskReasonSerializer,
    DropSerializer,
    NewBatchSerializer,
    ProposalSerializer,
    ResultFileSerializer,
    shown,
)
from incentives.desk_views import OperatorViewSet, decided_by, deciding
from incentives.exports import write_csv
from incentives.models import Adjustment, BankResult, LedgerEntry, PaymentBatch, Payout
from incentives.queries.books import (
    AccountView,
    Balance,
    EntryView,
    account_views,
    entry_views,
    ledger_balances,
    ledger_entries,
    ledger_table,
)
from incentives.queries.payments import (
    AdjustmentView,
    BankResultView,
    BatchRow,
    PaymentRow,
    adjustment_views,
    adjustments,
    bank_result_views,
    bank_results,
    batch_rows,
    batches,
    payment_rows,
)
from incentives.states import AdjustmentKind, PayoutState
from partners.models import Partner

Adjustments = shown(AdjustmentView)
Accounts = shown(AccountView)
Batches = shown(BatchRow)
Payments = shown(PaymentRow)
Results = shown(BankResultView)
Entries = shown(EntryView)
Balances = shown(Balance, extra=("balance",))
CSV = {(200, "text/csv"): OpenApiTypes.STR}
NUMBER = r"\d{1,18}"


class AdjustmentViewSet(OperatorViewSet):
    """Adjustments of partners' running accounts."""

    queryset = Adjustment.objects.none()
    serializer_class = Adjustments
    filterset_class = AdjustmentFilter
    lookup_url_kwarg = "adjustment"
    lookup_value_regex = NUMBER

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        return adjustments(self.actor)

    @extend_schema(operation_id="list_adjustments", summary="Adjustments: proposed, confirmed, declined, withdrawn")
    def list(self, request: Request) -> Response:
        """One page of them."""
        return self.page(self.get_queryset(), lambda part: adjustment_views(self.actor, part), Adjustments)

    @extend_schema(
        operation_id="propose_adjustment",
        summary="Propose an adjustment; a second person decides",
        request=ProposalSerializer,
        responses={201: Adjustments},
    )
    @decided_by(*policies.OPENED_BY["adjust"])
    def create(self, request: Request) -> Response:
        """Propose one."""
        given = self.read(ProposalSerializer)
        partner = Partner.objects.visible_to(self.actor).filter(code=given.pop("partner_code")).first()
        program = Program.objects.filter(code=given.pop("program"), policies__isnull=False).first()
        if partner is None or program is None:
            raise exceptions.ValidationError("There is no such partner or program.")
        given["kind"] = AdjustmentKind(given["kind"])
        with deciding():
            made = services.propose_adjustment(actor=self.actor, partner=partner, program=program, **given)
        return self._one(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="decide_adjustment",
        summary="Confirm an adjustment that somebody else has proposed; decline it, or withdraw one's own",
        parameters=[OpenApiParameter("answer", OpenApiTypes.STR, OpenApiParameter.PATH, enum=["confirm", "decline"])],
        request=DeskReasonSerializer,
        responses={200: Adjustments},
    )
    @action(detail=True, methods=["post"], url_path="(?P<answer>confirm|decline)")
    @decided_by(answer=policies.ANSWERED_BY)
    def take(self, request: Request, adjustment: str, answer: str) -> Response:
        """Decide on one."""
        found, given = self.get_object(), self.read(DeskReasonSerializer)
        with deciding():
            if answer == "confirm":
                services.confirm_adjustment(actor=self.actor, adjustment=found, version=given["version"])
            else:
                services.decline_adjustment(actor=self.actor, adjustment=found, **given)
        return self._one(found.pk, status.HTTP_200_OK)

    def _one(self, pk: int, code: int) -> Response:
        return Response(
            Adjustments(adjustment_views(self.actor, self.get_queryset().filter(pk=pk))[0]).data, status=code
        )


class AccountViewSet(OperatorViewSet):
    """Partners' running accounts that aren't even."""

    queryset = Partner.objects.none()
    serializer_class = Accounts
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="list_accounts", summary="What partners owe, or are owed besides their payouts")
    def list(self, request: Request) -> Response:
        """Who owes most comes first."""
        return Response(Accounts(account_views(self.actor), many=True).data)


class BatchViewSet(OperatorViewSet):
    """Payment batches."""

    queryset = PaymentBatch.objects.none()
    serializer_class = Batches
    filterset_class = BatchFilter
    lookup_url_kwarg = "batch"
    lookup_value_regex = NUMBER

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        return batches(self.actor)

    @extend_schema(operation_id="list_payment_batches", summary="Payment batches, the newest first")
    def list(self, request: Request) -> Response:
        """One page of them."""
        return self.page(self.get_queryset(), batch_rows, Batches)

    @extend_schema(operation_id="show_payment_batch", summary="One payment batch")
    def retrieve(self, request: Request, batch: str) -> Response:
        """One batch."""
        return self._one(int(batch))

    @extend_schema(
        operation_id="create_payment_batch",
        summary="Put approved payouts together to be paid",
        description="What can't be paid now is left out: held, without a confirmed payee, in another batch.",
        request=NewBatchSerializer,
        responses={201: Batches},
    )
    @decided_by(Capability.PAY)
    def create(self, request: Request) -> Response:
        """Make a draft."""
        given = self.read(NewBatchSerializer)
        found = Payout.objects.visible_to(self.actor)
        if given["payouts"] is not None:
            found = found.filter(pk__in=given["payouts"])
        else:
            found = found.filter(program__code=given["program"], state=PayoutState.APPROVED)
        with deciding():
            report = services.create_payment_batch(actor=self.actor, payouts=list(found))
        return self._one(report.batch.pk, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="list_payments", summary="The payments of a batch", responses={200: Payments(many=True)}
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def payments(self, request: Request, batch: str) -> Response:
        """Each with what the bank has said."""
        return Response(Payments(payment_rows(self.get_object()), many=True).data)

    @extend_schema(
        operation_id="drop_from_batch",
        summary="Take payouts out of a draft",
        request=DropSerializer,
        responses={200: Batches},
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.PAY)
    def drop(self, request: Request, batch: str) -> Response:
        """Take some out."""
        found, given = self.get_object(), self.read(DropSerializer)
        payouts = list(Payout.objects.visible_to(self.actor).filter(pk__in=given["payouts"]))
        with deciding():
            services.drop_from_batch(actor=self.actor, batch=found, payouts=payouts, version=given["version"])
        return self._one(found.pk)

    @extend_schema(
        operation_id="move_batch",
        summary="Lock a draft, or cancel what wasn't exported",
        parameters=[OpenApiParameter("move", OpenApiTypes.STR, OpenApiParameter.PATH, enum=["lock", "cancel"])],
        request=DeskReasonSerializer,
        responses={200: Batches},
    )
    @action(detail=True, methods=["post"], url_path="(?P<move>lock|cancel)")
    @decided_by(Capability.PAY)
    def take(self, request: Request, batch: str, move: str) -> Response:
        """Lock it or give it up."""
        found, given = self.get_object(), self.read(DeskReasonSerializer)
        with deciding():
            if move == "lock":
                services.lock_payment_batch(actor=self.actor, batch=found, version=given["version"])
            else:
                services.cancel_payment_batch(actor=self.actor, batch=found, **given)
        return self._one(found.pk)

    @extend_schema(
        operation_id="export_payment_batch",
        summary="Take the file for the bank",
        description="It has account numbers in clear; the trail keeps who took it.",
        request=None,
        responses=CSV,
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.PAY)
    def export(self, request: Request, batch: str) -> HttpResponse:
        """The file (docs/payouts.md)."""
        found = self.get_object()
        with deciding():
            content = services.export_payment_batch(actor=self.actor, batch=found)
        return _file(content, f"payments-{found.pk:06d}.csv")

    def _one(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        found = batch_rows(self.get_queryset().filter(pk=pk))
        if not found:
            raise Http404
        return Response(Batches(found[0]).data, status=code)


class BankResultViewSet(OperatorViewSet):
    """The bank's result files."""

    queryset = BankResult.objects.none()
    serializer_class = Results
    filter_backends = ()
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="list_bank_results", summary="Loaded result files, with the rows that were set aside")
    def list(self, request: Request) -> Response:
        """The newest first."""
        found = bank_results(self.actor).prefetch_related("quarantine__note")
        return self.page(found, bank_result_views, Results)

    @extend_schema(
        operation_id="load_bank_result",
        summary="Load a result file of the bank",
        description="Loading the same file again changes nothing that is settled.",
        request={"multipart/form-data": ResultFileSerializer},
        responses={201: Results},
    )
    @decided_by(Capability.PAY)
    def create(self, request: Request) -> Response:
        """Settle what it tells of."""
        content = self.read(ResultFileSerializer)["file"].read(LARGEST_FILE + 1)
        with deciding():
            report = services.load_bank_result(actor=self.actor, content=content)
        kept = bank_results(self.actor).prefetch_related("quarantine__note").filter(pk=report.result.pk)
        return Response(Results(bank_result_views(kept)[0]).data, status=status.HTTP_201_CREATED)


class LedgerViewSet(OperatorViewSet):
    """The ledger."""

    queryset = LedgerEntry.objects.none()
    serializer_class = Entries
    filterset_class = LedgerFilter

    def get_queryset(self) -> QuerySet[Any]:
        """The newest posting first."""
        return ledger_entries(self.actor)

    @extend_schema(operation_id="list_ledger_entries", summary="The ledger's entries, the newest posting first")
    def list(self, request: Request) -> Response:
        """One page of them."""
        return self.page(self.get_queryset(), entry_views, Entries)

    @extend_schema(
        operation_id="list_ledger_balances",
        summary="Each account's balance, of everything or of what is filtered: they add up to zero",
        responses={200: Balances(many=True)},
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def balances(self, request: Request) -> Response:
        """By account and currency."""
        return Response(Balances(ledger_balances(self.filter_queryset(self.get_queryset())), many=True).data)

    @extend_schema(operation_id="export_ledger", summary="The ledger's entries as CSV", responses=CSV)
    @action(detail=False, methods=["get"], pagination_class=None)
    def export(self, request: Request) -> HttpResponse:
        """All that is filtered, the oldest posting first."""
        content = io.BytesIO()
        with transaction.atomic():
            write_csv(ledger_table(self.filter_queryset(self.get_queryset())), content)
        return _file(content.getvalue(), "ledger.csv")


def _file(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("operator/adjustments", AdjustmentViewSet, basename="desk-adjustment")
    router.register("operator/accounts", AccountViewSet, basename="desk-account")
    router.register("operator/batches", BatchViewSet, basename="desk-batch")
    router.register("operator/bank-results", BankResultViewSet, basename="desk-bank-result")
    router.register("operator/ledger", LedgerViewSet, basename="desk-ledger")
