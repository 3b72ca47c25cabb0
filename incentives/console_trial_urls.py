"""The admin dashboard's pages where a policy draft is tried."""

from django.urls import path

from incentives.views import console_trials

urlpatterns = [
    path("operator/programs/<str:program>/try", console_trials.draft, name="console-policy-try"),
    path("operator/trials/<int:run_id>", console_trials.trial, name="console-trial"),
]
