"""A partner's invite links."""

from django.urls import path

from incentives.views import links

urlpatterns = [
    path("partner/links", links.links, name="portal-links"),
    path("partner/links/<str:code>", links.link, name="portal-link"),
    path("partner/links/<str:code>/revoke", links.revoke, name="portal-link-revoke"),
    path("partner/links/<str:code>/extend", links.extend, name="portal-link-extend"),
    path("partner/links/<str:code>/qr.svg", links.qr_svg, name="portal-link-svg"),
    path("partner/links/<str:code>/qr.png", links.qr_png, name="portal-link-png"),
]
