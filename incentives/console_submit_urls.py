"""The admin dashboard's page that submits a run's payouts."""

from django.urls import path

from incentives.views import console_submit

urlpatterns = [
    path("operator/runs/<int:run_id>/submit", console_submit.submit, name="console-run-submit"),
]
