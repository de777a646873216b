"""A FastAPI application with Xynergy in it: `uvicorn fastapi_app:app`.

Without configuration it talks to a sandbox of its own. With `XYNERGY_TOML=FILE` it talks to what the file names.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import xynergy
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel


class Question(BaseModel):
    prompt: str
    max_tokens: int | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        file = os.environ.get("XYNERGY_TOML")
        if file:
            client = xynergy.Client(Path(file))
        else:
            sandbox = await stack.enter_async_context(xynergy.sandbox.start())
            client = sandbox.client()
        app.state.xynergy = await stack.enter_async_context(client)
        yield


app = FastAPI(lifespan=lifespan)


def scope(request: Request, tenant: Annotated[str, Header()] = "default") -> xynergy.Scope:
    """The tenant's scope, tied to the trace of the request."""
    client: xynergy.Client = request.app.state.xynergy
    return client.scope(tenant, traceparent=request.headers.get("traceparent"))


Tenant = Annotated[xynergy.Scope, Depends(scope)]


@app.post("/ask", response_model=xynergy.Generation)
async def ask(question: Question, tenant: Tenant) -> xynergy.Generation:
    return await tenant.ai.generate(question.prompt, question.max_tokens)


@app.post("/stream")
async def stream(question: Question, tenant: Tenant) -> StreamingResponse:
    pieces = tenant.ai.stream({"messages": [{"role": "user", "content": question.prompt}]})
    await pieces.open()  # What fails before the first piece is still an answer with a status.

    async def events() -> AsyncIterator[str]:
        async with pieces:
            async for piece in pieces:
                yield f"data: {json.dumps(piece.to_dict())}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/spend")
async def spend(tenant: Tenant) -> xynergy.Spend:
    return await tenant.ai.spend()


@app.post("/hubspot")
async def hubspot(request: Request, tenant: Tenant) -> xynergy.Accepted:
    """The webhook: verified on its raw bytes and stored durably before the answer; the work is done elsewhere."""
    return await tenant.hubspot.accept(request.method, str(request.url), dict(request.headers), await request.body())


STATUS = {"invalid_input": 422, "unauthorized": 401, "not_found": 404, "limit_exceeded": 402, "throttled": 429, "timeout": 504}


@app.exception_handler(xynergy.XynergyError)
async def failed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, xynergy.XynergyError)
    return JSONResponse({"kind": error.kind, "message": error.message}, STATUS.get(error.kind, 502))
