# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""What your own objects have to do to stand in for a provider, a cache, a store and so on.

Methods may be `async` or not. Arguments come by name. What is returned may be a record, or a dictionary of the same fields.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, Union

from xynergy import _types as t
from xynergy._record import Records

T = TypeVar("T", covariant=True)
Answer = Union[T, Awaitable[T]]
"""The value, or something to await for it."""

class Provider(Protocol):
    """An AI provider. Its attributes `default_model`, `tools`, `response_format` and `images` say what it can do."""

    def chat(self, *, ctx: t.CallContext, request: t.ChatRequest) -> Answer[str | Union[t.ChatResponse, Mapping[str, Any]]]:
        """Answers a request: with a chat completion, or with the text alone."""
        ...


class StreamingProvider(Provider, Protocol):
    """An AI provider. Its attributes `default_model`, `tools`, `response_format` and `images` say what it can do. One that also answers in pieces."""

    def stream(self, *, ctx: t.CallContext, request: t.ChatRequest) -> AsyncIterable[str | Union[t.ChatChunk, Mapping[str, Any]]] | Iterable[str | Union[t.ChatChunk, Mapping[str, Any]]] | Awaitable[AsyncIterable[str | Union[t.ChatChunk, Mapping[str, Any]]]]:
        """Answers in pieces: chunks, or text. May be absent."""
        ...


class Embedder(Protocol):
    """Embeds texts. Its attributes `default_model` and `max_inputs` say what it can do."""

    def embed(self, *, ctx: t.CallContext, request: t.EmbedRequest) -> Answer[Union[t.EmbedResponse, Mapping[str, Any]]]:
        """One vector for each text of `request.input`, in their order and all of the same length, and the tokens where they are known."""
        ...


class ResponseCache(Protocol):
    """A cache of answers. An error is taken as a miss."""

    def get(self, *, tenant: str, key: str, now: t.Timestamp) -> Answer[Union[t.ChatResponse, Mapping[str, Any]] | None]:
        """The answer under a key, unless it has expired at `now`; nothing when there is none."""
        ...

    def put(self, *, tenant: str, key: str, response: t.ChatResponse, expires_at: t.Timestamp) -> Answer[None]:
        """Keeps an answer, replacing an older one."""
        ...

    def invalidate(self, *, tenant: str, pattern: str) -> Answer[int]:
        """Drops the tenant's answers whose key, or whose `provider/model`, matches `pattern`, in which `*` stands for anything, and says how many."""
        ...


class SecretSource(Protocol):
    """A source of credentials, as a vault."""

    def get(self, *, tenant: str, reference: t.SecretRef) -> Answer[str | None]:
        """The credential that `reference` names; nothing when there is none."""
        ...


class Crm(Protocol):
    """A CRM to read deals and contacts from."""

    def deals(self, *, ctx: t.CallContext, ids: Records[str]) -> Answer[Mapping[str, Union[t.Deal, Mapping[str, Any]]]]:
        """The deals of these ids, with the ids of their contacts. Those that it lacks are absent."""
        ...

    def contacts(self, *, ctx: t.CallContext, ids: Records[str]) -> Answer[Mapping[str, Union[t.Contact, Mapping[str, Any]]]]:
        """The contacts of these ids. Those that it lacks are absent."""
        ...


class AdPlatform(Protocol):
    """An ad platform. A write is one request and never repeated: an error other than `unauthorized`, `throttled`, `rejected`, `invalid_input`, `not_found` and `unsupported` means that it may have taken effect."""

    def account(self, *, ctx: t.CallContext, account_id: str) -> Answer[Union[t.AccountState, Mapping[str, Any]]]:
        """The currency and the platform's own limits of an account."""
        ...

    def owner(self, *, ctx: t.CallContext, owner: t.Owner) -> Answer[Union[t.OwnerState, Mapping[str, Any]]]:
        """The budget owner now; `not_found` when there is no such object."""
        ...

    def owners(self, *, ctx: t.CallContext, account_id: str) -> Answer[Sequence[Union[t.OwnerState, Mapping[str, Any]]]]:
        """Every object of the account that has a daily budget."""
        ...

    def set(self, *, ctx: t.CallContext, write: t.AdWrite) -> Answer[None]:
        """Sends one write, once. Returning means that the platform confirmed it."""
        ...

    def validate(self, *, ctx: t.CallContext, write: t.AdWrite) -> Answer[None]:
        """Asks the platform whether it would accept the write; changes nothing."""
        ...

    def activities(self, *, ctx: t.CallContext, account_id: str, owner: t.Owner, since: t.Timestamp) -> Answer[Sequence[Union[t.Activity, Mapping[str, Any]]]]:
        """The edits of an owner since a time, oldest first; `unsupported` where the platform keeps no log."""
        ...

    def insights(self, *, ctx: t.CallContext, account_id: str, since: t.Timestamp, until: t.Timestamp) -> Answer[Sequence[Union[t.AdInsight, Mapping[str, Any]]]]:
        """What each ad did from the day of `since` to the day of `until`, both included, by ad id."""
        ...


class StateStore(Protocol):
    """A store of small versioned documents."""

    def get(self, *, tenant: str, collection: str, key: str) -> Answer[Union[t.Document, Mapping[str, Any]] | None]:
        """The document; nothing when there is none."""
        ...

    def put(self, *, tenant: str, collection: str, key: str, expected: int | None, value: str) -> Answer[int]:
        """Writes a document whole and returns its new version; `conflict` when `expected` is given and is not the stored version, 0 expecting that there is none."""
        ...

    def list(self, *, tenant: str, collection: str) -> Answer[Sequence[Sequence[Any]]]:
        """The documents of a collection as pairs of key and document, by key in byte order."""
        ...


class ClickStore(Protocol):
    """A store of clicks."""

    def track(self, *, tenant: str, clicks: Records[t.Click], source: str) -> Answer[Union[t.Tracked, Mapping[str, Any]]]:
        """Stores a batch at once or not at all; of the clicks of one key on one day (UTC) the first stays."""
        ...

    def candidates(self, *, tenant: str, keys: Records[t.KeyedHash], from_: t.Timestamp, to: t.Timestamp) -> Answer[Sequence[Union[t.Candidate, Mapping[str, Any]]]]:
        """Of each key, the clicks at its latest time within `from` to `to`, all when several share it, in the order of the fields."""
        ...

    def around(self, *, tenant: str, networks: Records[t.KeyedHash], from_: t.Timestamp, to: t.Timestamp, limit: int) -> Answer[Union[t.Around, Mapping[str, Any]]]:
        """The clicks whose `personal.device.network` is one of `networks`, within `from` to `to`: the newest, at most `limit`, by time and then key, both descending, and how many there are."""
        ...

    def prune(self, *, tenant: str, before: t.Timestamp) -> Answer[Union[t.Pruned, Mapping[str, Any]]]:
        """Forgets the clicks of every day (UTC) that has ended by `before`; what `clicks_by_ad` and `count` say stays."""
        ...

    def erase(self, *, tenant: str, keys: Records[t.KeyedHash]) -> Answer[Union[t.Erased, Mapping[str, Any]]]:
        """Forgets the clicks that have one of these keys, as their own or as one that they are found by, and says which, by key; what `clicks_by_ad` and `count` say stays."""
        ...

    def clicks_by_ad(self, *, tenant: str, from_: t.Timestamp, to: t.Timestamp) -> Answer[Sequence[Union[t.AdClicks, Mapping[str, Any]]]]:
        """How often each ad was clicked on each day (UTC) from that of `from` to that of `to`, in the order of the fields, with the clicks that were forgotten."""
        ...

    def count(self, *, tenant: str, source: str | None) -> Answer[int]:
        """How many clicks were stored, by one ingest or by all."""
        ...


class RevenueStore(Protocol):
    """The inbox of CRM events and the revenue ledger that is folded from it."""

    def append_events(self, *, tenant: str, events: Records[t.CrmEvent], source: str) -> Answer[Union[t.Appended, Mapping[str, Any]]]:
        """Stores a batch at once or not at all. Of events of the same key, the smallest `raw` and the earliest `recorded_at` are kept."""
        ...

    def pending_deals(self, *, tenant: str, limit: int) -> Answer[Sequence[str]]:
        """Up to `limit` deals with events that their stored state has not seen, or whose `values_seen` is below the sum of `events_seen + 1` of all revaluations; by id in byte order."""
        ...

    def events(self, *, tenant: str, deal_id: str) -> Answer[Sequence[Union[t.CrmEvent, Mapping[str, Any]]]]:
        """The events that concern a deal, by key."""
        ...

    def events_after(self, *, tenant: str, after: t.KeyedHash | None, limit: int) -> Answer[Sequence[Union[t.CrmEvent, Mapping[str, Any]]]]:
        """The events that concern any deal, by key, from behind `after` on."""
        ...

    def count_until(self, *, tenant: str, until: t.Timestamp) -> Answer[int]:
        """How many events that concern deals happened at `until` or before."""
        ...

    def put_deals(self, *, tenant: str, deals: Records[t.DealRevenue]) -> Answer[bool]:
        """Replaces the states and ledgers of these deals at once; false, and nothing written, when a stored state has seen more events or greater values."""
        ...

    def deals(self, *, tenant: str) -> Answer[Sequence[Union[t.DealRevenue, Mapping[str, Any]]]]:
        """Every deal that was put with a stage, by id in byte order."""
        ...

    def find_deals(self, *, tenant: str, ids: Records[str]) -> Answer[Sequence[Union[t.DealRevenue, Mapping[str, Any]]]]:
        """Those of these deals that were put with a stage, by id in byte order."""
        ...

    def totals(self, *, tenant: str) -> Answer[Union[t.RevenueTotals, Mapping[str, Any]]]:
        """The sums over the deals that were put with a stage and not merged into others."""
        ...

    def count_events(self, *, tenant: str, source: str | None) -> Answer[int]:
        """How many events were stored, by one ingest or by all."""
        ...

    def put_revaluation(self, *, tenant: str, revaluation: t.Revaluation) -> Answer[bool]:
        """Stores a revaluation, one for each cut; false, and nothing written, when the stored one has seen more events. The earliest `recorded_at` of a cut is kept."""
        ...

    def revaluations(self, *, tenant: str) -> Answer[Sequence[Union[t.Revaluation, Mapping[str, Any]]]]:
        """Every revaluation, by cut."""
        ...


ARGUMENTS: dict[str, dict[str, dict[str, str]]] = {
 "Provider": {
  "chat": {
   "ctx": "CallContext",
   "request": "ChatRequest"
  },
  "stream": {
   "ctx": "CallContext",
   "request": "ChatRequest"
  }
 },
 "Embedder": {
  "embed": {
   "ctx": "CallContext",
   "request": "EmbedRequest"
  }
 },
 "ResponseCache": {
  "get": {
   "tenant": "",
   "key": "",
   "now": ""
  },
  "put": {
   "tenant": "",
   "key": "",
   "response": "ChatResponse",
   "expires_at": ""
  },
  "invalidate": {
   "tenant": "",
   "pattern": ""
  }
 },
 "SecretSource": {
  "get": {
   "tenant": "",
   "reference": "SecretRef"
  }
 },
 "Crm": {
  "deals": {
   "ctx": "CallContext",
   "ids": ""
  },
  "contacts": {
   "ctx": "CallContext",
   "ids": ""
  }
 },
 "AdPlatform": {
  "account": {
   "ctx": "CallContext",
   "account_id": ""
  },
  "owner": {
   "ctx": "CallContext",
   "owner": "Owner"
  },
  "owners": {
   "ctx": "CallContext",
   "account_id": ""
  },
  "set": {
   "ctx": "CallContext",
   "write": "AdWrite"
  },
  "validate": {
   "ctx": "CallContext",
   "write": "AdWrite"
  },
  "activities": {
   "ctx": "CallContext",
   "account_id": "",
   "owner": "Owner",
   "since": ""
  },
  "insights": {
   "ctx": "CallContext",
   "account_id": "",
   "since": "",
   "until": ""
  }
 },
 "StateStore": {
  "get": {
   "tenant": "",
   "collection": "",
   "key": ""
  },
  "put": {
   "tenant": "",
   "collection": "",
   "key": "",
   "expected": "",
   "value": ""
  },
  "list": {
   "tenant": "",
   "collection": ""
  }
 },
 "ClickStore": {
  "track": {
   "tenant": "",
   "clicks": "[Click]",
   "source": ""
  },
  "candidates": {
   "tenant": "",
   "keys": "",
   "from": "",
   "to": ""
  },
  "around": {
   "tenant": "",
   "networks": "",
   "from": "",
   "to": "",
   "limit": ""
  },
  "prune": {
   "tenant": "",
   "before": ""
  },
  "erase": {
   "tenant": "",
   "keys": ""
  },
  "clicks_by_ad": {
   "tenant": "",
   "from": "",
   "to": ""
  },
  "count": {
   "tenant": "",
   "source": ""
  }
 },
 "RevenueStore": {
  "append_events": {
   "tenant": "",
   "events": "[CrmEvent]",
   "source": ""
  },
  "pending_deals": {
   "tenant": "",
   "limit": ""
  },
  "events": {
   "tenant": "",
   "deal_id": ""
  },
  "events_after": {
   "tenant": "",
   "after": "",
   "limit": ""
  },
  "count_until": {
   "tenant": "",
   "until": ""
  },
  "put_deals": {
   "tenant": "",
   "deals": "[DealRevenue]"
  },
  "deals": {
   "tenant": ""
  },
  "find_deals": {
   "tenant": "",
   "ids": ""
  },
  "totals": {
   "tenant": ""
  },
  "count_events": {
   "tenant": "",
   "source": ""
  },
  "put_revaluation": {
   "tenant": "",
   "revaluation": "Revaluation"
  },
  "revaluations": {
   "tenant": ""
  }
 }
}
"""How the arguments of each method are decoded."""

REQUIRED: dict[str, list[str]] = {"Provider": ["chat"], "Embedder": ["embed"], "ResponseCache": ["get", "put", "invalidate"], "SecretSource": ["get"], "Crm": ["deals", "contacts"], "AdPlatform": ["account", "owner", "owners", "set", "validate", "activities", "insights"], "StateStore": ["get", "put", "list"], "ClickStore": ["track", "candidates", "around", "prune", "erase", "clicks_by_ad", "count"], "RevenueStore": ["append_events", "pending_deals", "events", "events_after", "count_until", "put_deals", "deals", "find_deals", "totals", "count_events", "put_revaluation", "revaluations"]}
"""The methods that each must have."""
