"""The admin dashboard's pages about feeds."""

from django.urls import path

from merchants.views import console_feeds, console_uploads

urlpatterns = [
    path("operator/feeds", console_feeds.feeds, name="console-feeds"),
    path("operator/feeds.csv", console_feeds.feeds_csv, name="console-feeds-csv"),
    path("operator/feeds/upload", console_uploads.upload, name="console-feed-upload"),
    path("operator/feeds/uploads/<int:upload_id>", console_uploads.look, name="console-upload"),
    path("operator/feeds/uploads/<int:upload_id>/columns", console_uploads.columns, name="console-upload-columns"),
    path("operator/feeds/uploads/<int:upload_id>/load", console_uploads.load, name="console-upload-load"),
    path("operator/feeds/uploads/<int:upload_id>/drop", console_uploads.drop, name="console-upload-drop"),
    path("operator/feeds/<int:import_id>", console_feeds.feed, name="console-feed"),
    path("operator/feeds/<int:import_id>/rejected.csv", console_feeds.rejected_csv, name="console-feed-rejected"),
]
