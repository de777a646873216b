"""The asynchronous client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from xynergy import _core, _loop
from xynergy._areas import Areas, WholeMethods
from xynergy._chat import Chat
from xynergy._embeddings import EmbeddingCalls

if TYPE_CHECKING:
    import os

    from xynergy import hosts
    from xynergy._config import ConfigDict
    from xynergy._time import ManualClock


class Scope(Areas):
    """A client's areas for one tenant. Cheap to make: one for each request is fine."""

    __slots__ = ("chat", "embeddings", "tenant")

    def __init__(self, core: _core.Core, fields: Mapping[str, Any]) -> None:
        super().__init__(core, _core.info(dict(fields)))
        self.tenant: str = str(fields.get("tenant") or "default")
        self.chat = Chat(self._core, self._info)
        self.embeddings = EmbeddingCalls(self._core, self._info)
        self._open()

    def __repr__(self) -> str:
        return f"<xynergy scope of {self.tenant}>"


class Client(WholeMethods, Areas):
    """Everything, from one configuration: `async with xynergy.Client(config) as client`.

    Args:
        config: A dictionary (see `ConfigDict`), TOML text, or the path of a TOML file. Nothing is needed when `providers` bring all.
        providers: Your own AI providers, by name; see `xynergy.hosts.Provider`.
        embedders: Your own embedders, by name; see `xynergy.hosts.Embedder`.
        caches: At most one cache of answers of your own, by any name.
        ad_platforms: At most one ad platform of your own.
        stores: Your own stores: `state`, `clicks`, `revenue`.
        crms: At most one CRM of your own.
        secrets: Credentials by the names that the configuration refers to, or an object that finds them. The environment without it.
        clock: A clock that you move, for tests and simulations.
        on_event: Called with each event, as a dictionary, in a thread of this library's.
        seed: Makes every id and draw follow from it, for tests.
        host_timeout_ms: How long a method of your own objects may take; 30,000 without it.
    """

    __slots__ = ("chat", "embeddings")

    def __init__(
        self,
        config: ConfigDict | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        *,
        providers: Mapping[str, hosts.Provider] | None = None,
        embedders: Mapping[str, hosts.Embedder] | None = None,
        caches: Mapping[str, hosts.ResponseCache] | None = None,
        ad_platforms: Mapping[str, hosts.AdPlatform] | None = None,
        stores: Mapping[str, Any] | None = None,
        crms: Mapping[str, hosts.Crm] | None = None,
        secrets: Mapping[str, str] | hosts.SecretSource | None = None,
        clock: ManualClock | None = None,
        on_event: Callable[[dict[str, Any]], Any] | None = None,
        seed: int | None = None,
        host_timeout_ms: int | None = None,
        _from_env: bool = False,
    ) -> None:
        core = _core.Core(
            config=config,
            from_env=_from_env,
            providers=providers,
            embedders=embedders,
            caches=caches,
            ad_platforms=ad_platforms,
            stores=stores,
            crms=crms,
            secrets=secrets,
            clock=clock,
            on_event=on_event,
            seed=seed,
            host_timeout_ms=host_timeout_ms,
        )
        super().__init__(core, _core.NO_INFO)
        self.chat = Chat(core, self._info)
        self.embeddings = EmbeddingCalls(core, self._info)
        self._open()

    @classmethod
    def from_env(cls, **objects: Any) -> Client:
        """A client from environment variables: `XYNERGY_CONFIG` or the providers' keys. `objects` are as for `Client`."""
        return cls(None, _from_env=True, **objects)

    def scope(
        self,
        tenant: str | None = None,
        *,
        actor: str | None = None,
        request_id: str | None = None,
        traceparent: str | None = None,
    ) -> Scope:
        """The same for one tenant.

        Args:
            tenant: Whose calls they are.
            actor: The person or program that acts, for the audit trail.
            request_id: Your id of the request; one is made otherwise.
            traceparent: The W3C trace context to continue.
        """
        fields = {"tenant": tenant, "actor": actor, "request_id": request_id, "traceparent": traceparent}
        return Scope(self._core, fields)

    async def close(self, grace: float = 5.0) -> None:
        """Closes it: new calls are refused, those under way are waited for at most `grace` seconds and then cancelled; a budget write is
        always waited for. Closing twice does nothing."""
        await self._core.close(grace)

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._core.engine.is_closed

    async def __aenter__(self) -> Client:
        self._core.engine.live_in(_loop.current().native)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<xynergy.Client, {'closed' if self.is_closed else f'{self._core.engine.in_flight} calls under way'}>"
