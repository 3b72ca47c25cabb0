"""An organisation's application for certification: what it states, its files, and what was decided when."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, User
from core.triggers import append_only, frozen, legal_transitions, no_delete
from partners.models.organisations import Partner
from partners.querysets import ApplicationFileQuerySet, ApplicationQuerySet
from partners.states import (
    APPLICATION_TRANSITIONS,
    OPEN_STATES,
    ApplicationState,
    ApplicationStep,
    Category,
    Resource,
    Service,
)


def private_files() -> Storage:
    """Where uploads lie: outside of everything that a web server hands out by itself."""
    return storages["private"]


class Application(models.Model):
    """One application. What a draft leaves empty must be there from the submission on.

    `follows` is the rejected one that it repeats. `partner` is what it became.
    """

    applicant = models.ForeignKey(User, models.PROTECT, related_name="applications", verbose_name=_("applicant"))
    state = models.CharField(_("state"), max_length=16, choices=ApplicationState, default=ApplicationState.DRAFT)
    version = models.IntegerField(_("version"), default=1)
    name = models.CharField(_("organisation"), max_length=255, blank=True)
    category = models.CharField(_("category"), max_length=20, choices=Category, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    registration_no = models.CharField(_("registration number"), max_length=64, blank=True)
    markets = ArrayField(models.CharField(max_length=2), verbose_name=_("countries"), default=list, blank=True)
    resources = ArrayField(
        models.CharField(max_length=20, choices=Resource), verbose_name=_("merchants"), default=list, blank=True
    )
    services = ArrayField(
        models.CharField(max_length=20, choices=Service), verbose_name=_("services"), default=list, blank=True
    )
    created_at = models.DateTimeField(_("created"))
    changed_at = models.DateTimeField(_("changed"))
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    reviewer = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewer")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    follows = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="applications")

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["applicant"], condition=Q(state__in=OPEN_STATES), name="application_one_open"
            ),
            models.CheckConstraint(
                condition=Q(category__in=["", *Category.values])
                & Q(services__contained_by=Service.values)
                & Q(resources__contained_by=Resource.values),
                name="application_choices_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[ApplicationState.DRAFT, ApplicationState.WITHDRAWN])
                | ~Q(name="")
                & ~Q(category="")
                & ~Q(country="")
                & ~Q(registration_no="")
                & Q(markets__len__gt=0, services__len__gt=0, resources__len__gt=0, submitted_at__isnull=False),
                name="application_complete_when_submitted",
            ),
            models.CheckConstraint(
                condition=~Q(state=ApplicationState.CERTIFIED) | Q(partner__isnull=False, decided_at__isnull=False),
                name="application_certified_with_partner",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "submitted_at"], name="application_queue")]
        triggers: ClassVar = [
            *legal_transitions(APPLICATION_TRANSITIONS),
            frozen("id", "applicant_id", "created_at", "follows_id"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.pk}"


class ApplicationContact(models.Model):
    """Whom to reach, and what was said in free words. Erasable: nothing refers to it."""

    application = models.OneToOneField(Application, models.CASCADE, related_name="contact")
    name = models.CharField(_("contact person"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    wechat = models.CharField(_("WeChat ID"), max_length=60, blank=True)
    about = models.TextField(_("about the organisation"), max_length=4000, blank=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name


class ApplicationFile(models.Model):
    """A document handed in with an application. Its own name may name people, and can be erased."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="files")
    name = models.CharField(_("file"), max_length=200, blank=True)
    media_type = models.CharField(_("type"), max_length=60)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(_("fingerprint"), max_length=64)
    content = models.FileField(_("content"), storage=private_files, max_length=200)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"))

    objects = ApplicationFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("application file")
        verbose_name_plural = _("application files")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "sha256"], name="application_file_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="application_file_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class ApplicationEvent(models.Model):
    """One step of an application's life: who took it, when, and in whose words why."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="events")
    step = models.CharField(_("step"), max_length=12, choices=ApplicationStep)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    note = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+", verbose_name=_("in words"))
    effective_from = models.DateField(_("certified from"), null=True)

    class Meta:
        verbose_name = _("application's step")
        verbose_name_plural = _("application's steps")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(step=ApplicationStep.CERTIFIED, effective_from__isnull=False)
                | ~Q(step=ApplicationStep.CERTIFIED) & Q(effective_from=None),
                name="application_event_from_when",
            ),
            models.CheckConstraint(
                condition=~Q(
                    step__in=[ApplicationStep.ASKED, ApplicationStep.ANSWERED, ApplicationStep.REJECTED], note=None
                ),
                name="application_event_says_why",
            ),
        ]
        indexes: ClassVar = [models.Index(F("application"), F("id").desc(), name="application_event_last")]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.application_id} {self.step}"
