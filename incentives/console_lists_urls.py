"""The admin dashboard's pages about target lists."""

from django.urls import path

from incentives.views import console_duplicates, console_lists

urlpatterns = [
    path("operator/lists", console_lists.newest, name="console-lists-newest"),
    path("operator/duplicates", console_duplicates.listed, name="console-duplicates"),
    path("operator/duplicates.csv", console_duplicates.listed_csv, name="console-duplicates-csv"),
    path("operator/duplicates/look", console_duplicates.look, name="console-duplicates-look"),
    path("operator/duplicates/<int:pair>", console_duplicates.decide_on, name="console-duplicate-decide"),
    path("operator/<str:program>/lists", console_lists.listed, name="console-lists"),
    path("operator/<str:program>/lists.csv", console_lists.listed_csv, name="console-lists-csv"),
    path("operator/<str:program>/lists/review", console_lists.review_chosen, name="console-lists-review"),
    path("operator/<str:program>/entries/<str:code>", console_lists.entry, name="console-list-entry"),
    path(
        "operator/<str:program>/entries/<str:code>/<str:step>", console_lists.decide_on, name="console-list-entry-step"
    ),
]
