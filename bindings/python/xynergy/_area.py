"""What the generated areas of the asynchronous client are made of."""

from __future__ import annotations

from typing import Any

from xynergy import _core, _native


class Area:
    """A group of methods, for one scope."""

    __slots__ = ("_core", "_info")

    def __init__(self, core: _core.Core, info: _native.Info) -> None:
        self._core = core
        self._info = info

    def __repr__(self) -> str:
        return f"<xynergy {type(self).__name__}>"

    def _options(self, timeout: float | None, request_id: str | None) -> _native.Info:
        if timeout is None and request_id is None:
            return self._info
        return _core.with_options(self._info, timeout, request_id)

    async def _call(
        self, method: str, arguments: dict[str, Any], timeout: float | None = None, request_id: str | None = None
    ) -> Any:
        given = {name: value for name, value in arguments.items() if value is not None}
        return await self._core.call(method, self._options(timeout, request_id), given)
