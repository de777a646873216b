"""A clock for tests and simulations."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from xynergy import _native
from xynergy.errors import InvalidInputError, from_json

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))")


def to_micros(time: str) -> int:
    """A time of a result, or of a host object's argument, as microseconds since 1970. Compare these: as texts, times with and without a
    fraction of a second are in the wrong order."""
    if time.endswith("us"):  # Beyond any calendar.
        return int(time[:-2])
    found = _RFC_3339.fullmatch(time)
    if found is None:
        raise InvalidInputError(f"time: {time!r} is none; give RFC 3339, as 2026-03-01T12:00:00Z", operation="time")
    day, clock, fraction, offset = found.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{offset or '+00:00'}")
    return (whole - _EPOCH) // timedelta(microseconds=1) + int(f"{fraction or ''}000000"[:6])


def to_datetime(time: str) -> datetime:
    """A time of a result as a `datetime` in UTC."""
    try:
        return _EPOCH + timedelta(microseconds=to_micros(time))
    except OverflowError:
        raise InvalidInputError(f"time: {time!r} is beyond the calendar", operation="time") from None


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
