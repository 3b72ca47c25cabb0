"""Arriving: applications for certification."""

from django.urls import path

from partners.views import applications

urlpatterns = [
    path("apply/", applications.start, name="apply"),
    path("apply/new", applications.new, name="application-new"),
    path("applications/<int:application>", applications.status, name="application"),
    path("applications/<int:application>/edit", applications.edit, name="application-edit"),
    path("applications/<int:application>/answer", applications.answer, name="application-answer"),
    path("applications/<int:application>/withdraw", applications.withdraw, name="application-withdraw"),
    path("applications/<int:application>/files/<int:file>", applications.file, name="application-file"),
]
