"""A client's engine, and the way of a call through it."""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xynergy import _background, _json, _loop, _native, _notices, _process
from xynergy._hosting import Seat
from xynergy._record import Record
from xynergy.errors import ConfigInvalidError, InvalidInputError, XynergyError, from_json

if TYPE_CHECKING:
    from collections.abc import Callable

_STORES = {"state": "StateStore", "clicks": "ClickStore", "revenue": "RevenueStore"}
_TRAITS = ("default_model", "tools", "response_format", "images", "streaming")

NO_INFO = _native.Info("{}")

_ = _process


class Core:
    """An engine with the objects that belong to it."""

    def __init__(
        self,
        *,
        config: Any,
        from_env: bool,
        providers: Mapping[str, Any] | None,
        embedders: Mapping[str, Any] | None,
        caches: Mapping[str, Any] | None,
        ad_platforms: Mapping[str, Any] | None,
        stores: Mapping[str, Any] | None,
        crms: Mapping[str, Any] | None,
        secrets: Any,
        clock: Any,
        on_event: Callable[[Any], Any] | None,
        seed: int | None,
        host_timeout_ms: int | None,
    ) -> None:
        self.seats: list[Seat] = []
        self.kept: Any = None
        options = _configuration(config, from_env)
        options["providers"] = {name: _traits(target) for name, target in _named("providers", providers).items()}
        for name, target in _named("providers", providers).items():
            self._sit(f"providers.{name}", "Provider", target)
        options["embedders"] = {name: _embedder_traits(target) for name, target in _named("embedders", embedders).items()}
        for name, target in _named("embedders", embedders).items():
            self._sit(f"embedders.{name}", "Embedder", target)
        for place, trait, argument, given in (
            ("cache", "ResponseCache", "caches", caches),
            ("crm", "Crm", "crms", crms),
            ("ad_platform", "AdPlatform", "ad_platforms", ad_platforms),
        ):
            named = _named(argument, given)
            if len(named) > 1:
                raise ConfigInvalidError(f"{argument}: give at most one; {len(named)} were given", operation="client")
            for target in named.values():
                self._sit(place, trait, target)
        for name, target in _named("stores", stores).items():
            if name not in _STORES:
                raise ConfigInvalidError(f"stores: {name!r} is none; choose {', '.join(_STORES)}", operation="client")
            self._sit(f"stores.{name}", _STORES[name], target)
        if isinstance(secrets, Mapping):
            options["secrets"] = secrets
        elif secrets is not None:
            self._sit("secrets", "SecretSource", secrets)
        if clock is not None and not isinstance(getattr(clock, "native", None), _native.Clock):
            raise ConfigInvalidError("clock: give a xynergy.ManualClock", operation="client")
        if on_event is not None and not callable(on_event):
            raise ConfigInvalidError("on_event: give a function", operation="client")
        options.update(events=on_event is not None, seed=seed, host_timeout_ms=host_timeout_ms)
        hosts = [(seat.place, seat.key) for seat in self.seats]
        native = None if clock is None else clock.native
        try:
            self.engine = _native.Engine(_json.encode(options), hosts, native)
        except (TypeError, ValueError, RecursionError):
            raise ConfigInvalidError(_json.problem(options), operation="client") from None
        except _native.Failed as failure:
            error = from_json(failure.args[0])
            if error.operation == "arguments":
                raise ConfigInvalidError(_json.problem(options), operation="client") from None
            raise error from error.__cause__
        self.listener = None if on_event is None else _notices.Listener(on_event)
        if self.listener is not None:
            _notices.listeners[self.engine.id] = self.listener
        _notices.follow_level()
        _notices.ensure()
        if _loop.is_running():
            self.engine.live_in(_loop.current().native)

    def _sit(self, place: str, trait: str, target: Any) -> None:
        self.seats.append(Seat(place, trait, target))

    async def call(self, method: str, info: _native.Info, arguments: dict[str, Any]) -> Any:
        """Makes a call in the running loop. Cancelling the task cancels the call."""
        bridge = _loop.current()
        engine = self.engine
        try:
            answer = engine.start(bridge.native, method, info, _json.encode(arguments))
        except Exception as error:
            raise refused(error, method, arguments) from None
        if isinstance(answer, str):
            return _json.decode(answer)
        number = answer
        if self.seats:
            bridge.contexts[number] = contextvars.copy_context()
        try:
            return _json.decode(await bridge.expect(number))
        except asyncio.CancelledError:
            engine.cancel(number)
            raise

    def start(self, bridge: _loop.LoopBridge, method: str, info: _native.Info, arguments: dict[str, Any]) -> str | int:
        """Starts a call whose end the caller waits for by itself."""
        try:
            answer = self.engine.start(bridge.native, method, info, _json.encode(arguments))
        except Exception as error:
            raise refused(error, method, arguments) from None
        if self.seats and isinstance(answer, int):
            bridge.contexts[answer] = contextvars.copy_context()
        return answer

    def call_blocking(self, method: str, info: _native.Info, arguments: dict[str, Any]) -> Any:
        """Makes a call and waits in this thread, without the interpreter's lock."""
        _notices.ensure()
        engine = self.engine
        number = engine.next_call_id()
        bridge = None
        if self.seats:
            bridge = _background.ensure()
            bridge.contexts[number] = contextvars.copy_context()
        try:
            native = None if bridge is None else bridge.native
            return _json.decode(engine.call(number, native, method, info, _json.encode(arguments)))
        except (_native.Failed, TypeError, ValueError, RecursionError) as error:
            raise refused(error, method, arguments) from None
        finally:
            if bridge is not None:
                bridge.contexts.pop(number, None)

    async def close(self, grace: float) -> None:
        """Closes the engine."""
        bridge = _loop.current()
        await bridge.expect(self.engine.close(bridge.native, milliseconds("grace", grace)))

    def close_blocking(self, grace: float) -> None:
        """Closes the engine, waiting in this thread."""
        self.engine.close_blocking(milliseconds("grace", grace))


def refused(error: Exception, method: str, arguments: Any) -> Exception:
    """What the caller gets for an exception of the border."""
    if isinstance(error, _native.Failed):
        found = from_json(error.args[0])
        if found.operation != "arguments":
            return found
    elif not isinstance(error, (TypeError, ValueError, RecursionError)):
        return error
    return InvalidInputError(_json.problem(arguments), operation=method)


def settle(error: BaseException) -> XynergyError:
    """A failure of the native module as an exception of the library's."""
    assert isinstance(error, _native.Failed)
    return from_json(error.args[0])


def milliseconds(name: str, seconds: Any) -> int:
    """Seconds as whole milliseconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds < 0:
        raise InvalidInputError(f"{name}: {seconds!r} is no number of seconds; give 0 or more", operation="client")
    if seconds > 1e9:
        raise InvalidInputError(f"{name}: {seconds!r} seconds are too long; give at most 1e9", operation="client")
    return math.ceil(seconds * 1000)


def with_options(info: _native.Info, timeout: Any, request_id: Any) -> _native.Info:
    """The scope with what one call adds."""
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInputError(f"request_id: a {type(request_id).__name__} is no text", operation="client")
    limit = None if timeout is None else milliseconds("timeout", timeout)
    try:
        return info.with_options(request_id, limit)
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None
    except UnicodeEncodeError:
        raise InvalidInputError(f"request_id: {_json.problem(request_id)}", operation="client") from None


def info(fields: dict[str, Any]) -> _native.Info:
    """A scope's fields, checked."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return _native.Info(_json.encode(given))
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(_json.problem(given), operation="scope") from None


def _configuration(config: Any, from_env: bool) -> dict[str, Any]:
    if from_env:
        return {"from_env": True}
    if config is None:
        return {}
    if isinstance(config, os.PathLike):
        try:
            return {"config_toml": Path(config).read_text(encoding="utf-8")}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigInvalidError(f"config: {config} cannot be read as text: {error}", operation="client") from error
    if isinstance(config, str):
        return {"config_toml": config}
    if isinstance(config, (Mapping, Record)) or hasattr(config, "model_dump"):
        return {"config": config}
    problem = f"config: a {type(config).__name__} is none; give a dictionary, TOML text or the path of a TOML file"
    raise ConfigInvalidError(problem, operation="client")


def _named(argument: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigInvalidError(f"{argument}: give a dictionary of names and objects", operation="client")
    return dict(given)


def _embedder_traits(embedder: Any) -> dict[str, Any]:
    names = ("default_model", "max_inputs")
    return {name: getattr(embedder, name) for name in names if getattr(embedder, name, None) is not None}


def _traits(provider: Any) -> dict[str, Any]:
    found = {name: getattr(provider, name) for name in _TRAITS if getattr(provider, name, None) is not None}
    found.setdefault("streaming", callable(getattr(provider, "stream", None)))
    return found
