"""What pages and the API read: frozen answers, no rows. Partners' answers hold only what they may see."""

from incentives.queries.discounts import DiscountView, discount_view
from incentives.queries.overview import Overview, ProgramGlance, partner_overview
from incentives.queries.programs import (
    ProgramOverview,
    Progress,
    Published,
    StateMoney,
    latest_run,
    latest_runs,
    program_overviews,
    program_titles,
    published,
    run_progress,
)
from incentives.queries.rows import payout_rows, result_rows, with_state
from incentives.queries.shops import ShopView, pending_shops, shop_view, shop_views
from incentives.queries.statements import LineView, Sibling, Statement, StepView, statement_of

__all__ = [
    "DiscountView",
    "LineView",
    "Overview",
    "ProgramGlance",
    "ProgramOverview",
    "Progress",
    "Published",
    "ShopView",
    "Sibling",
    "StateMoney",
    "Statement",
    "StepView",
    "discount_view",
    "latest_run",
    "latest_runs",
    "partner_overview",
    "payout_rows",
    "pending_shops",
    "program_overviews",
    "program_titles",
    "published",
    "result_rows",
    "run_progress",
    "shop_view",
    "shop_views",
    "statement_of",
    "with_state",
]
