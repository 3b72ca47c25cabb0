"""`/operator/imports` of the API: what was loaded, and the rows that could not be. The same rows as on the pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from merchants.feed_forms import ImportFilter
from merchants.models import Import, RejectedRow
from partners.people import actor_of


class ImportSerializer(serializers.ModelSerializer[Import]):
    """One load of one feed file. Instants are UTC."""

    kind = serializers.CharField(help_text="The feed's name.")
    state = serializers.CharField(help_text="running, landed, refused or failed. Only a landed one recorded facts.")
    batch = serializers.IntegerField(source="batch_id", allow_null=True)
    mapping = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_blank=True)),
        help_text="Where the file's headings were others: each with the feed's column that it holds, or an empty one.",
    )
    by = serializers.SerializerMethodField(help_text="Who loaded it; null for a command.")

    class Meta:
        model = Import
        fields = (
            "id",
            "kind",
            "state",
            "batch",
            "file_name",
            "sha256",
            "size",
            "strict",
            "by",
            "started_at",
            "finished_at",
            "rows",
            "new",
            "unchanged",
            "updated",
            "rejected",
            "columns",
            "ignored_columns",
            "mapping",
            "error",
        )

    def get_by(self, row: Import) -> str | None:
        """The name of whoever loaded it."""
        return row.actor.get_full_name() if row.actor else None


class RejectedRowSerializer(serializers.ModelSerializer[RejectedRow]):
    """What is wrong in one column of one row, and the row's cells as they came."""

    cells = serializers.DictField(child=serializers.CharField(allow_blank=True))

    class Meta:
        model = RejectedRow
        fields = ("line", "column", "code", "message", "cells")


@extend_schema_view(
    list=extend_schema(operation_id="list_imports", summary="Imports of feeds, with their counts"),
    retrieve=extend_schema(operation_id="read_import", summary="One import"),
)
class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Import]):
    """Imports, for operators alone: to everybody else there is nothing here."""

    queryset = Import.objects.none()
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    lookup_url_kwarg = "import_id"
    lookup_value_regex = r"\d{1,18}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Signed in, and an operator."""
        super().initial(request, *args, **kwargs)
        self.actor = actor_of(request.user)
        if not self.actor.can(Capability.VIEW_EVERYTHING):
            raise Http404

    def get_queryset(self) -> QuerySet[Any]:
        """All of them."""
        rows: QuerySet[Any] = Import.objects.visible_to(self.actor).select_related("actor")
        return rows.order_by("-pk")

    @extend_schema(
        operation_id="list_rejected_rows",
        summary="The rows that an import could not take, one entry for each faulty column",
        filters=False,
        responses={200: RejectedRowSerializer(many=True)},
    )
    @action(detail=True, methods=["get"])
    def rejected(self, request: Request, import_id: str) -> Response:
        """One page of them, in the file's order."""
        found = self.get_queryset().filter(pk=import_id).first()
        if found is None:
            raise Http404
        part = self.paginate_queryset(found.rejected_rows.order_by("line", "pk"))
        return self.get_paginated_response(RejectedRowSerializer(part or [], many=True).data)


def register(router: BaseRouter) -> None:
    """Add the imports to the API."""
    router.register("operator/imports", ImportViewSet, basename="import")
