"""`/links` of the API: a partner's invite links, made, extended and revoked by the same services as on the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import exceptions, mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Actor
from core.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound
from core.models import Program
from incentives.queries.links import STATES, link_rows, to_show
from merchants.models import TargetEntry
from merchants.services import create_link
from partners.models import InviteLink, Partner
from partners.people import actor_of
from partners.services import extend_link, revoke_link


class LinkConflict(exceptions.APIException):
    """The link, or the partner, is not in a state in which this can be done."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class LinkSerializer(serializers.Serializer[Any]):
    """An invite link, and what it brought. Instants are UTC."""

    invite_code = serializers.CharField(source="code")
    url = serializers.SerializerMethodField(help_text="what merchants open")
    partner_code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the column's name, as in the rows
    state = serializers.CharField(help_text="one of " + ", ".join(STATES))
    program = serializers.CharField(allow_null=True)
    target_code = serializers.CharField(source="target", allow_null=True)
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    max_uses = serializers.IntegerField(allow_null=True)
    uses = serializers.IntegerField()
    visits = serializers.IntegerField()
    registrations = serializers.IntegerField()
    certified = serializers.IntegerField()
    eligible = serializers.IntegerField()

    def get_url(self, row: Any) -> str:
        """The address of the merchant's page."""
        path = reverse("invite", args=[row.code])
        request: Request | None = self.context.get("request")
        return request.build_absolute_uri(path) if request is not None else path


class NewLinkSerializer(serializers.Serializer[Any]):
    """A link to be made. `partner_code` is needed by whoever belongs to several organisations."""

    partner_code = serializers.CharField(required=False)
    label = serializers.CharField(required=False, allow_blank=True, default="")  # type: ignore[assignment]  # as above
    program = serializers.CharField(required=False, allow_null=True, default=None)
    target_code = serializers.CharField(
        required=False, allow_null=True, default=None, help_text="an entry of the program's list; any merchant without"
    )
    expires_at = serializers.DateTimeField()
    max_uses = serializers.IntegerField(required=False, allow_null=True, default=None)


class ExtensionSerializer(serializers.Serializer[Any]):
    """A later end."""

    expires_at = serializers.DateTimeField()


@extend_schema_view(
    list=extend_schema(
        operation_id="list_links", summary="Invite links and what they brought", description="The newest first."
    ),
    retrieve=extend_schema(operation_id="show_link", summary="One invite link"),
)
class LinkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[InviteLink]):
    """Invite links that the caller may see."""

    queryset = InviteLink.objects.none()
    serializer_class = LinkSerializer
    lookup_field = "code"
    lookup_value_regex = r"[A-Za-z0-9._-]+"

    @cached_property
    def actor(self) -> Actor:
        """Who asks."""
        return actor_of(self.request.user)

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators, the own organisations' for partners."""
        found: QuerySet[Any] = to_show(InviteLink.objects.visible_to(self.actor))
        return found.order_by("-pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of links."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(page or []))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One link."""
        return Response(self._shown([self.get_object()])[0])

    @extend_schema(
        operation_id="create_link",
        summary="Make an invite link",
        request=NewLinkSerializer,
        responses={201: LinkSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make a link for any merchant, or for one entry of a program's list."""
        given = self._read(NewLinkSerializer)
        actor = self.actor
        partner = self._partner(given.pop("partner_code", None))
        program, entry = self._place(given.pop("program"), given.pop("target_code"))
        with _answers():
            made = create_link(actor=actor, partner=partner, at=timezone.now(), program=program, entry=entry, **given)
        return Response(self._again(made), status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="revoke_link", summary="Revoke an invite link", request=None, responses={200: LinkSerializer}
    )
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, code: str) -> Response:
        """End it at once and for good."""
        link = self.get_object()
        with _answers():
            revoke_link(actor=self.actor, link=link, at=timezone.now())
        return Response(self._again(link))

    @extend_schema(
        operation_id="extend_link",
        summary="Put an invite link's end off",
        request=ExtensionSerializer,
        responses={200: LinkSerializer},
    )
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, code: str) -> Response:
        """Give it a later end."""
        link, given = self.get_object(), self._read(ExtensionSerializer)
        with _answers():
            extend_link(actor=self.actor, link=link, at=timezone.now(), **given)
        return Response(self._again(link))

    def _read(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        reader = kind(data=self.request.data)
        reader.is_valid(raise_exception=True)
        return dict(reader.validated_data)

    def _partner(self, code: str | None) -> Partner:
        actor = self.actor
        own = Partner.objects.visible_to(actor).filter(pk__in=actor.partner_ids)
        found = list(own.filter(code=code) if code else own[:2])
        if code and not found:
            raise Http404
        if not found:
            raise exceptions.PermissionDenied
        if len(found) > 1:
            raise exceptions.ValidationError({"partner_code": "Name one of your organisations."})
        chosen: Partner = found[0]
        return chosen

    def _place(self, program: str | None, target: str | None) -> tuple[Program | None, TargetEntry | None]:
        found = Program.objects.filter(code=program).first() if program else None
        if program and found is None:
            raise exceptions.ValidationError({"program": "There is no such program."})
        if not target:
            return found, None
        if found is None:
            raise exceptions.ValidationError({"program": "An entry's code needs its program."})
        visible = TargetEntry.objects.visible_to(self.actor).select_related("program")
        entry = visible.filter(program=found, code=target).first()
        if entry is None:
            raise exceptions.ValidationError({"target_code": "There is no such entry, or it is not for you."})
        return found, entry

    def _again(self, link: InviteLink) -> Any:
        return self._shown([self.get_queryset().get(pk=link.pk)])[0]

    def _shown(self, links: Any) -> Any:
        rows = link_rows(actor=self.actor, links=list(links), at=timezone.now())
        return self.get_serializer(rows, many=True).data


@contextmanager
def _answers() -> Iterator[None]:
    """Say a refusal of the services in the API's own way."""
    try:
        yield
    except NotAllowed as refused:
        raise exceptions.PermissionDenied(refused.message) from None
    except NotFound:
        raise Http404 from None
    except Conflict as refused:
        raise LinkConflict(refused.message) from None
    except BadInput as refused:
        raise exceptions.ValidationError(refused.message) from None
    except DomainError as refused:
        raise exceptions.APIException(refused.message) from None


def register(router: BaseRouter) -> None:
    """Add these views to the API."""
    router.register("links", LinkViewSet, basename="link")
