"""A server of webhooks: HubSpot's at `/webhooks/hubspot`, signed ones of any backend at `/webhooks/deals`.

    uvicorn webhook_server:app

A delivery is verified and stored before its answer, which is quick; the work is done behind it by one task, and by any number of
such servers on one database. It is configured by `XYNERGY_TOML=FILE`, or by the environment's `DATABASE_URL` and
`HUBSPOT_CLIENT_SECRET`. It ends when what has begun is done.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import xynergy
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

# HubSpot gives up after five seconds, and sends again what was not answered.
ANSWER_WITHIN = 4.0
# How long the worker sleeps at most: what another server accepted is not told to it.
LOOK_AGAIN = 15.0
# No more of a body is read than this, whatever its length is said to be.
MAX_BODY_BYTES = 8 * 1024 * 1024

log = logging.getLogger("webhooks")


async def work(client: xynergy.Client, wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Works on stored events until it is stopped; what was begun is ended."""
    while not stop.is_set():
        wake.clear()
        try:
            done = await client.hubspot.process()
        except xynergy.XynergyError as error:
            # Nothing is lost: it waits in the store until the CRM is there again.
            log.warning("%s", error)
        else:
            for failed in done.failed:
                log.warning("deal %s waits until %s: %s", failed.deal_id, failed.next_attempt_at, failed.problem)
            if done.deals or done.failed or done.forgotten:
                continue
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(wake.wait(), LOOK_AGAIN)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    file = os.environ.get("XYNERGY_TOML")
    async with xynergy.Client(Path(file)) if file else xynergy.Client.from_env() as client:
        app.state.client, app.state.wake, stop = client, asyncio.Event(), asyncio.Event()
        worker = asyncio.create_task(work(client, app.state.wake, stop))
        yield
        stop.set()
        app.state.wake.set()
        await worker


app = FastAPI(lifespan=lifespan)


class TooLarge(Exception):
    """A body of more bytes than are read."""


async def raw_body(request: Request) -> bytes:
    """The bytes as they came: parsing and writing them again breaks the signature."""
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise TooLarge
    return b"".join(pieces)


def headers_of(request: Request) -> dict[str, str]:
    """A header that is there twice stays two values, so that none of them passes for the whole."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


async def accepted(request: Request, accept: Awaitable[xynergy.Accepted]) -> JSONResponse:
    """200 once the events are stored, for they are not sent again then."""
    stored = await asyncio.wait_for(accept, ANSWER_WITHIN)
    request.app.state.wake.set()
    return JSONResponse(stored.to_dict())


@app.post("/webhooks/hubspot")
async def hubspot(request: Request) -> JSONResponse:
    body = await raw_body(request)
    # Of the address only path and query are the server's to know: hubspot.webhook_urls has the rest.
    url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    client: xynergy.Client = request.app.state.client
    return await accepted(request, client.hubspot.accept(request.method, url, headers_of(request), body, source="hubspot"))


@app.post("/webhooks/deals")
async def deals(request: Request) -> JSONResponse:
    body = await raw_body(request)
    client: xynergy.Client = request.app.state.client
    return await accepted(request, client.webhooks.accept(headers_of(request), body, source="deals"))


STATUS = {"unauthorized": 401, "invalid_input": 400, "limit_exceeded": 413, "unavailable": 503, "timeout": 503, "throttled": 503}


@app.exception_handler(xynergy.XynergyError)
async def failed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, xynergy.XynergyError)
    return JSONResponse({"kind": error.kind, "message": error.message}, STATUS.get(error.kind, 500))


@app.exception_handler(TooLarge)
async def too_large(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"kind": "limit_exceeded", "message": f"body: more than {MAX_BODY_BYTES} bytes"}, 413)


@app.exception_handler(asyncio.TimeoutError)
async def too_slow(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"kind": "timeout", "message": "the store did not answer in time: send again"}, 503)
