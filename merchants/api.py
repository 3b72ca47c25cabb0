"""`/shops` of the API, scoped to the caller."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.routers import BaseRouter

from merchants.filters import ShopFilter
from merchants.models import Shop
from merchants.states import Cause
from partners.people import actor_of


class ShopSerializer(serializers.ModelSerializer[Shop]):
    """A shop, and who brought it in. Instants are UTC."""

    shop_code = serializers.CharField(source="code")
    country = serializers.CharField(source="merchant.country")
    registration_no = serializers.CharField(source="merchant.registration_no")
    brand = serializers.CharField(source="brand_name", allow_null=True)
    partner_code = serializers.CharField(allow_null=True)
    attributed_by = serializers.ChoiceField(choices=Cause.choices, allow_null=True)

    class Meta:
        model = Shop
        fields = (
            "shop_code",
            "partner_code",
            "attributed_by",
            "merchant_name",
            "country",
            "registration_no",
            "brand",
            "market",
            "registered_at",
            "certified_at",
        )


@extend_schema_view(
    list=extend_schema(
        operation_id="list_shops",
        summary="Shops, with their present attribution",
        description="Sorted by shop code. `program` asks for shops whose merchant or brand is on its list.",
    )
)
class ShopViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Shop]):
    """Shops that the caller may see."""

    queryset = Shop.objects.none()
    serializer_class = ShopSerializer
    filterset_class = ShopFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All for operators; for partners those that are attributed to them now."""
        return (
            Shop.objects.visible_to(actor_of(self.request.user))
            .with_attribution()
            .select_related("merchant")
            .order_by("code")
        )


def register(router: BaseRouter) -> None:
    """Add this app's views to the API."""
    router.register("shops", ShopViewSet, basename="shop")
