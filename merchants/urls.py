"""The merchant's pages: no account is needed for them."""

from django.urls import path

from merchants.views import invites

urlpatterns = [
    path("i/<str:code>", invites.invite_page, name="invite"),
    path("r/<str:number>", invites.receipt_page, name="receipt"),
]
