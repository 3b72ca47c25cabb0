"""Every boundary of the policy, hit on purpose: small worlds with what must be found in them.

What is expected was worked out by hand from the policy's text, so that these cases judge the oracle and the engine
alike.
"""

from __future__ import annotations

from tests.oracle import (
    boundaries_entity,
    boundaries_money,
    boundaries_partner,
    boundaries_payout,
    boundaries_time,
)
from tests.oracle.small import Boundary

BOUNDARIES: tuple[Boundary, ...] = tuple(
    case
    for part in (
        boundaries_money,
        boundaries_time,
        boundaries_entity,
        boundaries_partner,
        boundaries_payout,
    )
    for case in part.cases()
)


def differences(boundary: Boundary, results: list[dict[str, str]], payouts: list[dict[str, str]]) -> list[str]:
    """Where a reading's rows are not what the boundary expects: empty when it is right."""
    found = []
    for key, expected, rows in (
        ("shop_code", boundary.expected, results),
        ("partner_code", boundary.payouts, payouts),
    ):
        by_code = {row[key]: row for row in rows}
        for code, columns in expected.items():
            row = by_code.get(code)
            if columns is None and row is not None:
                found.append(f"{code} has a row")
            elif columns is not None and row is None:
                found.append(f"{code} has no row")
            elif columns is not None and row is not None:
                found += [
                    f"{code} {column}: {row[column]!r}, expected {value!r}"
                    for column, value in columns.items()
                    if row[column] != value
                ]
    return found
