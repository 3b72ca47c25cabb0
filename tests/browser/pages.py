"""Every page of the house, in the states that look different: whoever adds an address adds its page here.

`tests/browser/test_pages.py` walks the list, and fails for an address with a name that is in neither table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.browser.house import House


@dataclass(frozen=True, slots=True)
class Page:
    """One page in one state.

    `who` looks at it (empty: somebody without an account; see `House.session`), `args` name what its address is made of
    (`House.things`; `=abc` stands for itself), `press` is the button that brings the state about, `state` its name.
    """

    name: str
    who: str = ""
    args: tuple[str, ...] = ()
    query: str = ""
    state: str = ""
    press: str = ""
    status: int = 200

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.state, f"({self.who})" if self.who else "")))

    def path(self, house: House) -> str:
        """Its address in this house."""
        args = [each[1:] if each.startswith("=") else house.things[each] for each in self.args]
        return reverse(self.name, args=args) + self.query.format_map(house.things)


PAGES = (
    # --- Anybody
    Page("home"),
    Page("home", "nobody", state="of an account without an organisation"),
    Page("programs"),
    Page("program", args=("running",)),
    Page("program", args=("closed",), state="that has ended"),
    Page("invite", args=("link",)),
    Page("invite", args=("link",), state="sent empty", press="button.go", status=422),
    Page("invite", args=("dead",), state="dead", status=404),
    Page("receipt", args=("receipt",)),
    Page("invitation", args=("token",)),
    Page("invitation", args=("=no-such-token",), state="dead", status=404),
    Page("demo-outbox"),
    Page("demo-mail", args=("mail",)),
    # --- Signing in
    Page("account_login"),
    Page("account_login", state="sent wrong", query="?email=alice@example.com", press="form.card button.go"),
    Page("account_logout", "alice"),
    Page("account_inactive"),
    Page("account_signup"),
    Page("account_reauthenticate", "alice"),
    Page("account_email", "alice"),
    Page("account_email_verification_sent"),
    Page("account_confirm_email", args=("=no-such-key",)),
    Page("account_change_password", "alice"),
    Page("account_change_password", "alice", state="sent empty", press="main form button"),
    Page("account_reset_password"),
    Page("account_reset_password_done"),
    Page("account_reset_password_from_key", args=("=1", "=no-such-key"), state="dead"),
    Page("account_reset_password_from_key_done"),
    Page("mfa_index", "alice"),
    Page("mfa_index", "tara", state="with a second factor"),
    Page("mfa_authenticate", "tara/half"),
    Page("mfa_reauthenticate", "tara"),
    Page("mfa_activate_totp", "alice"),
    Page("mfa_deactivate_totp", "tara"),
    Page("mfa_view_recovery_codes", "tara"),
    Page("mfa_generate_recovery_codes", "tara"),
    Page("mfa_list_webauthn", "pia"),
    Page("mfa_add_webauthn", "alice"),
    Page("mfa_remove_webauthn", "pia", args=("passkey",)),
    Page("mfa_edit_webauthn", "pia", args=("passkey",)),
    Page("account", "alice"),
    Page("account", "tara", state="with a second factor"),
    Page("account-sessions", "alice"),
    # --- Arriving
    Page("apply", "nobody"),
    Page("apply", "rex", state="again"),
    Page("application-new", "nobody"),
    Page("application", "zoe", ("zoe",), state="draft"),
    Page("application", "yan", ("yan",), state="asked"),
    Page("application", "cai", ("cai",), state="certified"),
    Page("application", "rex", ("rex",), state="rejected"),
    Page("application-edit", "zoe", ("zoe",)),
    Page("application-edit", "zoe", ("zoe",), state="sent", press="button[value=submit]", status=422),
    # --- A partner's people
    Page("portal-overview", "alice"),
    Page("portal-overview", "cai", state="of a new partner"),
    Page("portal-overview-of", "alice", ("closed",), state="of a closed program"),
    Page("portal-shops", "alice", ("running",)),
    Page("portal-shops", "alice", ("running",), "?search=zzz", state="with nothing found"),
    Page("portal-shop", "alice", ("pending in", "pending"), state="pending"),
    Page("portal-shop", "alice", ("needs_data in", "needs_data"), state="needs data"),
    Page("portal-shop", "alice", ("not_eligible in", "not_eligible"), state="lost"),
    Page("portal-shop", "alice", ("eligible in", "eligible"), state="eligible"),
    Page("portal-payout", "alice", ("closed",)),
    Page("portal-payout", "alice", ("running",), state="provisional"),
    Page("portal-payout", "cai", ("running",), state="of a new partner"),
    Page("portal-links", "alice"),
    Page("portal-links", "cai", state="of a new partner"),
    Page("portal-link", "alice", ("link",)),
    Page("portal-link", "alice", ("dead",), state="revoked"),
    Page("portal-targets", "alice", ("running",)),
    Page("portal-targets", "alice", ("running",), "?search=zzz", state="with nothing found"),
    Page("portal-target", "alice", ("running", "free entry"), state="free"),
    Page("portal-target", "alice", ("running", "claimed entry"), state="claimed"),
    Page("portal-claims", "alice", ("running",)),
    Page("portal-claims", "cai", ("running",), state="of a new partner"),
    Page("portal-check", "alice", ("running",)),
    Page("portal-statements", "alice"),
    Page("portal-payee", "alice"),
    Page("portal-payee", "bob", state="of a member"),
    Page("portal-payee", "cai", state="of a new partner"),
    Page("portal-payee-change", "alice"),
    Page("portal-payee-change", "alice", state="sent empty", press="main form button.go", status=422),
    Page("portal-invoice", "ivy", ("closed", "approved")),
    Page("portal-programs", "alice"),
    Page("portal-program", "alice", ("running",)),
    Page("portal-program", "cai", ("running",), state="to join"),
    Page("portal-team", "alice"),
    Page("portal-team", "bob", state="of a member"),
    Page("notices", "alice"),
    Page("notices", "nobody", state="empty"),
    Page("notices", "olga", state="of an operator"),
    Page("notice-settings", "alice"),
    Page("notice-settings", "olga", state="of an operator"),
    # --- Operators
    Page("console-overview", "olga"),
    Page("console-overview", "omar", state="of an approver"),
    Page("console-overview", "fiona", state="of finance"),
    Page("console-applications", "rosa"),
    Page("console-applications", "rosa", query="?q=zzz", state="with nothing found"),
    Page("console-application", "rosa", ("yan",), state="asked"),
    Page("console-application", "rosa", ("cai",), state="certified"),
    Page("console-application", "olga", ("rex",), state="rejected"),
    Page("console-partners", "olga"),
    Page("console-partners", "olga", query="?q=zzz", state="with nothing found"),
    Page("console-partner", "olga", ("partner",)),
    Page("console-partner", "rita", ("partner",), state="to decide on"),
    Page("console-lists", "olga", ("running",)),
    Page("console-lists", "lena", ("running",), state="to decide on"),
    Page("console-lists", "olga", ("running",), "?q=zzz", state="with nothing found"),
    Page("console-list-entry", "lena", ("running", "free entry"), state="to decide on"),
    Page("console-list-entry", "olga", ("running", "claimed entry")),
    Page("console-duplicates", "lena"),
    Page("console-duplicates", "olga", query="?q=zzz", state="with nothing found"),
    Page("console-unattributed", "olga"),
    Page("console-unattributed", "olga", query="?q=zzz", state="with nothing found"),
    Page("console-attribution", "olga", ("pending",)),
    Page("console-contested", "olga"),
    Page("console-shops", "olga", ("running",)),
    Page("console-shop", "olga", ("pending in", "pending")),
    Page("console-programs", "olga"),
    Page("console-programs", "olga", query="?draft=open", state="with a draft"),
    Page("console-program", "olga", ("running",)),
    Page("console-program-new", "omar"),
    Page("console-program-new", "omar", state="sent empty", press="main form button.go", status=422),
    Page("console-draft", "olga", ("closed",), state="not begun"),
    Page("console-draft", "olga", ("running",)),
    Page("console-draft", "omar", ("running",), state="to publish"),
    Page("console-trial", "olga", ("trial",)),
    Page("console-feeds", "olga"),
    Page("console-feed", "olga", ("import",)),
    Page("console-upload", "olga", ("upload",)),
    Page("console-upload", "olga", ("strange",), state="with other headings"),
    Page("console-runs", "olga"),
    Page("console-run", "olga", ("run",)),
    Page("console-run-compare", "olga", ("run",)),
    Page("console-run-submit", "olga", ("run",)),
    Page("console-run-submit", "olga", ("submittable run",), state="of a closed program"),
    Page("console-run-submit", "olga", ("replaced run",), state="replaced"),
    Page("console-unknown", "olga", ("running",)),
    Page("console-payouts", "omar"),
    Page("console-payouts", "omar", query="?every=1&search=zzz", state="with nothing found"),
    Page("console-payouts-decide", "omar", query="?step=approve&fit=1&every=1", state="approve"),
    Page("console-payouts-decide", "omar", query="?step=hold&fit=1&every=1", state="hold"),
    Page("console-payout", "omar", ("approved",), state="approved"),
    Page("console-payout", "fiona", ("invoiced",), state="with an invoice"),
    Page("console-payout", "omar", ("reviewed",), state="in review"),
    Page("console-payout", "omar", ("reviewed",), "?line={line}", state="with a line"),
    Page("console-payouts-bulk", "omar", ("bulk",)),
    Page("console-payments", "fiona", state="ready"),
    Page("console-payments", "fiona", query="?show=not_yet", state="not yet"),
    Page("console-payments", "fiona", query="?show=batches", state="batches"),
    Page("console-payments", "fiona", query="?show=batches&waits=unanswered", state="batches with the bank"),
    Page("console-payments", "fiona", query="?show=results", state="results"),
    Page("console-payments", "fiona", query="?search=zzz", state="nothing found"),
    Page("console-batch", "fiona", ("batch",), state="answered"),
    Page("console-batch", "fiona", ("draft",), state="draft"),
    Page("console-bank-result", "fiona", ("result",)),
    Page("console-ledger", "fiona", state="balances"),
    Page("console-ledger", "fiona", query="?show=entries", state="entries"),
    Page("console-ledger", "fiona", query="?show=accounts", state="accounts"),
    Page("console-ledger", "fiona", query="?show=adjustments", state="adjustments"),
    Page("console-ledger", "fiona", query="?show=entries&payout=0", state="nothing found"),
    Page("console-account", "fiona", ("owing",), state="finance"),
    Page("console-account", "omar", ("owing",), state="approver"),
    Page("console-people", "olga"),
    Page("console-person", "olga", ("somebody",)),
    Page("console-audit", "olga"),
    Page("console-audit", "olga", query="?action=nothing", state="empty"),
)

# Addresses with a name that show no page of their own, and what they do instead.
NO_PAGES = {
    **dict.fromkeys(("healthz", "readyz", "metrics", "schema", "statement-keys"), "machines read it"),
    "api-docs": "Swagger's page: tests/browser/test_api_docs.py",
    "set_language": "posted to",
    **dict.fromkeys(("notices-read-all", "notice-read", "notice"), "leads on"),
    **dict.fromkeys(("application-answer", "application-withdraw"), "posted to from the application's page"),
    "application-file": "a file",
    **dict.fromkeys(("portal-link-revoke", "portal-link-extend"), "posted to from the link's page"),
    **dict.fromkeys(("portal-link-svg", "portal-link-png"), "a picture"),
    **dict.fromkeys(("portal-payout-csv", "portal-payout-xlsx", "portal-payout-json"), "a file"),
    **dict.fromkeys(("portal-shops-csv", "portal-shops-xlsx", "console-shops-csv", "console-shops-xlsx"), "a file"),
    **dict.fromkeys(("portal-target-claim", "portal-target-release"), "posted to from the entry's page"),
    **dict.fromkeys(("console-run-start", "console-run-cancel", "console-person-step"), "posted to"),
    **dict.fromkeys(("console-run-compare-csv", "console-audit-csv", "console-payouts-csv"), "a file"),
    **dict.fromkeys(("console-payments-csv", "console-bank-result-csv", "console-ledger-csv"), "a file"),
    **dict.fromkeys(("console-batches", "console-batch-move", "console-adjustment-step"), "posted to"),
    "console-account-adjust": "posted to; tests/browser/test_payments.py looks at what it says",
    "console-bank-results": "posted to; tests/browser/test_payments.py looks at its preview",
    **dict.fromkeys(
        (
            "console-payout-step",
            "console-payout-line-step",
            "console-payout-adjustment-step",
            "console-payout-invoice-step",
        ),
        "posted to from the payout's page",
    ),
    **dict.fromkeys(("console-applications-csv", "console-partners-csv"), "a file"),
    **dict.fromkeys(("console-runs-csv", "console-people-csv", "console-unknown-csv"), "a file"),
    "console-lists-newest": "leads on",
    **dict.fromkeys(("console-lists-csv", "console-duplicates-csv"), "a file"),
    **dict.fromkeys(("console-lists-review", "console-list-entry-step", "console-duplicate-decide"), "posted to"),
    "console-duplicates-look": "posted to",
    **dict.fromkeys(("console-unattributed-csv", "console-contested-csv"), "a file"),
    **dict.fromkeys(("console-unattributed-apply", "console-attribution-assign"), "posted to"),
    **dict.fromkeys(("console-application-step", "console-partner-step", "console-partner-payee"), "posted to"),
    **dict.fromkeys(
        ("console-feeds-csv", "console-feed-rejected", "console-policy-json", "console-trial-csv"), "a file"
    ),
    **dict.fromkeys(
        ("console-feed-upload", "console-upload-columns", "console-upload-load", "console-upload-drop"), "posted to"
    ),
    **dict.fromkeys(("console-draft-try", "console-draft-publish", "console-draft-drop"), "posted to"),
    "portal-payee-withdraw": "posted to from the payee's page",
    "portal-invoice-file": "a file",
    "usersessions_list": "leads to account-sessions",
    "account_set_password": "for accounts without a password, of which there are none",
    "account_confirm_login_code": "signing in by a code in a mail is off",
    "mfa_download_recovery_codes": "a file",
    "mfa_login_webauthn": "asked by the script of the sign-in",
    "mfa_reauthenticate_webauthn": "asks a device that no test has; mfa_reauthenticate looks the same",
}

# Other addresses: the back office is Django's own, and the API has none to look at.
APART = ("admin", "api")


def names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """The name of every address, but for what is apart."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern.name
        elif pattern.namespace not in APART:
            yield from names(pattern.url_patterns)
