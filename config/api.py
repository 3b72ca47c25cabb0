"""The API's version 1, assembled: each app's api.py registers its own views."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from rest_framework.routers import DefaultRouter

app_name = "api"

router = DefaultRouter(trailing_slash=False)
# Only those that exist, for the time being: to become plain imports once all have landed.
for _app in ("core", "partners", "merchants", "incentives", "governance"):
    if find_spec(_app) is not None and find_spec(f"{_app}.api") is not None:
        _module = import_module(f"{_app}.api")
        if hasattr(_module, "register"):
            _module.register(router)

urlpatterns = router.urls
