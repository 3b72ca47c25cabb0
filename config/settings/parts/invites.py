"""Invite links: where merchants register, and how often is enough."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.env import env

# The marketplace's own form, where it has one: merchants are sent there instead of being shown ours.
ONBOARDING_URL = next(iter(env.urls("ONBOARDING_URL", [])), "")
# What the reference is signed with that goes along (merchants.onboarding).
ONBOARDING_KEY = env.text("ONBOARDING_KEY", "")
# HMAC-SHA256 by a short key can be tried out, by none at all by anybody.
if ONBOARDING_URL and len(ONBOARDING_KEY) < 32:
    raise ImproperlyConfigured("ONBOARDING_KEY has to have 32 characters or more where ONBOARDING_URL is set.")

# Forms sent in ten minutes. A hall of two hundred behind one address gets in, with each form sent twice and again.
REGISTRATIONS_PER_ADDRESS = env.integer("REGISTRATIONS_PER_ADDRESS", 1000, minimum=1)
REGISTRATIONS_PER_LINK = env.integer("REGISTRATIONS_PER_LINK", 2000, minimum=1)
# How many proxies of the house stand in front: so many entries of X-Forwarded-For are believed, from the last one on.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, minimum=0)
# The limits on signing in count by the same address.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
