"""`/applications` and `/invitations` of the API: arriving, by the same services as on the pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Role
from core.api import answers
from core.uploads import handed_out
from partners import services
from partners.models import Application, ApplicationFile, Invitation
from partners.people import actor_of
from partners.programs_api import ArrivingViews
from partners.states import ApplicationState, ApplicationStep, Category, MemberRole, Resource, Service


class StepSerializer(serializers.Serializer[Any]):
    """One step of an application. Who took it is not told."""

    step = serializers.ChoiceField(choices=ApplicationStep.choices)
    at = serializers.DateTimeField()
    text = serializers.CharField(source="note.text", default=None, allow_null=True)
    effective_from = serializers.DateField(allow_null=True)


class FileSerializer(serializers.Serializer[Any]):
    """A document that was handed in."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    sha256 = serializers.CharField()
    uploaded_at = serializers.DateTimeField()


class NewFileSerializer(serializers.Serializer[Any]):
    """A document to hand in: PDF, PNG or JPEG."""

    file = serializers.FileField()


class ApplicationSerializer(serializers.Serializer[Any]):
    """An application for certification, with what has happened to it. Instants are UTC."""

    id = serializers.IntegerField()
    version = serializers.IntegerField(help_text="send it along, and a change in between is refused")
    state = serializers.ChoiceField(choices=ApplicationState.choices)
    name = serializers.CharField()
    category = serializers.CharField()
    country = serializers.CharField()
    registration_no = serializers.CharField()
    markets = serializers.ListField(child=serializers.CharField())
    resources = serializers.ListField(child=serializers.CharField())
    services = serializers.ListField(child=serializers.CharField())
    submitted_at = serializers.DateTimeField(allow_null=True)
    partner_code = serializers.CharField(source="partner.code", default=None, allow_null=True)
    files = FileSerializer(many=True)
    steps = StepSerializer(source="events", many=True)


class DraftSerializer(serializers.Serializer[Any]):
    """What is written into an application; whatever is left out stays as it is."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    category = serializers.ChoiceField(required=False, choices=Category.choices)
    country = serializers.RegexField("^[A-Z]{2}$", required=False, help_text="ISO 3166-1 alpha-2")
    registration_no = serializers.CharField(required=False, allow_blank=True, max_length=64)
    markets = serializers.ListField(required=False, child=serializers.RegexField("^[A-Z]{2}$"), max_length=50)
    resources = serializers.ListField(required=False, child=serializers.ChoiceField(choices=Resource.choices))
    services = serializers.ListField(required=False, child=serializers.ChoiceField(choices=Service.choices))
    contact_name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    contact_email = serializers.EmailField(required=False, allow_blank=True)
    contact_phone = serializers.CharField(required=False, allow_blank=True, max_length=40)
    contact_wechat = serializers.CharField(required=False, allow_blank=True, max_length=60)
    about = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    version = serializers.IntegerField(required=False, min_value=1)


class AnswerSerializer(serializers.Serializer[Any]):
    """The answer to what was asked."""

    answer = serializers.CharField(max_length=4000)


class InvitationSerializer(serializers.Serializer[Any]):
    """A colleague who was asked to join a team. The link is in the mail alone."""

    id = serializers.IntegerField()
    partner_code = serializers.CharField(source="partner.code")
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=MemberRole.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class NewInvitationSerializer(serializers.Serializer[Any]):
    """A colleague to invite."""

    partner_code = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=MemberRole.choices)


@extend_schema_view(
    list=extend_schema(operation_id="list_applications", summary="Applications for certification"),
    retrieve=extend_schema(operation_id="show_application", summary="One application, with what has happened to it"),
)
class ApplicationViewSet(mixins.RetrieveModelMixin, ArrivingViews):
    """Applications that the caller may see: the own ones; those that were submitted, for operators."""

    queryset = Application.objects.none()
    lookup_url_kwarg = "application"
    serializer_class = ApplicationSerializer

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        found: QuerySet[Any] = Application.objects.visible_to(actor_of(self.request.user))
        return found.select_related("partner").prefetch_related("events__note", "files").order_by("-pk")

    @extend_schema(
        operation_id="create_application",
        summary="Begin an application",
        request=DraftSerializer,
        responses={201: ApplicationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Begin a draft."""
        data = self.read(DraftSerializer)
        data.pop("version", None)
        with answers():
            made = services.save_draft(actor=actor_of(request.user), data=data)
        return self._again(made, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="change_application",
        summary="Write into an application",
        request=DraftSerializer,
        responses={200: ApplicationSerializer},
    )
    def partial_update(self, request: Request, application: str) -> Response:
        """Change a draft, or an application about which more was asked."""
        found, data = self.get_object(), self.read(DraftSerializer)
        version = data.pop("version", None)
        with answers():
            services.save_draft(actor=actor_of(request.user), application=found, data=data, version=version)
        return self._again(found)

    @extend_schema(
        operation_id="submit_application",
        summary="Hand an application in",
        request=None,
        responses={200: ApplicationSerializer},
    )
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, application: str) -> Response:
        """Hand a complete draft in."""
        found = self.get_object()
        with answers():
            services.submit_application(actor=actor_of(request.user), application=found)
        return self._again(found)

    @extend_schema(
        operation_id="answer_application",
        summary="Answer what was asked",
        request=AnswerSerializer,
        responses={200: ApplicationSerializer},
    )
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, application: str) -> Response:
        """Answer; the application goes back into review."""
        found, given = self.get_object(), self.read(AnswerSerializer)
        with answers():
            services.answer_application(actor=actor_of(request.user), application=found, **given)
        return self._again(found)

    @extend_schema(
        operation_id="withdraw_application",
        summary="Withdraw an application",
        request=None,
        responses={200: ApplicationSerializer},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, application: str) -> Response:
        """Take it back before it is decided."""
        found = self.get_object()
        with answers():
            services.withdraw_application(actor=actor_of(request.user), application=found)
        return self._again(found)

    @extend_schema(
        operation_id="add_application_file",
        summary="Add a document to an application",
        request={"multipart/form-data": NewFileSerializer},
        responses={201: FileSerializer},
    )
    @action(detail=True, methods=["post"])
    def files(self, request: Request, application: str) -> Response:
        """Keep a document with it, while the applicant may write in it."""
        found, given = self.get_object(), self.read(NewFileSerializer)
        with answers():
            made = services.add_application_file(actor=actor_of(request.user), application=found, file=given["file"])
        return Response(FileSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="show_application_file",
        summary="A document, as it was handed in",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["get"], url_path=r"files/(?P<file>\d{1,18})")
    def document(self, request: Request, application: str, file: str) -> FileResponse:
        """The document as an attachment."""
        visible = ApplicationFile.objects.visible_to(actor_of(request.user))
        found = visible.filter(application=self.get_object(), pk=file).first()
        if found is None:
            raise Http404
        try:
            content = found.content.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        return handed_out(content=content, name=found.name or f"{found.pk}", media_type=found.media_type)

    @extend_schema(operation_id="remove_application_file", summary="Take a document out of a draft")
    @document.mapping.delete
    def remove(self, request: Request, application: str, file: str) -> Response:
        """Take it out, while the application is a draft."""
        visible = ApplicationFile.objects.visible_to(actor_of(request.user))
        found = visible.filter(application=self.get_object(), pk=file).select_related("application").first()
        if found is None:
            raise Http404
        with answers():
            services.remove_application_file(actor=actor_of(request.user), file=found)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _again(self, application: Application, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=application.pk)).data, status=code)


@extend_schema_view(list=extend_schema(operation_id="list_invitations", summary="Colleagues who were invited"))
class InvitationViewSet(ArrivingViews):
    """Invitations that the caller may see."""

    queryset = Invitation.objects.none()
    lookup_url_kwarg = "invitation"
    serializer_class = InvitationSerializer

    def get_queryset(self) -> QuerySet[Any]:
        """The newest first."""
        found: QuerySet[Any] = Invitation.objects.visible_to(actor_of(self.request.user))
        return found.select_related("partner").order_by("-pk")

    @extend_schema(
        operation_id="invite_member",
        summary="Invite a colleague",
        request=NewInvitationSerializer,
        responses={201: InvitationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Send somebody the link to a team."""
        given = self.read(NewInvitationSerializer)
        with answers():
            made = services.invite_member(
                actor=actor_of(request.user),
                partner=self.own_partner(given["partner_code"]),
                email=given["email"],
                role=Role(given["role"]),
            )
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="withdraw_invitation",
        summary="Withdraw an invitation",
        request=None,
        responses={200: InvitationSerializer},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, invitation: str) -> Response:
        """Make its link stop working."""
        found = self.get_object()
        with answers():
            changed = services.withdraw_invitation(actor=actor_of(request.user), invitation=found)
        return Response(self.get_serializer(changed).data)


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("applications", ApplicationViewSet, basename="application")
    router.register("invitations", InvitationViewSet, basename="invitation")
