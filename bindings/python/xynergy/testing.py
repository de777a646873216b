"""For the tests of your own code: a provider that says what you tell it, a clock that stands, the sandbox as a fixture, and the
behaviour suites for your own backends.

With pytest, the fixtures `xynergy_sandbox`, `xynergy_client` and `xynergy_clock` are there by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xynergy import _background, _json, _loop, _native
from xynergy._hosting import Seat
from xynergy._time import ManualClock
from xynergy.errors import InvalidInputError, from_json

if TYPE_CHECKING:
    from xynergy import hosts
    from xynergy._types import CallContext, ChatRequest

__all__ = [
    "Checked",
    "FakeProvider",
    "ManualClock",
    "check_ad_platform",
    "check_cache",
    "check_click_store",
    "check_crm",
    "check_provider",
    "check_revenue_store",
    "check_secrets",
    "check_state_store",
    "frozen_clock",
]


def frozen_clock(now: Any = "2026-01-01T00:00:00Z") -> ManualClock:
    """A clock that stands at `now` until it is moved."""
    return ManualClock(now)


class FakeProvider:
    """An AI provider that needs no network: `Client(providers={"fake": FakeProvider("hello")})`.

    Args:
        answers: What it says: a text for every request; several, one after the other, the last one for ever; or a function of the
            request. An exception among them is raised.
        default_model: The name of its model.

    Attributes:
        requests: Every request that it got, in order.
    """

    tools = True
    response_format = True
    images = True

    def __init__(
        self,
        answers: str | BaseException | Iterable[str | BaseException] | Callable[[ChatRequest], Any] = "This is a fake answer.",
        *,
        default_model: str = "fake-1",
    ) -> None:
        self.default_model = default_model
        self.requests: list[ChatRequest] = []
        self._function = answers if callable(answers) else None
        if callable(answers):
            self._answers: list[Any] = []
        elif isinstance(answers, (str, BaseException)):
            self._answers = [answers]
        else:
            self._answers = list(answers)
            if not self._answers:
                raise InvalidInputError("answers: give at least one", operation="testing.FakeProvider")

    def _next(self, request: ChatRequest) -> Any:
        self.requests.append(request)
        several = self._answers
        answer = self._function(request) if self._function else several[min(len(self.requests), len(several)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def chat(self, *, ctx: CallContext, request: ChatRequest) -> Any:
        """Answers with the next text."""
        return self._next(request)

    async def stream(self, *, ctx: CallContext, request: ChatRequest) -> Any:
        """Answers with the next text, word by word."""
        answer = self._next(request)
        for word in str(answer).split(" "):
            yield word if word is answer else f"{word} "


class Checked:
    """A suite that runs: without an event loop it has run already; else `await` it."""

    def __init__(self, running: Any) -> None:
        self._running = running

    def __await__(self) -> Generator[Any, None, None]:
        if self._running is not None:
            yield from self._running.__await__()


def _check(suite: str, trait: str, target: Any, options: Mapping[str, Any]) -> Checked:
    seat = Seat(suite, trait, target)
    try:
        text = _json.encode(options)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(_json.problem(options), operation=f"testing.check_{suite}") from None

    async def run() -> None:
        bridge = _loop.current()
        try:
            await bridge.expect(_native.check(bridge.native, suite, seat.key, text))
        except _native.Failed as failure:
            raise from_json(failure.args[0]) from None

    if _loop.is_running():
        return Checked(run())
    _background.run(run())
    return Checked(None)


def check_provider(provider: hosts.Provider) -> Checked:
    """Fails with `InvalidInputError` when the provider does not keep the contract. Like all suites: in a coroutine `await` it, elsewhere
    the call returns when it is over."""
    from xynergy._core import _traits

    return _check("provider", "Provider", provider, _traits(provider))


def check_embedder(embedder: hosts.Embedder) -> Checked:
    """The same for an embedder."""
    from xynergy._core import _embedder_traits

    return _check("embedder", "Embedder", embedder, _embedder_traits(embedder))


def check_cache(cache: hosts.ResponseCache) -> Checked:
    """The same for a cache, which must be empty."""
    return _check("cache", "ResponseCache", cache, {})


def check_secrets(source: hosts.SecretSource, *, name: str, value: str) -> Checked:
    """The same for a source of credentials that has one of this name and value."""
    return _check("secrets", "SecretSource", source, {"name": name, "value": value})


def check_crm(crm: hosts.Crm, *, deals: Mapping[str, Any], contacts: Mapping[str, Any]) -> Checked:
    """The same for a CRM that holds these deals and contacts, by id."""
    return _check("crm", "Crm", crm, {"deals": deals, "contacts": contacts})


def check_ad_platform(platform: hosts.AdPlatform, *, account_id: str, owner: Any) -> Checked:
    """The same for an ad platform; `owner` is an object of the account that has a daily budget."""
    return _check("ad_platform", "AdPlatform", platform, {"account_id": account_id, "owner": owner})


def check_state_store(store: hosts.StateStore) -> Checked:
    """The same for a store of documents, which must be empty."""
    return _check("state_store", "StateStore", store, {})


def check_click_store(store: hosts.ClickStore) -> Checked:
    """The same for a store of clicks, which must be empty."""
    return _check("click_store", "ClickStore", store, {})


def check_revenue_store(store: hosts.RevenueStore) -> Checked:
    """The same for a store of CRM events and revenue, which must be empty."""
    return _check("revenue_store", "RevenueStore", store, {})
