"""Statements to take along, and the keys that they are verified with."""

import tempfile
from io import BytesIO
from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from incentives.exports import write_csv, write_xlsx
from incentives.keys import published_keys
from incentives.queries import Statement, statement_of
from incentives.signatures import key_set
from incentives.statement_files import file_name, signed_statement, table
from incentives.views.common import actor_for, asked_payout, partner_for, program_or_404

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@login_required
@require_safe
def as_csv(request: HttpRequest, program: str) -> HttpResponse:
    """The statement's lines and sums as CSV."""
    statement = _statement_or_404(request, program)
    target = BytesIO()
    write_csv(table(statement), target)
    return _download(target.getvalue(), statement, "csv", "text/csv; charset=utf-8")


@login_required
@require_safe
def as_xlsx(request: HttpRequest, program: str) -> HttpResponse:
    """The same as a workbook."""
    statement = _statement_or_404(request, program)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.xlsx"
        write_xlsx(table(statement), path)
        return _download(path.read_bytes(), statement, "xlsx", XLSX)


@login_required
@require_safe
def as_json(request: HttpRequest, program: str) -> HttpResponse:
    """The statement as a signed document."""
    statement = _statement_or_404(request, program)
    return _download(signed_statement(statement, at=timezone.now()), statement, "json", "application/json")


@require_safe
@cache_control(public=True, max_age=300)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys of our statements, for everybody (docs/operations.md)."""
    return JsonResponse(key_set(published_keys()))


def _statement_or_404(request: HttpRequest, program: str) -> Statement:
    """The statement that the portal's page shows at the same parameters. Foreign and absent are not told apart."""
    partner, _ = partner_for(request)
    run = program_or_404(program).run
    statement = run and statement_of(
        actor=actor_for(request), run=run, partner_id=partner.pk, payout_id=asked_payout(request)
    )
    if not statement:
        raise Http404
    return statement


def _download(content: bytes, statement: Statement, suffix: str, kind: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name(statement, suffix)}"',
            # It says how things stand now, and to nobody else.
            "Cache-Control": "private, no-store",
        },
    )
