"""Accounts and how people sign in."""

from __future__ import annotations

from config.env import env

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email",)},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "config.accounts.SignUpForm"
# Whoever signs up proves the address; an invitation, or the operator who makes an account, has done so.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
# One address, and the new one takes the old one's place once it is proven; each change is told by mail.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# The same answer for known and unknown addresses.
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
# Against floods from one place, in the cache. How often one address may be tried is counted in the database
# (core.lockout).
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {"login_failed": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ADAPTER = "config.accounts.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "config.accounts.AuthenticateForm",
    "reauthenticate": "config.accounts.ReauthenticateForm",
}
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "定邀 Dingyao"
# Passkeys need a name: they work on localhost, not on 127.0.0.1.
MFA_PASSKEY_LOGIN_ENABLED = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600

# Whether organisations may sign up by themselves. Closed, accounts are made by invitation and by operators alone.
SIGN_UP_OPEN = env.flag("SIGN_UP_OPEN", default=True)
# So often a password or a code may be wrong in a row; then it is refused, right or wrong, for so many minutes.
SIGN_IN_TRIES = env.integer("SIGN_IN_TRIES", 8, minimum=1)
SIGN_IN_LOCK_MINUTES = env.integer("SIGN_IN_LOCK_MINUTES", 15, minimum=1)

# Whether a second person certifies an organisation than the one who took its application into review.
CERTIFICATION_FOUR_EYES = env.flag("CERTIFICATION_FOUR_EYES")
# Whether operators reach their pages only with a second factor. One's own machine goes without, and says so.
OPERATORS_NEED_SECOND_FACTOR = env.flag("OPERATORS_NEED_SECOND_FACTOR", default=True)
# For how long a colleague may take up an invitation.
INVITATION_DAYS = env.integer("INVITATION_DAYS", 7, minimum=1)
