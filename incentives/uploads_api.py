"""`/operator/uploads` of the API: a feed's file handed in, looked at, and loaded by a worker, as on the pages."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from incentives.desk_views import OperatorViewSet, decided_by, deciding
from merchants.models import FeedUpload
from merchants.services import drop_upload, keep_upload, map_upload, queue_upload
from merchants.services.uploads import rows_read
from merchants.states import FeedKind, UploadState


class FaultSerializer(serializers.Serializer[Any]):
    """What is wrong in one column of one row."""

    line = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What loading the file would come to, of its first rows; nothing of it is recorded."""

    header = serializers.ListField(child=serializers.CharField(allow_blank=True), help_text="The file's own headings.")
    columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="For each heading the feed's column that it is read as, or likely is; empty for none.",
    )
    missing = serializers.ListField(child=serializers.CharField(), help_text="Columns that the feed needs.")
    ignored = serializers.ListField(child=serializers.CharField(allow_blank=True))
    refused = serializers.CharField(help_text="Why the file can't be loaded as it is; empty where it can.")
    fits = serializers.ListField(child=serializers.CharField(), help_text="Feeds whose columns a refused file has.")
    checked = serializers.IntegerField(help_text="So many rows were checked.")
    rejected = serializers.IntegerField()
    new = serializers.IntegerField(allow_null=True)
    unchanged = serializers.IntegerField(allow_null=True)
    updated = serializers.IntegerField(allow_null=True)
    faults = FaultSerializer(many=True)


class UploadSerializer(serializers.ModelSerializer[FeedUpload]):
    """A feed's file between whoever handed it in and the worker that loads it. Instants are UTC."""

    kind = serializers.CharField(help_text="The feed's name.")
    state = serializers.CharField(help_text="kept, queued, loading, loaded, failed or dropped.")
    rows = serializers.IntegerField(source="total", allow_null=True, help_text="Null: too many to count.")
    read = serializers.SerializerMethodField(help_text="Rows that the worker has read so far; null: not known.")
    load = serializers.IntegerField(
        source="import_of_id", allow_null=True, help_text="Its import, from the load's first moment on."
    )
    by = serializers.CharField(source="uploaded_by.get_full_name")
    preview = serializers.SerializerMethodField()

    class Meta:
        model = FeedUpload
        fields = (
            "id",
            "kind",
            "state",
            "name",
            "size",
            "sha256",
            "rows",
            "read",
            "strict",
            "by",
            "uploaded_at",
            "moved_at",
            "load",
            "error",
            "preview",
        )

    def get_read(self, row: FeedUpload) -> int | None:
        """How far the worker is."""
        return rows_read(row) if row.state == UploadState.LOADING else None

    @extend_schema_field(PreviewSerializer(allow_null=True))
    def get_preview(self, row: FeedUpload) -> dict[str, Any] | None:
        """Null once the file is done with: what it said may name people."""
        return dict(PreviewSerializer(row.preview).data) if row.preview else None


class HandInSerializer(serializers.Serializer[Any]):
    """A feed's file."""

    kind = serializers.ChoiceField(choices=FeedKind.values, help_text="The feed's name.")
    file = serializers.FileField(allow_empty_file=True, help_text="CSV, .csv.gz or XLSX.")


class ColumnsSerializer(serializers.Serializer[Any]):
    """What the file's headings hold."""

    columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="For each of the file's headings, in their order, the feed's column; empty for none.",
    )


class LoadSerializer(serializers.Serializer[Any]):
    """How to load the file."""

    strict = serializers.BooleanField(default=False, help_text="Nothing lands when any row is bad.")


@extend_schema_view(
    list=extend_schema(operation_id="list_uploads", summary="Files of feeds that were handed in, the newest first"),
    retrieve=extend_schema(operation_id="read_upload", summary="What a file would come to, or how far its load is"),
)
class UploadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OperatorViewSet):
    """Files of feeds."""

    queryset = FeedUpload.objects.none()
    serializer_class = UploadSerializer
    filter_backends = ()
    parser_classes = (MultiPartParser, JSONParser)
    lookup_url_kwarg = "upload_id"
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        rows: QuerySet[Any] = FeedUpload.objects.visible_to(self.actor).select_related("uploaded_by")
        return rows.order_by("-pk")

    @extend_schema(
        operation_id="hand_in_feed",
        summary="Hand a feed's file in, to see what loading it would come to; nothing of it is recorded",
        request={"multipart/form-data": HandInSerializer},
        responses={201: UploadSerializer},
    )
    @decided_by(Capability.LOAD_FEED)
    def create(self, request: Request) -> Response:
        """Keep it, with its preview."""
        given = self.read(HandInSerializer)
        with deciding():
            kept = keep_upload(actor=self.actor, kind=given["kind"], file=given["file"])
        return self._shown(kept.pk, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="map_upload",
        summary="Say which columns the file's headings hold, and see what it then comes to",
        request=ColumnsSerializer,
        responses={200: UploadSerializer},
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.LOAD_FEED)
    def columns(self, request: Request, upload_id: str) -> Response:
        """Read the file's headings so."""
        said = self.read(ColumnsSerializer)["columns"]
        with deciding():
            map_upload(actor=self.actor, upload=self.get_object(), columns=said)
        return self._shown(int(upload_id))

    @extend_schema(
        operation_id="load_upload",
        summary="Have a worker load the file",
        description="The answer comes at once; the file's own address tells how far the load is, and its import.",
        request=LoadSerializer,
        responses={202: UploadSerializer},
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.LOAD_FEED)
    def load(self, request: Request, upload_id: str) -> Response:
        """Queue it."""
        strict = self.read(LoadSerializer)["strict"]
        with deciding():
            queue_upload(actor=self.actor, upload=self.get_object(), strict=strict)
        return self._shown(int(upload_id), status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="drop_upload",
        summary="Throw the file away unloaded",
        request=None,
        responses={200: UploadSerializer},
    )
    @action(detail=True, methods=["post"])
    @decided_by(Capability.LOAD_FEED)
    def drop(self, request: Request, upload_id: str) -> Response:
        """Forget it."""
        with deciding():
            drop_upload(actor=self.actor, upload=self.get_object())
        return self._shown(int(upload_id))

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(UploadSerializer(self.get_queryset().get(pk=pk)).data, status=code)


def register(router: BaseRouter) -> None:
    """Add the files of feeds to the API."""
    router.register("operator/uploads", UploadViewSet, basename="upload")
