"""The forms of a partner's links: they read what was typed; the services decide."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.models import PolicyVersion, Program
from core.values import end_of, local_date
from core.words import long_day
from merchants.models import TargetEntry
from merchants.services.links import LONGEST_LABEL, MOST_USES
from partners.models import Partner


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.PLATFORM_TIME_ZONE)


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choose the last day on which the link works."), "invalid": _("Enter a date.")},
    )


class NewLinkForm(forms.Form):
    """A new link: for whom, until when, for how many. What is not filled in takes a default that works."""

    use_required_attribute = False

    label = forms.CharField(label=_("Label, for you alone: a fair, a campaign, a merchant"), required=False)
    program = forms.ChoiceField(label=_("Program"), help_text=_("The merchant reads it on its page"), required=False)
    target = forms.CharField(
        label=_("For one entry of the list"),
        help_text=_("Its code. Leave empty for a link that is good for any merchant."),
        required=False,
    )
    last_day = _day_field(_("Works until the end of"))
    max_uses = forms.IntegerField(
        label=_("For at most how many merchants"),
        help_text=_("Leave empty for as many as come"),
        required=False,
        min_value=1,
        max_value=MOST_USES,
    )

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        partner: Partner,
        policies: Sequence[PolicyVersion],
        at: datetime,
        **kwargs: Any,
    ) -> None:
        today = local_date(at, _zone())
        programs = [policy.program for policy in policies]
        default = next((one for one in reversed(programs) if one.ends_on >= today), programs[0] if programs else None)
        kwargs["initial"] = {
            "program": default.code if default else "",
            "last_day": _usual_end(default, today),
            **kwargs.get("initial", {}),
        }
        super().__init__(*args, **kwargs)
        self.actor, self.partner = actor, partner
        titles = [(policy.program.code, policy.title) for policy in policies]
        self.fields["program"].choices = [*titles, ("", _("None"))]  # type: ignore[attr-defined]
        self.fields["label"].widget.attrs["maxlength"] = LONGEST_LABEL

    @property
    def in_words(self) -> str:
        """What a link is like when nothing but the button is touched."""
        program = dict(self.fields["program"].choices).get(self.initial["program"])  # type: ignore[attr-defined]
        until = long_day(self.initial["last_day"])
        if self.initial["program"]:
            return gettext("For any merchant, into %(program)s, until the end of %(day)s.") % {
                "program": program,
                "day": until,
            }
        return gettext("For any merchant, until the end of %(day)s.") % {"day": until}

    def clean(self) -> dict[str, Any]:
        """Find the entry that the code names; one that isn't this partner's to recruit is not there."""
        found = super().clean() or self.cleaned_data
        code, program = (found.get("target") or "").strip(), found.get("program")
        found["entry"] = None
        if code:
            entry = (
                TargetEntry.objects.visible_to(self.actor)
                .filter(code=code, program__code=program)
                .select_related("program")
                .first()
            )
            if entry is None or entry.assigned_to_id not in (None, self.partner.pk):
                self.add_error("target", _("There is no such entry on this program's list, or it is not for you."))
            found["entry"] = entry
        return found

    def given(self) -> dict[str, Any]:
        """What `create_link` takes."""
        typed = self.cleaned_data
        return {
            "label": typed["label"],
            "max_uses": typed["max_uses"],
            "expires_at": end_of(typed["last_day"], _zone()),
            "program": Program.objects.filter(code=typed["program"]).first() if typed["program"] else None,
            "entry": typed["entry"],
        }


class ExtendForm(forms.Form):
    """A later end."""

    use_required_attribute = False
    last_day = _day_field(_("New last day"))

    @property
    def expires_at(self) -> datetime:
        """The end of that day on the platform's clock."""
        return end_of(self.cleaned_data["last_day"], _zone())


def last_day_of(expires_at: datetime) -> date:
    """The last day on which a link works at all."""
    return local_date(expires_at - timedelta(microseconds=1), _zone())


def _usual_end(program: Program | None, today: date) -> date:
    """The program's last day; where it is over, or there is none, thirty days on."""
    return program.ends_on if program is not None and program.ends_on > today else today + timedelta(days=30)
