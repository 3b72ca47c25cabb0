"""`/operator/runs/…/submit` of the API: what a submission would do, and the submission. As on the dashboard's page."""

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from incentives import services
from incentives.desk_serializers import SubmitSerializer, shown
from incentives.desk_views import OperatorViewSet, decided_by, deciding
from incentives.models import Payout, Run
from incentives.queries.desk import RELATED, PayoutRow, payout_desk_rows
from incentives.services.submission_plan import SubmissionPlan, plan_submission
from partners.models import Partner

Rows = shown(PayoutRow)
Plans = shown(SubmissionPlan)


class DeskRunViewSet(OperatorViewSet):
    """Runs, as far as payouts are made of them."""

    queryset = Run.objects.none()
    serializer_class = Rows
    filter_backends = ()
    pagination_class = None
    lookup_url_kwarg = "run"
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(
        operation_id="plan_submission",
        summary="What submitting a run's payouts would do",
        description="Nothing is submitted. Who would get how much, which lines would be withheld, whom a reason is "
        "needed for (`needs`), who would be left out and why.",
        parameters=[
            OpenApiParameter("partner", OpenApiTypes.STR, many=True, description="codes; else all but `needs`")
        ],
        responses={200: Plans},
        methods=["get"],
    )
    @extend_schema(
        operation_id="submit_run",
        summary="Submit a run's payouts for review",
        request=SubmitSerializer,
        responses={200: Rows(many=True)},
        methods=["post"],
    )
    @action(detail=True, methods=["get", "post"])
    @decided_by(Capability.SUBMIT_PAYOUT)
    def submit(self, request: Request, run: str) -> Response:
        """Answers with the payouts that were made; previews without one were skipped or had nothing to pay."""
        asked = Run.objects.visible_to(self.actor).select_related("program", "policy").filter(pk=int(run)).first()
        if asked is None:
            raise Http404
        if request.method != "POST":
            codes = request.query_params.getlist("partner") or None
            with deciding():
                plan = plan_submission(actor=self.actor, run=asked, partners=codes)
            return Response(Plans(plan).data)
        given = self.read(SubmitSerializer)
        named = given["partners"]
        partners = None if named is None else list(Partner.objects.visible_to(self.actor).filter(code__in=named))
        with deciding():
            report = services.submit_run(
                actor=self.actor, run=asked, reason=given["reason"], partners=partners, shown=given["shown"]
            )
        found = Payout.objects.visible_to(self.actor).filter(pk__in=[p.pk for p in report.payouts])
        rows = payout_desk_rows(actor=self.actor, payouts=list(found.select_related(*RELATED).order_by("pk")))
        return Response(Rows(rows, many=True).data)


def register(router: BaseRouter) -> None:
    """Add this view to the API."""
    router.register("operator/runs", DeskRunViewSet, basename="desk-run")
