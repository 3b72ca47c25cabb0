"""What finance waits for on the day of payment: a batch of all that can be paid, and the bank's answer to it."""

from __future__ import annotations

import csv
import io
import re
import time
from typing import TYPE_CHECKING, Any

from benchmarks.pages import Watch

if TYPE_CHECKING:
    from django.test import Client

PAYMENTS = "/operator/payments"
REFUSED = 10  # one row in so many is refused by the bank


def measure_bank(client: Client) -> None:
    """Pay everything that can be paid, on the dashboard's pages: each step once, as it happens once."""
    from incentives.models import BankResult, PaymentBatch

    print("\n| a day of payment, on its pages | seconds | queries | aim |")
    print("|---|---:|---:|---:|")
    ask(client, "put all together", f"{PAYMENTS}/batches", {"fit": "1"})
    batch = PaymentBatch.objects.latest("pk")
    place = f"{PAYMENTS}/batches/{batch.pk}"
    ask(client, "lock the batch", f"{place}/lock", {"version": str(batch.version)})
    file = ask(client, "take the file", f"{place}/export", {})
    answer = io.BytesIO(answered(file))
    answer.name = "result.csv"
    looked = ask(client, "look at the bank's result", f"{PAYMENTS}/results", {"file": answer})
    token = re.search(r'name="token" value="([^"]+)"', looked)
    if token is None:
        raise SystemExit("the result can't be loaded")
    ask(client, "load it", f"{PAYMENTS}/results", {"token": token[1]}, aim="3 s for 2,000")
    done = BankResult.objects.latest("pk")
    print(f"\n{done.rows:,} rows: {done.paid:,} paid, {done.refused:,} refused, {done.quarantined:,} set aside")


def ask(client: Client, name: str, path: str, asked: dict[str, Any], *, aim: str = "–") -> str:
    """Post one step, print what it took, and return the answer's text."""
    from django.db import connection

    watch = Watch()
    with connection.execute_wrapper(watch):
        started = time.perf_counter()
        answer = client.post(path, asked)
        seconds = time.perf_counter() - started
    if answer.status_code not in (200, 302):
        raise SystemExit(f"{path} answered {answer.status_code}")
    print(f"| {name} | {seconds:.2f} s | {len(watch.taken)} | {aim} |", flush=True)
    return answer.content.decode()


def answered(file: str) -> bytes:
    """What the bank says to the payments of its file."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["reference", "result", "amount", "bank_reference", "reason"])
    for number, row in enumerate(csv.DictReader(io.StringIO(file, newline=""))):
        if number % REFUSED:
            rows.writerow([row["reference"], "paid", row["amount"], f"BANK-{number}", ""])
        else:
            rows.writerow([row["reference"], "refused", row["amount"], "", "The account is closed."])
    return out.getvalue().encode()
