"""What happened: lists, shops, facts about shops, and the imports that brought them."""

from merchants.models.duplicates import EntryName, EntryPair
from merchants.models.facts import Rate, Settlement, ShopStatus, StockObservation, Violation
from merchants.models.imports import Import, RejectedRow
from merchants.models.lists import (
    Brand,
    Claim,
    ClaimFact,
    ClaimRelease,
    LinkTarget,
    Merchant,
    TargetEntry,
    TargetFact,
)
from merchants.models.shops import (
    Attribution,
    Registration,
    RegistrationConsent,
    RegistrationContact,
    Shop,
    ShopFact,
)
from merchants.models.uploads import FeedUpload

__all__ = [
    "Attribution",
    "Brand",
    "Claim",
    "ClaimFact",
    "ClaimRelease",
    "EntryName",
    "EntryPair",
    "FeedUpload",
    "Import",
    "LinkTarget",
    "Merchant",
    "Rate",
    "Registration",
    "RegistrationConsent",
    "RegistrationContact",
    "RejectedRow",
    "Settlement",
    "Shop",
    "ShopFact",
    "ShopStatus",
    "StockObservation",
    "TargetEntry",
    "TargetFact",
    "Violation",
]
