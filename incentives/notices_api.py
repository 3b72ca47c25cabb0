"""`/notices` of the API: the caller's own inbox."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.models import Notice
from core.notices.filters import NoticeFilter
from core.notices.inbox import NoticeView, mark_read, notice_views, unread_count
from partners.people import actor_of


class NoticeSerializer(serializers.Serializer[NoticeView]):
    """What the caller was told, in the request's language. Instants are UTC."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField(help_text="the kind's name")
    sentence = serializers.CharField()
    path = serializers.CharField(help_text="the page where one reads on; empty where there is none")
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class UnreadSerializer(serializers.Serializer[dict[str, int]]):
    """How many notices the caller hasn't read."""

    unread = serializers.IntegerField()


@extend_schema_view(
    list=extend_schema(
        operation_id="list_notices",
        summary="Notices: what the caller was told",
        description="The caller's own inbox and nobody else's, whatever the role; the newest first.",
    )
)
class NoticeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Notices of the caller."""

    queryset = Notice.objects.none()
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """The caller's own."""
        found: QuerySet[Any] = Notice.objects.visible_to(actor_of(self.request.user)).order_by("-pk")
        return found

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of notices."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(notice_views(page or []), many=True).data)

    @extend_schema(
        operation_id="read_notice",
        summary="Tick a notice off as read",
        parameters=[OpenApiParameter("id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
        request=None,
        responses=NoticeSerializer,
    )
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Tick one off. Reading it again changes nothing."""
        notice = self.get_object()
        mark_read(actor=actor_of(request.user), notices=[notice.pk])
        notice.refresh_from_db()
        return Response(self.get_serializer(notice_views([notice])[0]).data)

    @extend_schema(
        operation_id="read_all_notices",
        summary="Tick all notices off as read",
        request=None,
        responses=UnreadSerializer,
    )
    @action(detail=False, methods=["post"], url_path="read", url_name="read-all")
    def read_all(self, request: Request) -> Response:
        """Tick all off."""
        actor = actor_of(request.user)
        mark_read(actor=actor)
        return Response({"unread": unread_count(actor=actor)})


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("notices", NoticeViewSet, basename="notice")
