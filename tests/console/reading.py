"""Reading pages as people do."""

import html

from tests.web import test_pages


def text(response: object) -> str:
    """What a page says, without its tags and with its quotes."""
    return html.unescape(test_pages.text(response))
