"""The fixtures for pytest; they load the library only when a test uses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xynergy._time import ManualClock
    from xynergy.blocking import Client
    from xynergy.sandbox import BlockingSandbox


@pytest.fixture
def xynergy_clock() -> ManualClock:
    """A clock that stands at the beginning of 2026."""
    from xynergy.testing import frozen_clock

    return frozen_clock()


@pytest.fixture
def xynergy_sandbox() -> Iterator[BlockingSandbox]:
    """A fresh sandbox. `xynergy.Client(xynergy_sandbox.config, secrets=xynergy_sandbox.secrets)` talks to it from a coroutine."""
    from xynergy import sandbox

    with sandbox.start() as running:
        yield running


@pytest.fixture
def xynergy_client(xynergy_sandbox: BlockingSandbox) -> Iterator[Client]:
    """A blocking client that talks to the sandbox."""
    with xynergy_sandbox.client() as client:
        yield client
