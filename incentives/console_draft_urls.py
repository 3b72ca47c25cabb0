"""The admin dashboard's pages where the next version of a policy is written, tried and published."""

from django.urls import path

from incentives.views import console_drafts, console_programs_new, console_trials

urlpatterns = [
    path("operator/new-program", console_programs_new.create, name="console-program-new"),
    path("operator/programs/<str:program>/draft", console_drafts.draft, name="console-draft"),
    path("operator/programs/<str:program>/draft/try", console_trials.try_draft, name="console-draft-try"),
    path("operator/programs/<str:program>/draft/publish", console_drafts.publish, name="console-draft-publish"),
    path("operator/programs/<str:program>/draft/drop", console_drafts.drop, name="console-draft-drop"),
    path("operator/trials/<int:run_id>", console_trials.trial, name="console-trial"),
    path("operator/trials/<int:run_id>/changes.csv", console_trials.trial_csv, name="console-trial-csv"),
]
