"""`/invoices` of the API: the invoices of payouts, by the same services as on the pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, parsers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.api import answers
from core.uploads import handed_out
from incentives.invoice_states import InvoiceState
from incentives.models import Invoice, Payout
from incentives.services import hand_in_invoice
from partners.people import actor_of


class InvoiceSerializer(serializers.Serializer[Invoice]):
    """One invoice. `net` is what it should say. Instants are UTC."""

    id = serializers.IntegerField(source="pk")
    payout = serializers.IntegerField(source="payout_id")
    program = serializers.CharField(source="payout.program.code")
    partner_code = serializers.CharField(source="partner.code")
    state = serializers.ChoiceField(choices=InvoiceState.choices)
    number = serializers.CharField()
    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    net = serializers.DecimalField(source="payout.net_amount", max_digits=19, decimal_places=2)
    currency = serializers.CharField()
    issued_on = serializers.DateField()
    sha256 = serializers.CharField(help_text="of the file")
    handed_in_at = serializers.DateTimeField(source="uploaded_at")
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.SerializerMethodField(help_text="why it was refused")

    def get_reason(self, row: Invoice) -> str | None:
        """The operator's words."""
        return row.reason.text if row.reason else None


class NewInvoiceSerializer(serializers.Serializer[Any]):
    """An invoice to be handed in, as multipart/form-data."""

    payout = serializers.IntegerField(min_value=1, max_value=2**62)
    number = serializers.CharField(max_length=60)
    amount = serializers.DecimalField(max_digits=17, decimal_places=2, help_text="what stands on it")
    issued_on = serializers.DateField()
    file = serializers.FileField(help_text="PDF, PNG or JPEG")


@extend_schema_view(
    list=extend_schema(
        operation_id="list_invoices", summary="Invoices for payouts", description="The newest first, replaced ones too."
    ),
    retrieve=extend_schema(operation_id="show_invoice", summary="One invoice"),
)
class InvoiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Invoice]):
    """Invoices that the caller may see."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for partners."""
        found: QuerySet[Any] = Invoice.objects.visible_to(actor_of(self.request.user))
        return found.select_related("payout__program", "partner", "reason").order_by("-pk")

    @extend_schema(
        operation_id="hand_in_invoice",
        summary="Hand in the invoice for an approved payout, or another one in its place",
        request={"multipart/form-data": NewInvoiceSerializer},
        responses={201: InvoiceSerializer},
    )
    def create(self, request: Request) -> Response:
        """Hand it in."""
        given = NewInvoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        actor = actor_of(request.user)
        payout = Payout.objects.visible_to(actor).filter(pk=values.pop("payout")).first()
        if payout is None:
            raise Http404
        with answers():
            made = hand_in_invoice(actor=actor, payout=payout, **values)
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="show_invoice_file", summary="The invoice's file", responses={200: OpenApiTypes.BINARY})
    @action(detail=True)
    def file(self, request: Request, pk: str) -> FileResponse:
        """As an attachment."""
        found = self.get_object()
        try:
            content = found.content.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        return handed_out(content=content, name=found.name or f"{found.pk}", media_type=found.media_type)

    def get_parsers(self) -> list[parsers.BaseParser]:
        """Files come as forms."""
        return [parsers.MultiPartParser()]


def register(router: BaseRouter) -> None:
    """Add the views to the API."""
    router.register("invoices", InvoiceViewSet, basename="invoice")
