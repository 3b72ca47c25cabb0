"""A statement to take along: as a signed document, and as a table for a spreadsheet (docs/feeds.md, Statements).

Both speak in the contract's codes, whatever language the page is read in, and both say that they are provisional.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.values import plain
from incentives.exports import Cell, Table
from incentives.keys import signing_key
from incentives.queries import DiscountView, Statement
from incentives.signatures import sign

STATEMENT_COLUMNS = (
    "program",
    "partner_code",
    "payout",
    "state",
    "provisional",
    "held",
    "run",
    "policy_version",
    "row",
    "shop_code",
    "merchant_name",
    "brand",
    "line_state",
    "withheld_for",
    "factor",
    "amount",
    "currency",
)


def signed_statement(statement: Statement, *, at: datetime) -> bytes:
    """The statement as a signed document, issued at this moment: canonical JSON."""
    return sign(document(statement, at=at), signing_key())


def document(statement: Statement, *, at: datetime) -> dict[str, Any]:
    """What is signed: amounts and factors as text, moments in UTC, codes instead of words.

    The same for everybody who may see the statement: names of operators and reasons are not in it.
    """
    program, partner = statement.program, statement.partner
    return {
        "issued_at": _moment(at),
        "program": {
            "code": program.code,
            "starts_on": program.starts_on.isoformat(),
            "ends_on": program.ends_on.isoformat(),
            "time_zone": str(program.zone),
        },
        "partner": {"code": partner.code, "name": partner.name},
        "policy": {"version": statement.policy.number, "fingerprint": statement.policy.fingerprint},
        "run": {"id": statement.run_id, "as_of": _moment(statement.as_of), "digest": statement.digest},
        "payout": {
            "id": statement.payout_id,
            "state": statement.state,
            "provisional": statement.provisional,
            "held": statement.held,
            "submitted_at": _moment(statement.submitted_at),
            "approved_at": _moment(statement.approved_at),
            "paid_at": _moment(statement.paid_at),
            "payment_reference": statement.reference or None,
        },
        "amounts": {
            "currency": statement.currency,
            "base": f"{statement.base:.2f}",
            "factor": plain(statement.factor),
            "net": f"{statement.net:.2f}",
            "adjustments": f"{statement.adjustments:.2f}",
            "payable": f"{statement.payable:.2f}",
        },
        "discount": _discount(statement.discount),
        "lines": [
            {
                "shop_code": line.shop_code,
                "merchant_name": line.merchant_name,
                "brand": line.brand,
                "component": line.component,
                "amount": f"{line.amount:.2f}",
                "state": line.state,
                "withheld_for": line.withheld_for or None,
            }
            for line in statement.lines
        ],
    }


def _discount(discount: DiscountView) -> dict[str, Any]:
    return {
        "basis": "share" if discount.by_share else "count",
        "introduced": discount.introduced,
        "high_risk": discount.high_risk,
        # An announced program without published tiers: these are an example (POLICY 5).
        "tiers_are_an_example": discount.example,
        # The first step is that of no high-risk shop at all.
        "tiers": [
            {"from": plain(step.start), "pay": plain(step.pay)} for step in discount.steps if step.start is not None
        ],
        "factor_after_one_more_closure": plain(discount.factor_after),
        "net_after_one_more_closure": f"{discount.net_after:.2f}",
    }


def table(statement: Statement) -> Table:
    """The statement's rows: each line, then the sums. Base, discount and adjustments add up to payable."""
    return Table(STATEMENT_COLUMNS, _rows(statement))


def _rows(statement: Statement) -> Iterator[list[Cell]]:
    before: list[Cell] = [
        statement.program.code,
        statement.partner.code,
        statement.payout_id,
        statement.state,
        _yes(statement.provisional),
        _yes(statement.held),
        statement.run_id,
        statement.policy.number,
    ]
    after: list[Cell] = [statement.currency]
    for line in statement.lines:
        shop: list[Cell] = [line.shop_code, line.merchant_name, line.brand, line.state, line.withheld_for or None]
        yield [*before, "line", *shop, None, line.amount, *after]
    none: list[Cell] = [None] * 5
    yield [*before, "base", *none, None, statement.base, *after]
    yield [*before, "discount", *none, plain(statement.factor), statement.net - statement.base, *after]
    yield [*before, "adjustments", *none, None, statement.adjustments, *after]
    yield [*before, "payable", *none, None, statement.payable, *after]


def file_name(statement: Statement, suffix: str) -> str:
    """A name that tells statements apart, and provisional ones from others."""
    which = f"payout{statement.payout_id}" if statement.payout_id else f"run{statement.run_id}"
    label = "-provisional" if statement.provisional else ""
    return f"statement-{statement.program.code}-{statement.partner.code}-{which}{label}.{suffix}"


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _yes(value: bool) -> str:
    return "true" if value else "false"
