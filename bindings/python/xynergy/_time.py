"""A clock for tests and simulations."""

from __future__ import annotations

from datetime import datetime, timedelta

from xynergy import _native
from xynergy.errors import InvalidInputError, from_json


class ManualClock:
    """A clock that stands still until it is moved. Give it to `Client(clock=...)` and to `sandbox.start(clock=...)`."""

    def __init__(self, now: datetime | str = "2026-01-01T00:00:00Z") -> None:
        try:
            self.native = _native.Clock(_text(now))
        except _native.Failed as failure:
            raise from_json(failure.args[0]) from None

    def now(self) -> str:
        """Its time, as RFC 3339."""
        return self.native.now()

    def set(self, now: datetime | str) -> None:
        """Sets its time, forwards or backwards."""
        try:
            self.native.set(_text(now))
        except _native.Failed as failure:
            raise from_json(failure.args[0]) from None

    def advance(self, by: timedelta | float) -> None:
        """Moves it forwards, by a `timedelta` or by seconds."""
        span = by if isinstance(by, timedelta) else timedelta(seconds=by)
        micros = span // timedelta(microseconds=1)
        if micros < 0:
            raise InvalidInputError("by: time moves forwards; use set to go back", operation="clock")
        self.native.advance(micros)

    def __repr__(self) -> str:
        return f"ManualClock({self.now()!r})"


def _text(now: datetime | str) -> str:
    if isinstance(now, datetime):
        if now.tzinfo is None:
            raise InvalidInputError("now: a time without a time zone; give it one", operation="clock")
        return now.isoformat()
    if not isinstance(now, str):
        raise InvalidInputError(f"now: a {type(now).__name__} is no time; give a datetime or RFC 3339", operation="clock")
    return now
