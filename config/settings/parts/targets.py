"""The target list: how often a partner may ask whether a merchant is on it."""

from __future__ import annotations

from config.env import env

# In an hour. Whoever works on the telephone checks one merchant in a minute or two; the list has thousands.
CHECKS_PER_MEMBER = env.integer("CHECKS_PER_MEMBER", 60, minimum=1)
CHECKS_PER_PARTNER = env.integer("CHECKS_PER_PARTNER", 600, minimum=1)
