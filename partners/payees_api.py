"""`/payees` of the API: the accounts that partners are paid to, masked, by the same services as on the pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.api import answers
from partners.account_rules import COUNTRIES, CURRENCIES
from partners.models import Partner, Payee
from partners.people import actor_of
from partners.proof import proved_at
from partners.services import PayeeDetails, change_payee, withdraw_payee
from partners.states import PayeeState


class PayeeSerializer(serializers.Serializer[Payee]):
    """One stated account. Its number is never here, only its end. Instants are UTC."""

    id = serializers.IntegerField(source="pk")
    partner_code = serializers.CharField(source="partner.code")
    number = serializers.IntegerField(help_text="counts the partner's versions")
    state = serializers.ChoiceField(choices=PayeeState.choices, help_text="only a confirmed one is paid to")
    holder = serializers.CharField()
    bank_name = serializers.CharField()
    bank_code = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    account = serializers.CharField(source="masked", help_text="dots and the end of the number")
    stated_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.SerializerMethodField(help_text="why it was refused")

    def get_reason(self, row: Payee) -> str | None:
        """The operator's words."""
        return row.reason.text if row.reason else None


class NewPayeeSerializer(serializers.Serializer[Any]):
    """An account to be stated. `partner_code` is needed by whoever belongs to several organisations."""

    partner_code = serializers.CharField(required=False)
    holder = serializers.CharField()
    bank_name = serializers.CharField()
    bank_code = serializers.CharField(help_text="SWIFT (BIC); in mainland China the clearing number will do")
    country = serializers.ChoiceField(choices=COUNTRIES, help_text="the bank's")
    currency = serializers.ChoiceField(choices=CURRENCIES)
    account_number = serializers.CharField(write_only=True, help_text="kept encrypted, never given back")


@extend_schema_view(
    list=extend_schema(
        operation_id="list_payees",
        summary="Accounts that partners are paid to, masked",
        description="Every version, the newest first. Viewers of an organisation see none.",
    ),
    retrieve=extend_schema(operation_id="show_payee", summary="One of them"),
)
class PayeeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Payee]):
    """Payees that the caller may see."""

    queryset = Payee.objects.none()
    serializer_class = PayeeSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for their owners and members."""
        found: QuerySet[Any] = Payee.objects.visible_to(actor_of(self.request.user)).select_related("partner", "reason")
        return found.order_by("-pk")

    @extend_schema(
        operation_id="change_payee",
        summary="State the account that the organisation is paid to",
        description="Owners alone, within minutes of giving the password or a second factor once more at "
        "`/accounts/reauthenticate/`; else 403. Nothing is paid until an operator has confirmed it.",
        request=NewPayeeSerializer,
        responses={201: PayeeSerializer},
    )
    @method_decorator(sensitive_variables("given"))
    def create(self, request: Request) -> Response:
        """State it."""
        given = NewPayeeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        details = dict(given.validated_data)
        partner = self._partner(details.pop("partner_code", None))
        with answers():
            made = change_payee(
                actor=actor_of(request.user),
                partner=partner,
                details=PayeeDetails(**details),
                proved_at=proved_at(request._request),
            )
        return Response(PayeeSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="withdraw_payee",
        summary="Take a change back that waits",
        request=None,
        responses={200: PayeeSerializer},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Withdraw it."""
        payee = self.get_object()
        with answers():
            done = withdraw_payee(actor=actor_of(request.user), payee=payee)
        return Response(PayeeSerializer(done).data)

    def _partner(self, code: str | None) -> Partner:
        """The organisation named, or the only one that the caller belongs to."""
        actor = actor_of(self.request.user)
        own = Partner.objects.visible_to(actor).filter(pk__in=actor.partner_ids)
        found = list(own.filter(code=code)[:1] if code is not None else own[:2])
        if code is not None and not found:
            raise Http404
        if len(found) != 1:
            raise ValidationError({"partner_code": ["Name one of your organisations by its code."]})
        partner: Partner = found[0]
        return partner


def register(router: BaseRouter) -> None:
    """Add the views to the API."""
    router.register("payees", PayeeViewSet, basename="payee")
