"""What every page of the admin dashboard shares: who may open it, and how a decision is taken there.

It stands where memberships are known; pages of the floors above use it.
"""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from core.actors import Capability
from core.errors import DomainError
from partners.pages import actor_for

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


def operators(
    view: Callable[Concatenate[HttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let operators in alone. Strangers are asked to sign in; to partners the page doesn't exist.

    What somebody may *do* there is asked by `decided_by`, and by the service that does it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not actor_for(request).can(Capability.VIEW_EVERYTHING):
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(guarded)


def decided_by(
    *capabilities: Capability, **by_step: Mapping[str, Collection[Capability]]
) -> Callable[[Callable[Concatenate[HttpRequest, P], R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Let a decision be posted by roles alone that open it: any one of `capabilities`; to all others it is forbidden.

    Asked before anything of the form is read, so that a role is never told what else is wrong. Where one address has
    several steps, `by_step` names the part of the address (or of the form) that says which, and what opens each; a
    step that isn't named there doesn't exist. The service asks again, and looks at the person and the thing besides.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, P], R]) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if request.method == "POST":
                actor = actor_for(request)
                if not any(actor.can(capability) for capability in opening(request, kwargs)):
                    raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.opened_by = by_step or capabilities  # type: ignore[attr-defined]  # told to whoever walks the addresses
        return guarded

    def opening(request: HttpRequest, given: Mapping[str, object]) -> Collection[Capability]:
        for name, steps in by_step.items():
            step = str(given.get(name, request.POST.get(name, "")))
            if step not in steps:
                raise Http404
            return steps[step]
        return capabilities

    return decorate


def decide(request: HttpRequest, act: Callable[[], Any], *, said: str, back: str) -> HttpResponse:
    """Take a decision that a page has posted: call the service, and go `back` with what happened.

    `said` tells it in the past tense ("Held the payout of Harbour."). A refusal goes back with its own words and
    changes nothing.
    """
    try:
        act()
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return HttpResponseRedirect(back)


def query_without(request: HttpRequest, *names: str) -> str:
    """The address's query without these parameters: for links that keep the list's state and change one thing."""
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()
