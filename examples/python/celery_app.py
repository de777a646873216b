"""A Celery application with Xynergy in its tasks: `celery -A celery_app worker` and, for the clock, `celery -A celery_app beat`.

Celery forks its workers. One client for the module is right all the same: each worker builds its own connections at its first call.
Without configuration the tasks talk to a sandbox of their own. With `XYNERGY_TOML=FILE` they talk to what the file names.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import xynergy
from celery import Celery, Task  # type: ignore[import-untyped]
from celery.signals import worker_process_shutdown  # type: ignore[import-untyped]
from xynergy import blocking

app = Celery("example", broker=os.environ.get("BROKER", "redis://127.0.0.1/0"), backend=os.environ.get("BACKEND", "redis://127.0.0.1/0"))
app.conf.beat_schedule = {"budgets": {"task": "celery_app.budgets", "schedule": 60.0, "args": ("daily",)}}


@lru_cache(maxsize=1)
def client() -> tuple[blocking.Client, Any]:
    """The worker's client, and the ad account that it looks after."""
    file = os.environ.get("XYNERGY_TOML")
    if file:
        return blocking.Client(Path(file)), None
    sandbox = xynergy.sandbox.start().start_blocking()
    return sandbox.client(), sandbox.account


@app.task(name="celery_app.ask", bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def ask(self: Task, prompt: str, tenant: str = "default") -> dict[str, Any]:
    """Asks, and tries again when that may help."""
    try:
        return client()[0].scope(tenant, actor="celery").ai.generate(prompt).to_dict()
    except xynergy.XynergyError as error:
        if not error.retryable:
            raise
        raise self.retry(exc=error, countdown=(error.retry_after_ms or 1_000) / 1_000) from error


@app.task(name="celery_app.budgets")  # type: ignore[untyped-decorator]
def budgets(allocation_id: str, seed: int = 7) -> dict[str, Any]:
    """Does everything of the closed loop that there is to do now. The same id never draws twice."""
    made, account = client()
    tick = made.closed_loop.tick(account, allocation_id, seed)
    return {"deals": tick.deals, "steps": tick.steps, "next_due": tick.next_due, "rows": tick.allocation.rows.to_dict()}


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def close(**_: Any) -> None:
    """Waits for what is under way, before the worker ends."""
    if client.cache_info().currsize:
        client()[0].close()
