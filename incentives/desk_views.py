"""What the operators' API views share: who comes in, the body, and the answer to a decision that came too late."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, permissions, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor, Capability
from core.api import StateConflict, answers
from core.errors import Conflict, DomainError
from incentives.desk_serializers import shown
from incentives.services.stale import Change, Stale
from partners.people import actor_of

V = TypeVar("V", bound="OperatorViewSet")
P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponse)


class ErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class StaleSerializer(serializers.Serializer[Any]):
    """The payout has changed since it was opened: what changed, by whom, when, and the version that it has now."""

    type = serializers.CharField()
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # as every refusal of the API has them
    payout = serializers.IntegerField()
    version = serializers.IntegerField()
    changes = shown(Change, name="PayoutChange")(many=True)


@contextmanager
def deciding() -> Iterator[None]:
    """Answer a service's refusal in the API's way: with its stable code, and a stale decision with what has changed."""
    late: DomainError | None = None
    with answers():
        try:
            yield
        except Stale as refusal:
            late = refusal
        except Conflict as refusal:
            raise StateConflict(refusal.message, code=refusal.code) from None
    if late is not None:
        raise late


class OperatorViewSet(viewsets.GenericViewSet[Any]):
    """For operators alone: to everybody else there is nothing here. The auditor reads and changes nothing."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Signed in, and an operator."""
        super().initial(request, *args, **kwargs)
        self.actor: Actor = actor_of(request.user)
        if not self.actor.can(Capability.VIEW_EVERYTHING):
            raise Http404

    def handle_exception(self, exc: Exception) -> Response:
        """A stale decision is answered with what has changed; the rest as everywhere."""
        if isinstance(exc, Stale):
            error = {"code": exc.code, "detail": exc.message, "attr": None}
            told = {
                "type": "client_error",
                "errors": [error],
                "payout": exc.payout.pk,
                "version": exc.payout.version,
                "changes": exc.changes,
            }
            return Response(StaleSerializer(told).data, status=status.HTTP_409_CONFLICT)
        return super().handle_exception(exc)

    def read(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's body, checked."""
        reader = kind(data=self.request.data)
        reader.is_valid(raise_exception=True)
        return dict(reader.validated_data)

    def page(self, found: Any, rows: Any, kind: type[serializers.Serializer[Any]]) -> Response:
        """One page of `found`, made into rows all at once."""
        part = self.paginate_queryset(self.filter_queryset(found))
        return self.get_paginated_response(kind(rows(list(part or [])), many=True).data)


def decided_by(
    *capabilities: Capability, **by_step: Mapping[str, Collection[Capability]]
) -> Callable[[Callable[Concatenate[V, Request, P], R]], Callable[Concatenate[V, Request, P], R]]:
    """Let roles alone write here that open it, as on the pages (`partners.console.decided_by`).

    Asked before the body is read and before the thing is looked for. `by_step` names the part of the address that
    says which step it is; reading stays open to every operator.
    """

    def decorate(act: Callable[Concatenate[V, Request, P], R]) -> Callable[Concatenate[V, Request, P], R]:
        @wraps(act)
        def guarded(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if request.method not in permissions.SAFE_METHODS:
                opening = capabilities
                for name, steps in by_step.items():
                    opening = tuple(steps[str(kwargs[name])])
                if not any(view.actor.can(capability) for capability in opening):
                    raise exceptions.PermissionDenied(_("Your role doesn't allow you to do this."))
            return act(view, request, *args, **kwargs)

        guarded.opened_by = by_step or capabilities  # type: ignore[attr-defined]  # told to whoever walks the addresses
        return guarded

    return decorate
