"""The admin dashboard's pages about payments."""

from django.urls import path

from incentives.views import console_bank_results, console_batches, console_payments

urlpatterns = [
    path("operator/payments", console_payments.payments, name="console-payments"),
    path("operator/payments.csv", console_payments.payments_csv, name="console-payments-csv"),
    path("operator/payments/batches", console_payments.make_batch, name="console-batches"),
    path("operator/payments/batches/<int:batch>", console_batches.batch, name="console-batch"),
    path("operator/payments/batches/<int:batch>/<slug:move>", console_batches.move, name="console-batch-move"),
    path("operator/payments/results", console_bank_results.look, name="console-bank-results"),
    path("operator/payments/results/<int:result>", console_bank_results.bank_result, name="console-bank-result"),
    path("operator/payments/results/<int:result>.csv", console_bank_results.rows_csv, name="console-bank-result-csv"),
]
