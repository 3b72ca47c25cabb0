"""`/operator/programs/PROGRAM/draft` of the API: the next version of a policy, by the services that the pages call."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from core.actors import Capability
from core.models import PolicyDraft, Program
from core.policy import Policy
from core.services import drop_policy_draft, publish_policy_draft, save_policy_draft
from incentives.desk_views import OperatorViewSet, decided_by, deciding
from incentives.engine.run import try_policy
from incentives.queries import latest_run
from incentives.queries.trials import open_draft


class PolicyDraftSerializer(serializers.Serializer[PolicyDraft]):
    """The open draft of a program's policy."""

    program = serializers.CharField(source="program.code")
    revision = serializers.IntegerField(help_text="counts the edits; whoever changes or publishes it names this one")
    based_on = serializers.IntegerField(source="based_on.number", help_text="the version in force at its last edit")
    document = serializers.JSONField(help_text="the whole policy, defaults filled in")
    fingerprint = serializers.SerializerMethodField(help_text="of the document, as a version's")

    def get_fingerprint(self, draft: PolicyDraft) -> str:
        """SHA-256 of the whole document."""
        return draft.rules.fingerprint()


class PolicyDraftSaveSerializer(serializers.Serializer[Any]):
    """What the draft shall say, and the revision that was read: 0 where there was none."""

    revision = serializers.IntegerField(min_value=0)
    document = serializers.JSONField(help_text="a policy; keys that are left out take their defaults")


class PolicyDraftRevisionSerializer(serializers.Serializer[Any]):
    """The revision that was read."""

    revision = serializers.IntegerField(min_value=1)


class PolicyDraftPublishSerializer(PolicyDraftRevisionSerializer):
    """The same, and whether example tiers are meant."""

    accept_example_tiers = serializers.BooleanField(default=False)


class PolicyPublishedSerializer(serializers.Serializer[Any]):
    """The version that came of it."""

    number = serializers.IntegerField()
    fingerprint = serializers.CharField()


class PolicyTriedSerializer(serializers.Serializer[Any]):
    """The draft's run, which the workers have begun."""

    run = serializers.IntegerField()


class DraftViewSet(OperatorViewSet):
    """Drafts, for operators alone."""

    queryset = PolicyDraft.objects.none()
    serializer_class = PolicyDraftSerializer
    lookup_url_kwarg = "program"
    lookup_value_regex = "[A-Za-z0-9._-]{1,64}"
    filterset_class = None
    pagination_class = None

    def _draft(self, program: str) -> PolicyDraft:
        known = Program.objects.filter(code=program).first()
        found = open_draft(known) if known else None
        if found is None:
            raise Http404
        return found

    @extend_schema(operation_id="read_policy_draft", summary="The open draft of a program's policy", methods=["GET"])
    @extend_schema(
        operation_id="save_policy_draft",
        summary="Write its next revision, or begin it",
        methods=["POST"],
        request=PolicyDraftSaveSerializer,
        responses={200: PolicyDraftSerializer},
    )
    @action(detail=True, methods=["get", "post"])
    @decided_by(Capability.DRAFT_POLICY)
    def draft(self, request: Request, program: str) -> Response:
        """Read it, or write it."""
        if request.method != "POST":
            return Response(PolicyDraftSerializer(self._draft(program)).data)
        given = self.read(PolicyDraftSaveSerializer)
        with deciding():
            saved = save_policy_draft(
                actor=self.actor,
                program_code=program,
                policy=Policy.parse(given["document"]),
                revision=given["revision"],
            )
        return Response(PolicyDraftSerializer(saved).data)

    @extend_schema(
        operation_id="try_policy_draft",
        summary="Try it on the facts of the program's last run",
        request=None,
        responses={202: PolicyTriedSerializer},
    )
    @action(detail=True, methods=["post"], url_path="draft/try")
    @decided_by(Capability.DRAFT_POLICY)
    def try_draft(self, request: Request, program: str) -> Response:
        """By the moment of the last official run; nothing is published, and nothing is owed."""
        found = self._draft(program)
        last = latest_run(found.program)
        with deciding():
            run = try_policy(
                actor=self.actor,
                program=found.program,
                rules=found.rules,
                as_of=last.as_of if last else None,
                inline=False,
            )
        return Response(PolicyTriedSerializer({"run": run.pk}).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="publish_policy_draft",
        summary="Publish it as the next version: only by somebody who hasn't edited it",
        request=PolicyDraftPublishSerializer,
        responses={200: PolicyPublishedSerializer},
    )
    @action(detail=True, methods=["post"], url_path="draft/publish")
    @decided_by(Capability.PUBLISH_POLICY)
    def publish(self, request: Request, program: str) -> Response:
        """Runs judge by it from now on, and who takes part is told."""
        found, given = self._draft(program), self.read(PolicyDraftPublishSerializer)
        with deciding():
            version = publish_policy_draft(actor=self.actor, draft=found, **given)
        return Response(PolicyPublishedSerializer(version).data)

    @extend_schema(
        operation_id="drop_policy_draft",
        summary="Throw it away",
        request=PolicyDraftRevisionSerializer,
        responses={204: None},
    )
    @action(detail=True, methods=["post"], url_path="draft/drop")
    @decided_by(Capability.DRAFT_POLICY)
    def drop(self, request: Request, program: str) -> Response:
        """The version in force stays."""
        found, given = self._draft(program), self.read(PolicyDraftRevisionSerializer)
        with deciding():
            drop_policy_draft(actor=self.actor, draft=found, revision=given["revision"])
        return Response(status=status.HTTP_204_NO_CONTENT)


def register(router: BaseRouter) -> None:
    """Add the drafts to the API."""
    router.register("operator/programs", DraftViewSet, basename="policy-draft")
