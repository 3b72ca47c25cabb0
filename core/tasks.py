"""What workers and beat do for this floor. Harmless when it comes twice, late or never: rows are the queue."""

from celery import shared_task

from core.notices import mailing, wake
from core.sessions import forget_ended_sessions as drop_sessions

MAIL_SECONDS = 60  # well below the tasks' time limit; what is left is handed to the next message


@shared_task(name=wake.SEND)
def send_waiting_mails() -> None:
    """Send the mails that are due; beat asks for it too, in place of messages that were lost."""
    if mailing.send_waiting(seconds=MAIL_SECONDS) and mailing.waiting():
        wake.mailer()


@shared_task(name="core.tasks.forget_ended_sessions")
def forget_ended_sessions() -> None:
    """Keep nothing of sessions that are over."""
    drop_sessions()
