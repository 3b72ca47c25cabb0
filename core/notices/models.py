"""What somebody was told, and how each person wants to be told. Rows of people: they may be erased."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.notices.querysets import NoticeQuerySet


class Notice(models.Model):
    """One thing that one person is told of: a line in the inbox, and the outbox' row of its mail.

    It holds no text: the sentence is made from `kind` and `params` in the language of whoever reads it. `params` and
    the link are plain values and ids that the reader may see anyway. A person without an account has an `address` in
    the user's place; such a row goes once its mail has been sent.

    A mail is waiting while `mail_due_at` is set; it is the earliest moment to try. Sending it sets `mailed_at` in its
    place, and after the last try in vain both are empty.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="notices")
    address = models.EmailField(_("address"), blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    kind = models.CharField(_("kind"), max_length=60)
    params = models.JSONField(_("values"), default=dict)
    url_name = models.CharField(_("page"), max_length=80, blank=True)
    url_args = models.JSONField(_("the page's values"), default=list)
    url_query = models.JSONField(_("the page's query"), default=dict)
    once_key = models.CharField(_("told once as"), max_length=120, null=True)
    in_inbox = models.BooleanField(_("in the inbox"), default=True)
    created_at = models.DateTimeField(_("told"))
    read_at = models.DateTimeField(_("read"), null=True)
    mail_due_at = models.DateTimeField(_("mail due"), null=True)
    mail_tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    mailed_at = models.DateTimeField(_("mailed"), null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, address="") | (Q(user=None, in_inbox=False) & ~Q(address="")),
                name="notice_user_or_address",
            ),
            models.CheckConstraint(condition=Q(mailed_at=None) | Q(mail_due_at=None), name="notice_mail_sent_or_due"),
            models.UniqueConstraint(fields=["user", "once_key"], name="notice_told_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="notice_inbox", condition=Q(in_inbox=True)),
            models.Index(fields=["user"], name="notice_unread", condition=Q(in_inbox=True, read_at=None)),
            models.Index(fields=["mail_due_at", "id"], name="notice_mail_due", condition=Q(mail_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class NoticePreference(models.Model):
    """How one person wants to be told of one kind, where that differs from the kind's own way."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_preferences")
    kind = models.CharField(_("kind"), max_length=60)
    inbox = models.BooleanField(_("inbox"))
    mail = models.BooleanField(_("mail"))

    class Meta:
        verbose_name = _("notice preference")
        verbose_name_plural = _("notice preferences")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind"], name="notice_preference_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
