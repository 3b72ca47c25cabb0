"""The admin dashboard's pages about programs and their policies."""

from django.urls import path

from partners.views import console_programs

urlpatterns = [
    path("operator/programs", console_programs.programs, name="console-programs"),
    path("operator/programs/<str:program>", console_programs.program, name="console-program"),
    path("operator/programs/<str:program>/policy.json", console_programs.policy_json, name="console-policy-json"),
]
