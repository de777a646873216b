"""The same client for code without an event loop: `with xynergy.blocking.Client(config) as client`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from xynergy import _core
from xynergy._blocking_areas import Areas, WholeMethods
from xynergy._chat import BlockingChat
from xynergy._embeddings import BlockingEmbeddingCalls

if TYPE_CHECKING:
    import os

    from xynergy import hosts
    from xynergy._config import ConfigDict
    from xynergy._time import ManualClock

__all__ = ["Client", "Scope"]


class Scope(Areas):
    """A client's areas for one tenant. Cheap to make: one for each request is fine."""

    __slots__ = ("chat", "embeddings", "tenant")

    def __init__(self, core: _core.Core, fields: Mapping[str, Any]) -> None:
        super().__init__(core, _core.info(dict(fields)))
        self.tenant: str = str(fields.get("tenant") or "default")
        self.chat = BlockingChat(self._core, self._info)
        self.embeddings = BlockingEmbeddingCalls(self._core, self._info)
        self._open()

    def __repr__(self) -> str:
        return f"<xynergy scope of {self.tenant}>"


class Client(WholeMethods, Areas):
    """As `xynergy.Client`, with methods that wait. Any number of threads may use one. Methods of your own objects that are async run in
    a loop in the background."""

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
        self.chat = BlockingChat(core, self._info)
        self.embeddings = BlockingEmbeddingCalls(core, self._info)
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
        """The same for one tenant; the arguments are those of `xynergy.Client.scope`."""
        fields = {"tenant": tenant, "actor": actor, "request_id": request_id, "traceparent": traceparent}
        return Scope(self._core, fields)

    def close(self, grace: float = 5.0) -> None:
        """Closes it, as `xynergy.Client.close`."""
        self._core.close_blocking(grace)

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._core.engine.is_closed

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<xynergy.blocking.Client, {'closed' if self.is_closed else f'{self._core.engine.in_flight} calls under way'}>"
