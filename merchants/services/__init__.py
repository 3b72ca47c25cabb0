"""What happens to merchants' records: feeds are loaded, shops are given to partners. The writes of this floor."""

from merchants.services.attributions import apply_attribution_again, assign_shop
from merchants.services.claims import claim_entry, release_claim
from merchants.services.duplicates import find_duplicates, keep_both, reject_duplicate, uncompared
from merchants.services.entries import assign_entry, delist_entry, review_entries
from merchants.services.feeds import fail_lost_imports, load_feed
from merchants.services.links import create_link
from merchants.services.registrations import LinkIsDead, register_merchant
from merchants.services.upload_columns import map_upload
from merchants.services.uploads import carry_out_upload, drop_upload, keep_upload, queue_upload, sweep_uploads

__all__ = [
    "LinkIsDead",
    "apply_attribution_again",
    "assign_entry",
    "assign_shop",
    "carry_out_upload",
    "claim_entry",
    "create_link",
    "delist_entry",
    "drop_upload",
    "fail_lost_imports",
    "find_duplicates",
    "keep_both",
    "keep_upload",
    "load_feed",
    "map_upload",
    "queue_upload",
    "register_merchant",
    "reject_duplicate",
    "release_claim",
    "review_entries",
    "sweep_uploads",
    "uncompared",
]
