"""The choices that a partner's rows take."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Category(TextChoices):
    """服务商类型: what kind of service provider a partner is (CONTRACT.md)."""

    PAYMENT = "payment", _("Payment")
    COMPLIANCE = "compliance", _("Compliance")
    LOGISTICS = "logistics", _("Logistics")
    ADVERTISING = "advertising", _("Advertising agency")
    STORE_OPERATION = "store_operation", _("Store operation")
    ERP = "erp", _("ERP")
    TRAINING = "training", _("Training")
    MEDIA = "media", _("Trade media")
    KOL = "kol", _("KOL agency (MCN)")
    OVERSEAS_WAREHOUSE = "overseas_warehouse", _("Overseas warehouse")
    OTHER = "other", _("Other")


class MemberRole(TextChoices):
    """What a colleague may do in its own organisation."""

    OWNER = "owner", _("Owner")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")
