"""The API's version 1, assembled: each app's api.py registers its own views."""

from __future__ import annotations

from rest_framework.routers import DefaultRouter

from incentives import api as incentives
from incentives import desk_api as desk
from incentives import drafts_api as drafts
from incentives import invoices_api as invoices
from incentives import links_api as links
from incentives import lists_api as lists
from incentives import money_api as money
from incentives import notices_api as notices
from incentives import overview_api as overviews
from incentives import submission_api as submissions
from incentives import uploads_api as uploads
from merchants import api as merchants
from merchants import feeds_api as feeds
from merchants import targets_api as targets
from partners import arriving_api as arriving
from partners import payees_api as payees
from partners import programs_api as programs

app_name = "api"

router = DefaultRouter(trailing_slash=False)
merchants.register(router)
targets.register(router)
feeds.register(router)
uploads.register(router)
incentives.register(router)
links.register(router)
lists.register(router)
notices.register(router)
overviews.register(router)
arriving.register(router)
payees.register(router)
invoices.register(router)
programs.register(router)
desk.register(router)
submissions.register(router)
drafts.register(router)
money.register(router)

urlpatterns = router.urls
