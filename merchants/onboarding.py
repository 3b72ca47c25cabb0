"""Sends a merchant to the marketplace's own onboarding form, with a reference that nobody else can make.

The address gets three parameters: `invite_code`, `issued_at` (Unix seconds) and `signature`, which is the
HMAC-SHA256, as hexadecimal digits, of `invite_code` + "." + `issued_at` by the key that both houses know
(`ONBOARDING_KEY`). The shops feed then names the link in its column `invite_code`.
"""

import hashlib
import hmac
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def sign(*, code: str, issued_at: int, key: str) -> str:
    """The signature of a reference."""
    return hmac.new(key.encode(), f"{code}.{issued_at}".encode(), hashlib.sha256).hexdigest()


def onboarding_address(*, url: str, key: str, code: str, at: datetime) -> str:
    """The marketplace's form for whoever comes through this link; what `url` has in its query stays."""
    issued_at = int(at.timestamp())
    reference = {
        "invite_code": code,
        "issued_at": str(issued_at),
        "signature": sign(code=code, issued_at=issued_at, key=key),
    }
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *reference.items()])))
