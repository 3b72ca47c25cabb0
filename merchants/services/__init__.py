"""What happens to merchants' records: feeds are loaded, shops are given to partners. The writes of this floor."""

from merchants.services.attributions import apply_attribution_again, assign_shop
from merchants.services.feeds import fail_lost_imports, load_feed

__all__ = [
    "apply_attribution_again",
    "assign_shop",
    "fail_lost_imports",
    "load_feed",
]
