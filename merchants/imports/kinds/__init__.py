"""The ten feeds, by name."""

from merchants.imports.kinds.base import Kind
from merchants.imports.kinds.claims import CLAIMS
from merchants.imports.kinds.fx import FX
from merchants.imports.kinds.invites import INVITES
from merchants.imports.kinds.partners import PARTNERS
from merchants.imports.kinds.settlements import SETTLEMENTS
from merchants.imports.kinds.shop_statuses import SHOP_STATUSES
from merchants.imports.kinds.shops import SHOPS
from merchants.imports.kinds.stock import STOCK
from merchants.imports.kinds.targets import TARGETS
from merchants.imports.kinds.violations import VIOLATIONS
from merchants.states import FeedKind

KINDS: dict[FeedKind, Kind] = {
    kind.kind: kind
    for kind in (
        PARTNERS,
        TARGETS,
        INVITES,
        CLAIMS,
        SHOPS,
        SHOP_STATUSES,
        SETTLEMENTS,
        STOCK,
        VIOLATIONS,
        FX,
    )
}
