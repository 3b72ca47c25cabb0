"""What happens to merchants' records: feeds are loaded, shops are given to partners. The writes of this floor."""

from merchants.services.attributions import apply_attribution_again, assign_shop
from merchants.services.claims import claim_entry, release_claim
from merchants.services.feeds import fail_lost_imports, load_feed
from merchants.services.links import create_link
from merchants.services.registrations import LinkIsDead, register_merchant

__all__ = [
    "LinkIsDead",
    "apply_attribution_again",
    "assign_shop",
    "claim_entry",
    "create_link",
    "fail_lost_imports",
    "load_feed",
    "register_merchant",
    "release_claim",
]
