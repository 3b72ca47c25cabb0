"""What pages and API read about merchants: frozen dataclasses."""

from merchants.queries.registrations import Invite, Receipt, invite, markets_of, receipt

__all__ = ["Invite", "Receipt", "invite", "markets_of", "receipt"]
