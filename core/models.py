"""Users and roles, programs and policies, fact batches, the audit trail: what every floor stands on."""

from functools import cached_property
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.actors import OPERATOR_ROLES, Role
from core.managers import UserManager
from core.policy import Policy
from core.triggers import append_only, frozen, no_delete, once_set
from core.values import Period

CODE_LENGTH = 64


class CodeField(models.CharField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A code of CONTRACT.md: case-sensitive, up to 64 characters of ``A-Z a-z 0-9 . _ -``, sorted by bytes."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_length", CODE_LENGTH)
        kwargs.setdefault("db_collation", "C")
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # field options pass through unchanged


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. Its name and address are erasable; everything else names it by id."""

    LANGUAGES: ClassVar = [("zh-hans", "简体中文"), ("en", "English")]

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=LANGUAGES, default="zh-hans")
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the back office"), default=False)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_without_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """The name to show; the address where none is given."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """The same: people here go by one name."""
        return self.get_full_name()


class RoleGrant(models.Model):
    """One operator role of one user. Partner roles are memberships, one floor up."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_grants")
    role = models.CharField(_("role"), max_length=20, choices=[(r.value, r.value) for r in Role if r in OPERATOR_ROLES])
    granted_at = models.DateTimeField(_("granted"), auto_now_add=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "role"], name="role_once")]

    def __str__(self) -> str:
        return self.role


class Program(models.Model):
    """One quarter's campaign (激励计划): its period here, everything else in its policy versions."""

    code = CodeField(_("code"), unique=True)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="program_period_not_empty")
        ]
        triggers: ClassVar = no_delete()

    def __str__(self) -> str:
        return str(self.code)

    @property
    def period(self) -> Period:
        """The campaign's dates, both included."""
        return Period(self.starts_on, self.ends_on)

    @cached_property
    def current_policy(self) -> "PolicyVersion":
        """The latest published version: the one that a run is judged by unless another is asked for."""
        return self.policies.order_by("-number")[0]

    @property
    def title(self) -> str:
        """The program's name in the reader's language."""
        return self.current_policy.title

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that the program's dates are meant in."""
        return self.current_policy.rules.zone


class PolicyVersion(models.Model):
    """An immutable rule document (政策版本). Publishing makes the next number; nothing ever changes one."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField(_("version"))
    document = models.JSONField(_("document"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    published_at = models.DateTimeField(_("published"))
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "number"], name="policy_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="policy_number_from_one"),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.program} v{self.number}"

    @cached_property
    def rules(self) -> Policy:
        """The document, parsed."""
        return Policy.parse(self.document)

    @property
    def title(self) -> str:
        """The program's name as this version states it, in the reader's language."""
        names = self.rules.name
        language = get_language() or "en"
        return names.get(language) or names.get(language.split("-")[0]) or names.get("en") or self.program.code


class FactBatch(models.Model):
    """One recording of facts: an import, or one act of an operator, a partner or a merchant.

    Every fact belongs to a batch, and a run as of a moment counts the batches recorded up to it.
    `recorded_at` and `sequence` are set once, by `core.recording.seal`, as the transaction's last act but
    one: a fact is never recorded at a moment when a run could already have looked and missed it.
    `sequence` follows the order of commits; `recorded_at` may lie earlier where history was loaded.
    """

    source = models.CharField(_("source"), max_length=20)
    recorded_at = models.DateTimeField(_("recorded"), null=True)
    sequence = models.BigIntegerField(_("sequence"), null=True, unique=True)
    backdated = models.BooleanField(_("history"), default=False)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("fact batch")
        verbose_name_plural = _("fact batches")
        indexes: ClassVar = [models.Index(fields=["recorded_at"], name="batch_recorded")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(recorded_at=None, sequence=None) | Q(recorded_at__isnull=False, sequence__isnull=False),
                name="batch_sealed_whole",
            )
        ]
        triggers: ClassVar = [
            once_set("recorded_at", "sequence"),
            frozen("id", "source", "actor_id"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.pk}"


class Note(models.Model):
    """Free text that a fact, a decision or an audit row points to. It can be erased without touching them."""

    text = models.TextField(_("text"), null=True)
    erased_at = models.DateTimeField(_("erased"), null=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(text__isnull=False, erased_at=None) | Q(text=None, erased_at__isnull=False),
                name="note_text_or_erased",
            )
        ]

    def __str__(self) -> str:
        return self.text or "–"


class AuditEvent(models.Model):
    """One row of the audit trail, chained: each hash covers the row's content and the hash before it.

    Written by `core.audit.record` alone. People are named by id, free text by its note's id.
    """

    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(_("acting as"), max_length=60, blank=True)
    action = models.CharField(_("action"), max_length=60)
    subject_type = models.CharField(_("kind"), max_length=60)
    subject_id = models.CharField(_("subject"), max_length=80)
    details = models.JSONField(_("details"))
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    prev = models.CharField(_("hash before"), max_length=64, unique=True)
    hash = models.CharField(_("hash"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["action", "at"], name="audit_action"),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"


class SignInTries(models.Model):
    """How often an address was tried to sign in with in a row (see `core.lockout`); `key` is a keyed hash of it."""

    key = models.CharField(_("key"), max_length=64, unique=True, db_collation="C")
    tries = models.PositiveIntegerField(_("tries"))
    last_at = models.DateTimeField(_("last"), db_index=True)
    locked_until = models.DateTimeField(_("locked until"), null=True)

    class Meta:
        verbose_name = _("tries to sign in")
        verbose_name_plural = _("tries to sign in")

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.tries}"


# At the end, as they refer to the user and the program above.
from core.drafts import DraftState, PolicyDraft, PolicyDraftEdit  # noqa: E402
from core.notices.models import Notice, NoticePreference  # noqa: E402

__all__ = [
    "AuditEvent",
    "CodeField",
    "DraftState",
    "FactBatch",
    "Note",
    "Notice",
    "NoticePreference",
    "PolicyDraft",
    "PolicyDraftEdit",
    "PolicyVersion",
    "Program",
    "RoleGrant",
    "SignInTries",
    "User",
]
