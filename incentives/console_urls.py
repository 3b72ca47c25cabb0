"""The admin dashboard's pages of this floor."""

from django.urls import path

from incentives.views import console_people, console_runs, console_trail

urlpatterns = [
    path("operator/runs", console_runs.runs, name="console-runs"),
    path("operator/runs.csv", console_runs.runs_csv, name="console-runs-csv"),
    path("operator/runs/start", console_runs.start, name="console-run-start"),
    path("operator/runs/<int:run_id>", console_runs.run, name="console-run"),
    path("operator/runs/<int:run_id>/cancel", console_runs.cancel, name="console-run-cancel"),
    path("operator/runs/<int:run_id>/changes", console_runs.compared, name="console-run-compare"),
    path("operator/runs/<int:run_id>/changes.csv", console_runs.compared_csv, name="console-run-compare-csv"),
    path("operator/<str:program>/unknown", console_runs.unknown, name="console-unknown"),
    path("operator/<str:program>/unknown.csv", console_runs.unknown_csv, name="console-unknown-csv"),
    path("operator/audit", console_trail.audit, name="console-audit"),
    path("operator/audit.csv", console_trail.audit_csv, name="console-audit-csv"),
    path("operator/people", console_people.accounts, name="console-people"),
    path("operator/people.csv", console_people.accounts_csv, name="console-people-csv"),
    path("operator/people/<int:user_id>", console_people.account, name="console-person"),
    path("operator/people/<int:user_id>/<str:step>", console_people.change, name="console-person-step"),
]
