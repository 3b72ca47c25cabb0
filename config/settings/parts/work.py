"""Celery, its beat table, and the engine's measures."""

from __future__ import annotations

from celery.schedules import crontab

from config.addresses import celery_url
from config.env import env
from config.settings.parts.language import PLATFORM_TIME_ZONE
from config.settings.parts.servers import REDIS_URL

CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TIMEZONE = PLATFORM_TIME_ZONE
# Rows in PostgreSQL are the queue; a message only says "look". So nobody reads results.
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# Acknowledge late and, as that alone loses the task of a killed child, reject on worker lost.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# All three together: with kombu's defaults an abandoned message comes back after 100 s more.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "socket_keepalive": True,
}
# Below the visibility timeout: a message is not handed out again while its first worker still has time.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 270
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
# Whoever publishes learns within some three seconds that the broker is away; the rows are safe, the sweep sends again.
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0.2,
    "interval_step": 0.5,
    "interval_max": 1,
}
CELERY_TASK_DEFAULT_QUEUE = "dingyao"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]

# How often the sweep looks for chunks that nobody holds.
ENGINE_SWEEP_SECONDS = env.integer("ENGINE_SWEEP_SECONDS", 10, minimum=1)

# The beat table is code: reviewed and deployed with what it calls. Each task is harmless when called twice. A message
# that nobody took in time is dropped: the next one says the same.
CELERY_BEAT_SCHEDULE = {
    "start-nightly-runs": {
        "task": "incentives.tasks.start_nightly_runs",
        "schedule": crontab(hour=2, minute=30),  # platform time: after the day's feeds, before people come
        "options": {"expires": 3600},
    },
    "start-requested-runs": {
        "task": "incentives.tasks.start_requested_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "sweep-overdue-chunks": {
        "task": "incentives.tasks.sweep_overdue_chunks",
        "schedule": float(ENGINE_SWEEP_SECONDS),
        "options": {"expires": ENGINE_SWEEP_SECONDS},
    },
    "send-weekly-digests": {
        "task": "incentives.tasks.send_weekly_digests",
        # Platform time. The later ones tell whom the first didn't reach; nobody is told twice in a week.
        "schedule": crontab(day_of_week=1, hour="8-10", minute=0),
        "options": {"expires": 3000},
    },
    "forget-ended-sessions": {
        "task": "core.tasks.forget_ended_sessions",
        "schedule": crontab(hour=4, minute=10),  # platform time: nobody waits for it
        "options": {"expires": 3600},
    },
    "send-waiting-mails": {
        "task": "core.tasks.send_waiting_mails",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "compare-entries": {
        "task": "merchants.tasks.compare_entries",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "tell-of-lost-imports": {
        "task": "merchants.tasks.tell_of_lost_imports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sweep-feed-uploads": {
        "task": "merchants.tasks.sweep_feed_uploads",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
}

# --- The engine ---------------------------------------------------------------------------------------------

# Shops in one chunk: large enough that a statement's own cost doesn't count, small enough to retry and to show
# progress.
ENGINE_CHUNK_SHOPS = env.integer("ENGINE_CHUNK_SHOPS", 2500, minimum=1)
# How long a worker that died or stands still keeps its chunk. Whoever is at work keeps it as long as it takes.
ENGINE_LEASE_SECONDS = env.integer("ENGINE_LEASE_SECONDS", 15, minimum=1)
# How many messages call workers to a run's shops.
ENGINE_FAN_OUT = env.integer("ENGINE_FAN_OUT", 8, minimum=1)
# A run after imports waits until they have been quiet for so long, and at most for so long in all.
ENGINE_QUIET_SECONDS = env.integer("ENGINE_QUIET_SECONDS", 60, minimum=0)
ENGINE_QUIET_AT_MOST_SECONDS = env.integer("ENGINE_QUIET_AT_MOST_SECONDS", 600, minimum=0)
