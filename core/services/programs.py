"""Programs and their policies."""

import re
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from core import audit, hooks
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict, NotFound
from core.models import CODE_LENGTH, PolicyVersion, Program
from core.policy import Policy
from core.policy_reader import load_policy

CODE = re.compile(rf"[A-Za-z0-9._-]{{1,{CODE_LENGTH}}}")
POLICY_MAX_BYTES = 1024 * 1024
# Periods outside would put a window's last day, or a midnight in UTC, outside of the years that a date can have.
FIRST_YEAR, LAST_YEAR = 1970, 2999


def create_program(
    *, actor: Actor, code: str, start: date, end: date, policy: Policy, accept_example_tiers: bool = False
) -> Program:
    """Create a program over the dates `start` to `end`, both included, and publish `policy` as its version 1.

    Raises BadInput for a malformed code, an empty or far-off period or example tiers that nobody accepted, Conflict
    for a code that is taken.
    """
    actor.require(Capability.PUBLISH_POLICY)
    if not CODE.fullmatch(code):
        raise BadInput(f"{code!r} is no program code: use 1 to {CODE_LENGTH} characters of A-Z a-z 0-9 . _ -")
    if end < start:
        raise BadInput(f"The period ends on {end}, before it starts on {start}.")
    if start.year < FIRST_YEAR or end.year > LAST_YEAR:
        raise BadInput(f"The period {start} to {end} is not within the years {FIRST_YEAR} to {LAST_YEAR}.")
    refuse_examples(policy, accepted=accept_example_tiers)
    with transaction.atomic():
        program, created = Program.objects.get_or_create(code=code, defaults={"starts_on": start, "ends_on": end})
        if not created:
            raise Conflict(f"Program {code} exists already; publish_policy adds a version to it.")
        version = _publish(program, policy, actor.user_id)
        audit.record(
            actor=actor,
            action="program.created",
            subject=program,
            details={
                "code": code,
                "starts_on": start.isoformat(),
                "ends_on": end.isoformat(),
                "policy": version.number,
                "fingerprint": version.fingerprint,
                "example_tiers": policy.discount.example,
            },
        )
    return program


def publish_policy(
    *, actor: Actor, program_code: str, policy: Policy, accept_example_tiers: bool = False
) -> PolicyVersion:
    """Publish `policy` as the program's next version. Runs judge by it from now on.

    Raises NotFound for an unknown program, BadInput for example tiers that nobody accepted.
    """
    actor.require(Capability.PUBLISH_POLICY)
    refuse_examples(policy, accepted=accept_example_tiers)
    with transaction.atomic():
        # The row's lock keeps two publications from taking the same number.
        program = Program.objects.select_for_update().filter(code=program_code).first()
        if program is None:
            raise NotFound(f"There is no program {program_code!r}; create_program makes one.")
        version = publish_next(program, policy, by=actor.user_id)
        audit.record(
            actor=actor,
            action="policy.published",
            subject=version,
            details={
                "program": program.code,
                "policy": version.number,
                "fingerprint": version.fingerprint,
                "example_tiers": policy.discount.example,
            },
        )
    return version


def read_policy(path: Path) -> Policy:
    """Read a policy from a JSON file. Raises BadInput where it can't be read, PolicyError where it is no policy."""
    try:
        with path.open("rb") as file:
            content = file.read(POLICY_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from None
    if len(content) > POLICY_MAX_BYTES:
        raise BadInput(f"{path} is larger than {POLICY_MAX_BYTES} bytes: that is no policy.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8; save it as UTF-8.") from None
    return load_policy(text)


def refuse_examples(policy: Policy, *, accepted: bool) -> None:
    """Raise BadInput for example tiers that nobody accepted."""
    # POLICY 5: tiers that nobody announced are published only by somebody who says that they know it.
    if policy.discount.example and not accepted:
        raise BadInput(
            "The policy's discount tiers are marked as an example that nobody announced. "
            "Put the real ones in, or publish it as it is with --accept-example-tiers.",
            code="example_tiers",
        )


def publish_next(program: Program, policy: Policy, *, by: int | None) -> PolicyVersion:
    """Add the next version and have whoever takes part told of it, within the caller's transaction and lock."""
    version = _publish(program, policy, by)
    hooks.announce_policy(version)
    return version


def _publish(program: Program, policy: Policy, by: int | None) -> PolicyVersion:
    latest = program.policies.order_by("-number").values_list("number", flat=True).first() or 0
    return PolicyVersion.objects.create(
        program=program,
        number=latest + 1,
        document=policy.document(),
        fingerprint=policy.fingerprint(),
        published_at=timezone.now(),
        published_by_id=by,
    )
