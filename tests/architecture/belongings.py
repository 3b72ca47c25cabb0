"""What belongs to a partner and its people in the database, and what would give it away on a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.apps import apps
from django.db import models

from core.models import User
from merchants.models import Registration, Shop
from partners.models import Application, InviteLink, Partner, RateCount
from tests.incentives.factories import World

FLOORS = ("core", "partners", "merchants", "incentives", "governance")
# Whoever opens a public page is counted there, a rival as anybody: these rows decide nothing.
COUNTED = ("LinkVisits",)
Row = tuple[object, ...]


def belongings(world: World) -> dict[str, set[Row]]:
    """Every row that hangs on alice's partner, its people, its links, its applications or its shops, by table."""
    partner, people = world.haiqiao, [world.alice, world.bob]
    roots: dict[type[models.Model], models.QuerySet[models.Model]] = {
        Partner: Partner.objects.filter(pk=partner.pk),
        User: User.objects.filter(pk__in=[user.pk for user in people]),
        InviteLink: InviteLink.objects.filter(partner=partner),
        Application: Application.objects.filter(applicant__in=people),
        Registration: Registration.objects.filter(link__partner=partner),
        Shop: Shop.objects.filter(attributions__partner=partner),
    }
    found: dict[str, set[Row]] = {}
    for model in (model for floor in FLOORS for model in apps.get_app_config(floor).get_models()):
        own = models.Q(pk__in=roots[model].values("pk")) if model in roots else models.Q()
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model in roots:
                own |= models.Q(**{f"{field.name}__in": roots[field.related_model].values("pk")})
        if own and model.__name__ not in COUNTED:
            found[model._meta.label] = {tuple(map(str, row)) for row in model._base_manager.filter(own).values_list()}
    return found


def may_ask_again() -> None:
    """Let the one address of the tests ask as often as it likes."""
    RateCount.objects.all().delete()


def mentions(text: str, words: Iterable[str]) -> list[str]:
    """Those of `words` that stand in a text by themselves, not as part of a longer one."""
    return [word for word in words if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text)]
