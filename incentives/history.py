"""What the runs ask of the floors below, registered in `IncentivesConfig.ready` (core.hooks)."""

from datetime import datetime

from django.db.models import Max

from incentives.models import Payout


def submitted_until() -> datetime | None:
    """The latest moment that a submitted payout was judged as of: history may no longer reach back to it."""
    found: datetime | None = Payout.objects.aggregate(latest=Max("run__as_of"))["latest"]
    return found


def request_runs(kind: str, batch_id: int) -> None:
    """Ask for a run of each open program, once the imports have been quiet for a while."""
    from incentives.tasks import request_runs_after_facts

    request_runs_after_facts()
