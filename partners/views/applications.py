"""Applying for certification: the form with its drafts, the page that says where it stands, the files."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import DomainError
from core.uploads import handed_out
from partners import policies, services
from partners.forms import ApplicationForm
from partners.models import Application, ApplicationContact, ApplicationFile
from partners.pages import actor_for
from partners.queries import application_view
from partners.services.applications import CONTACT, STATED, missing_in
from partners.states import OPEN_STATES, ApplicationState, Resource, Service


@login_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Where applying begins: what it takes, and what was filed so far."""
    actor = actor_for(request)
    filed = Application.objects.visible_to(actor).filter(applicant=actor.user_id).order_by("-pk")
    return render(
        request,
        "partners/apply.html",
        {
            "filed": filed,
            "open": any(application.state in OPEN_STATES for application in filed),
            "refusal": None if (answer := policies.can_apply(actor)) is True else answer,
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The empty form. Nothing is kept before something is written."""
    actor = actor_for(request)
    if policies.can_apply(actor) is not True:
        return redirect("apply")
    under_way = Application.objects.filter(applicant=actor.user_id, state__in=OPEN_STATES).first()
    if under_way is not None:
        return redirect("application", under_way.pk)
    return _form(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, application: int) -> HttpResponse:
    """The form again, while the application is open to its applicant."""
    found = _own(request, application)
    if found.state not in (ApplicationState.DRAFT, ApplicationState.MORE_INFORMATION):
        return redirect("application", found.pk)
    return _form(request, found)


@login_required
@require_safe
def status(request: HttpRequest, application: int) -> HttpResponse:
    """Where the application stands, and what is to be done."""
    actor = actor_for(request)
    found = Application.objects.visible_to(actor).select_related("partner").filter(pk=application).first()
    if found is None:
        raise Http404
    today = timezone.now().astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).date()
    view = application_view(actor=actor, application=found, today=today)
    missing = missing_in(found) if view.may_write else {}
    context = {
        "view": view,
        "zone": settings.PLATFORM_TIME_ZONE,
        "of": found,
        "resources": [Resource(value).label for value in found.resources],
        "services": [Service(value).label for value in found.services],
        "missing": [ApplicationForm.base_fields[name].label for name in missing],
    }
    return render(request, "partners/application.html", context)


@login_required
@require_POST
def answer(request: HttpRequest, application: int) -> HttpResponse:
    """Answer the marketplace's question, with another file if there is one."""
    found = _own(request, application)
    actor, file = actor_for(request), request.FILES.get("file")
    try:
        if file is not None:
            services.add_application_file(actor=actor, application=found, file=file)
        services.answer_application(actor=actor, application=found, answer=request.POST.get("answer", ""))
        messages.success(request, _("Your answer has been sent; the application is in review again."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("application", found.pk)


@login_required
@require_POST
def withdraw(request: HttpRequest, application: int) -> HttpResponse:
    """Take the application back."""
    found = _own(request, application)
    try:
        services.withdraw_application(actor=actor_for(request), application=found)
        messages.success(request, _("The application has been withdrawn."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("application", found.pk)


@login_required
@require_safe
def file(request: HttpRequest, application: int, file: int) -> FileResponse:
    """One file, as an attachment, for whoever may see its application."""
    found = ApplicationFile.objects.visible_to(actor_for(request)).filter(pk=file, application=application).first()
    if found is None:
        raise Http404
    try:
        content = found.content.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return handed_out(content=content, name=found.name or f"{found.pk}", media_type=found.media_type)


def _own(request: HttpRequest, pk: int) -> Application:
    """The person's own application, or Http404."""
    actor = actor_for(request)
    found: Application | None = Application.objects.visible_to(actor).filter(pk=pk, applicant=actor.user_id).first()
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, application: Application | None) -> HttpResponse:
    if request.method != "POST":
        form = ApplicationForm(initial=_written(application) if application else {"contact_email": _address(request)})
        return _shown(request, form, application)
    form = ApplicationForm(request.POST, request.FILES)
    form.is_valid()  # what it refuses is shown with what the service refuses; the rest is kept
    try:
        seen = request.POST.get("version", "")
        application = services.save_draft(
            actor=actor_for(request),
            application=application,
            data=form.data_to_save(),
            version=int(seen) if application and seen.isdecimal() and len(seen) < 10 else None,
        )
        _files(request, form, application)
        if request.POST.get("do") == "submit" and not form.errors:
            services.submit_application(actor=actor_for(request), application=application)
            messages.success(request, _("The application has been sent. You can follow it on this page."))
            return redirect("application", application.pk)
    except services.Incomplete as refusal:
        for name, text in refusal.fields.items():
            form.add_error(name, text)
    except DomainError as refusal:
        form.add_error(None, refusal.message)
    if form.errors:
        return _shown(request, form, application)
    messages.success(request, _("The draft has been saved."))
    return redirect("application-edit", application.pk) if application else _shown(request, form, None)


def _files(request: HttpRequest, form: ApplicationForm, application: Application) -> None:
    """Add the chosen file, or take out the one whose button was pressed. A refusal stands beside the field."""
    actor = actor_for(request)
    gone = request.POST.get("remove", "")
    try:
        if gone.isdecimal() and len(gone) < 19:
            row = ApplicationFile.objects.visible_to(actor).filter(pk=int(gone), application=application).first()
            if row is not None:
                services.remove_application_file(actor=actor, file=row)
        chosen = request.FILES.get("file")
        if chosen is not None:
            services.add_application_file(actor=actor, application=application, file=chosen)
    except DomainError as refusal:
        form.add_error("file", refusal.message)


def _shown(request: HttpRequest, form: ApplicationForm, application: Application | None) -> HttpResponse:
    if application is not None:
        application.refresh_from_db()
    context: dict[str, Any] = {
        "form": form,
        "of": application,
        "files": application.files.order_by("pk") if application else (),
        "asked": application is not None and application.state == ApplicationState.MORE_INFORMATION,
    }
    return render(request, "partners/application_form.html", context, status=422 if form.errors else 200)


def _written(application: Application) -> dict[str, Any]:
    contact = ApplicationContact.objects.filter(application=application).first() or ApplicationContact()
    stated = {name: getattr(application, name) for name in STATED}
    return stated | {name: getattr(contact, name.removeprefix("contact_")) for name in CONTACT}


def _address(request: HttpRequest) -> str:
    return request.user.email if request.user.is_authenticated else ""
