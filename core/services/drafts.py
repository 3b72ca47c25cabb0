"""A policy draft is written, thrown away, or published by somebody who hasn't written any of it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.drafts import DraftState, PolicyDraft, PolicyDraftEdit
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import PolicyVersion, Program
from core.policy import Policy
from core.policy_words import flat
from core.services.programs import publish_next, refuse_examples


def save_policy_draft(
    *, actor: Actor, program_code: str, policy: Policy, revision: int, at: datetime | None = None
) -> PolicyDraft:
    """Write `policy` as the next revision of the program's open draft; with `revision` 0, begin the draft.

    `revision` is the one that the writer had before her. Raises NotAllowed; NotFound for an unknown program; Conflict
    where somebody else wrote, published or threw it away meanwhile; BadInput where it says what was said before.
    """
    actor.require(Capability.DRAFT_POLICY)
    if actor.user_id is None:
        raise NotAllowed(_("A draft is written by a person."))
    with transaction.atomic():
        program, latest = _locked(program_code)
        draft = PolicyDraft.objects.filter(program=program, state=DraftState.OPEN).first()
        _insist_on_revision(draft, revision)
        if policy.document() == (draft.document if draft else latest.document):
            raise BadInput(_("Nothing differs from what it said before."), code="nothing_changed")
        if draft is None:
            draft = PolicyDraft(program=program, revision=0)
        changed = _changed(draft.document if draft.revision else latest.document, policy)
        draft.document, draft.based_on, draft.revision = policy.document(), latest, draft.revision + 1
        draft.save()
        PolicyDraftEdit.objects.create(
            draft=draft,
            revision=draft.revision,
            fingerprint=policy.fingerprint(),
            by_id=actor.user_id,
            at=at or timezone.now(),
        )
        details = {"program": program.code, "revision": draft.revision, "fingerprint": policy.fingerprint()}
        audit.record(actor=actor, action="policy_draft.saved", subject=draft, details=details | {"changed": changed})
    return draft


def drop_policy_draft(*, actor: Actor, draft: PolicyDraft, revision: int) -> PolicyDraft:
    """Throw the draft away; what was tried with it stays. Raises NotAllowed, and Conflict as saving does."""
    actor.require(Capability.DRAFT_POLICY)
    with transaction.atomic():
        found = _open(draft, revision)
        found.state = DraftState.DROPPED
        found.save()
        details = {"program": found.program.code, "revision": found.revision}
        audit.record(actor=actor, action="policy_draft.dropped", subject=found, details=details)
    return found


def publish_policy_draft(
    *, actor: Actor, draft: PolicyDraft, revision: int, accept_example_tiers: bool = False
) -> PolicyVersion:
    """Publish the draft as its program's next version: runs judge by it from now on, and who takes part is told.

    Raises NotAllowed for whoever has edited any of it (maker-checker, as with payouts: POLICY 6), Conflict where it was
    changed since `revision`, or another version was published after its last edit; BadInput for example tiers that
    nobody accepted.
    """
    actor.require(Capability.PUBLISH_POLICY)
    if actor.user_id is None:
        raise NotAllowed(_("A draft is published by a person."))
    with transaction.atomic():
        found = _open(draft, revision)
        if found.was_edited_by(actor.user_id):
            raise NotAllowed(_("You have edited this draft: somebody else publishes it."), code="edited_by_publisher")
        latest = found.program.policies.order_by("-number")[0]
        if latest.pk != found.based_on_id:
            raise Conflict(
                _("Version %(number)s was published meanwhile. Look at what the draft changes now, and save it again.")
                % {"number": latest.number},
                code="newer_version",
            )
        refuse_examples(found.rules, accepted=accept_example_tiers)
        version = publish_next(found.program, found.rules, by=actor.user_id)
        found.state, found.published_as = DraftState.PUBLISHED, version
        found.save()
        audit.record(
            actor=actor,
            action="policy.published",
            subject=version,
            details={
                "program": found.program.code,
                "policy": version.number,
                "fingerprint": version.fingerprint,
                "example_tiers": found.rules.discount.example,
                "draft": found.pk,
                "revision": found.revision,
            },
        )
    return version


def _locked(code: str) -> tuple[Program, PolicyVersion]:
    """The program, whose row's lock keeps two writers of its policy apart, and its version in force."""
    program = Program.objects.select_for_update().filter(code=code).first()
    if program is None:
        raise NotFound(_("There is no such program."))
    return program, program.policies.order_by("-number")[0]


def _open(draft: PolicyDraft, revision: int) -> PolicyDraft:
    Program.objects.select_for_update().get(pk=draft.program_id)
    found: PolicyDraft = PolicyDraft.objects.select_for_update(of=("self",)).select_related("program").get(pk=draft.pk)
    _insist_on_revision(found if found.state == DraftState.OPEN else None, revision)
    return found


def _insist_on_revision(draft: PolicyDraft | None, revision: int) -> None:
    if draft is None and revision:
        raise Conflict(_("This draft was published or thrown away meanwhile."), code="draft_gone")
    if draft is not None and draft.revision != revision:
        last = draft.edits.select_related("by").order_by("-revision")[0]
        raise Conflict(
            _("%(name)s has changed the draft meanwhile. Look at it again.") % {"name": last.by.get_full_name()},
            code="draft_changed",
        )


def _changed(before: dict[str, object], policy: Policy) -> list[str]:
    """The keys that differ: names of the policy's own, no free text."""
    old, new = flat(before), flat(policy.document())
    return [key for key in new if old.get(key) != new[key]]
