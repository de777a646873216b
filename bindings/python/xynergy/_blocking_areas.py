# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""The methods of `xynergy.blocking.Client`, by area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xynergy import _types as t
from xynergy._blocking_area import BlockingArea
from xynergy._json import raw
from xynergy._record import Records, decode
from xynergy._streams import BlockingChatStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from xynergy import _arguments as a

class WholeMethods(BlockingArea):
    """The methods of the client itself."""

    __slots__ = ()

    def health(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Health:
        """How the client and everything that it talks to fare. Every check really connects, reads or writes; the whole answers within five seconds."""
        found: t.Health = decode(self._call("health", {}, timeout, request_id), "Health")
        return found

    def migrate(self, print_sql: bool | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Migration:
        """Brings the tables of the store to this version; with `print_sql` it only returns the SQL, for those who migrate with a tool of their own.

        Args:
            print_sql: Whether the SQL is returned and nothing is done.
        """
        found: t.Migration = decode(self._call("migrate", {"print_sql": print_sql}, timeout, request_id), "Migration")
        return found

    def tick(self, *, timeout: float | None = None, request_id: str | None = None) -> t.RunReport:
        """Does every budget change that is due now, of all tenants, and returns: what a scheduler calls."""
        found: t.RunReport = decode(self._call("tick", {}, timeout, request_id), "RunReport")
        return found

    def metrics(self, *, timeout: float | None = None, request_id: str | None = None) -> str:
        """What happened in this process and what is still to be done, of all tenants together, in Prometheus' text format."""
        found: str = self._call("metrics", {}, timeout, request_id)
        return found

class AiMethods(BlockingArea):
    """The methods of `ai`."""

    __slots__ = ()

    def generate(self, prompt: str, max_tokens: int | None = None, temperature: float | None = None, tags: Sequence[str] | None = None, cache: bool | None = None, key: str | None = None, session: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Generation:
        """Answers a prompt by the cheapest provider that can answer it well. The limit of the answer is sized unless `max_tokens` gives one, and an answer that our limit cut is continued before it is returned.

        Args:
            prompt: The prompt.
            max_tokens: The greatest number of tokens of the answer; obeyed as it is. None lets the library size it.
            temperature: How freely the model chooses, 0 to 2; 0.7 when absent.
            tags: Names under which the spend is counted and limited.
            cache: False neither reads nor fills the cache.
            key: A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret itself.
            session: A name of the caller's for the conversation that the prompt belongs to. By it `sticky` and `canary` routes keep a conversation at one model.
        """
        found: t.Generation = decode(self._call("ai.generate", {"prompt": prompt, "max_tokens": max_tokens, "temperature": temperature, "tags": tags, "cache": cache, "key": key, "session": session}, timeout, request_id), "Generation")
        return found

    def chat(self, request: a.ChatRequestLike, *, timeout: float | None = None, request_id: str | None = None) -> t.ChatResponse:
        """Answers a conversation in OpenAI's chat-completion shape. Every field that OpenAI's API has passes through.

        Args:
            request: The conversation and how to answer it.
        """
        found: t.ChatResponse = decode(self._call("ai.chat", {"request": request}, timeout, request_id), "ChatResponse")
        return found

    def stream(self, request: a.ChatRequestLike, *, timeout: float | None = None, request_id: str | None = None) -> BlockingChatStream:
        """Answers a conversation in pieces. The last piece has no choices but the usage, the outcome and the report. A stream that breaks ends with an error, never as a complete answer.

        Args:
            request: The conversation and how to answer it.
        """
        return BlockingChatStream(self._core, self._options(timeout, request_id), {"request": request})

    def embed(self, input: Sequence[str], model: str | None = None, dimensions: int | None = None, tags: Sequence[str] | None = None, key: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Embeddings:
        """Embeds texts: a vector each, in their order. More than the provider takes at once are sent in several requests; if one of them fails, the call fails. Only providers of the same model stand in for one another.

        Args:
            input: The texts.
            model: Which model: `PROVIDER/MODEL`, the model of one of the embedders, or a provider for its default one; the configured model when absent. Vectors of different models cannot be compared.
            dimensions: How long the vectors are to be, where the model can shorten them.
            tags: Names under which the spend is counted and limited.
            key: A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret itself.
        """
        found: t.Embeddings = decode(self._call("ai.embed", {"input": input, "model": model, "dimensions": dimensions, "tags": tags, "key": key}, timeout, request_id), "Embeddings")
        return found

    def route(self, request: a.PromptOrRequest, *, timeout: float | None = None, request_id: str | None = None) -> t.RouteDecision:
        """Which models would be asked in which order, and why. Sends nothing.

        Args:
            request: A prompt, or a conversation.
        """
        found: t.RouteDecision = decode(self._call("ai.route", {"request": request}, timeout, request_id), "RouteDecision")
        return found

    def count_tokens(self, request: a.PromptOrRequest, model: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.TokenCount:
        """How many tokens a text or a request has for a model; an estimate with a stated error unless `exact` says otherwise. A text is counted as it is, a request as its prompt is billed.

        Args:
            request: A text, or a conversation.
            model: For which model; the request's own when absent.
        """
        found: t.TokenCount = decode(self._call("ai.count_tokens", {"request": request, "model": model}, timeout, request_id), "TokenCount")
        return found

    def optimize_tokens(self, prompt: str, default_limit: int | None = None, user_limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.TokenOptimization:
        """The limit that an answer to a prompt would get, and what it saves.

        Args:
            prompt: The prompt.
            default_limit: The limit where nothing speaks for a lower one; 512 when absent.
            user_limit: The user's limit, which is never raised.
        """
        found: t.TokenOptimization = decode(self._call("ai.optimize_tokens", {"prompt": prompt, "default_limit": default_limit, "user_limit": user_limit}, timeout, request_id), "TokenOptimization")
        return found

    def spend(self, since: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Spend:
        """What the tenant spent since `since`, rounded down to the minute; all that is kept when absent.

        Args:
            since: From when on.
        """
        found: t.Spend = decode(self._call("ai.spend", {"since": since}, timeout, request_id), "Spend")
        return found

    def set_limit(self, scope: a.LimitScope, window: a.Window, amount_nano_usd: int, hard: bool, zone: a.Zone | None = None, *, timeout: float | None = None, request_id: str | None = None) -> None:
        """Sets a spend limit of the tenant, at once, in billionths of a dollar. It replaces the one of the same scope and window; a hard one refuses what would pass it.

        Args:
            scope: `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
            window: The span of the calendar that it is for.
            amount_nano_usd: The limit in billionths of a dollar.
            hard: Whether it refuses; otherwise it only reports.
            zone: Whose calendar and clock the span is of: an IANA name, as `Europe/Berlin`; UTC when absent.
        """
        self._call("ai.set_limit", {"scope": scope, "window": window, "amount_nano_usd": amount_nano_usd, "hard": hard, "zone": zone}, timeout, request_id)

    def remove_limit(self, scope: a.LimitScope, window: a.Window, *, timeout: float | None = None, request_id: str | None = None) -> bool:
        """Removes the spend limit of the tenant of this scope and window, and says whether there was one. One of the configuration then holds again.

        Args:
            scope: `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
            window: The span of the calendar that it is for.
        """
        found: bool = self._call("ai.remove_limit", {"scope": scope, "window": window}, timeout, request_id)
        return found

    def reload_prices(self, *, timeout: float | None = None, request_id: str | None = None) -> t.PriceReport:
        """Reads `ai.price_file` again and takes its prices from now on, and says what it held. A file that cannot be read leaves the prices as they are."""
        found: t.PriceReport = decode(self._call("ai.reload_prices", {}, timeout, request_id), "PriceReport")
        return found

    def cache_stats(self, *, timeout: float | None = None, request_id: str | None = None) -> t.CacheStats:
        """How the response cache fares for the tenant, in this process."""
        found: t.CacheStats = decode(self._call("ai.cache_stats", {}, timeout, request_id), "CacheStats")
        return found

    def cache_invalidate(self, pattern: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """Drops the tenant's cached answers whose `provider/model` matches `pattern`, in which `*` stands for anything; all of them when absent. Returns how many.

        Args:
            pattern: What to drop.
        """
        found: int = self._call("ai.cache_invalidate", {"pattern": pattern}, timeout, request_id)
        return found

class AttributionMethods(BlockingArea):
    """The methods of `attribution`."""

    __slots__ = ()

    def track_click(self, click: Mapping[str, Any], *, timeout: float | None = None, request_id: str | None = None) -> str:
        """Stores a click on an ad and returns its id. Fields: `ts` (RFC 3339), `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`, `user_agent`, `consent`, and perhaps `accept_language`, `click_id`, `x_forwarded_for`, `client_hints` (the `Sec-CH-UA` headers by name) and `fbc`; every other field is kept. Without consent nothing that identifies is stored. A known bot's click is not stored.

        Args:
            click: The click.
        """
        found: str = self._call("attribution.track_click", {"click": click}, timeout, request_id)
        return found

    def track_clicks(self, clicks: Sequence[Any], source: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.TrackedClicks:
        """Stores clicks, all of those that are clicks at once, and reports the rest by their index. Giving the same batch again stores nothing twice. `source` names the batch, for counting.

        Args:
            clicks: The clicks: objects, or lines of JSON.
            source: The name of the batch.
        """
        found: t.TrackedClicks = decode(self._call("attribution.track_clicks", {"clicks": clicks, "source": source}, timeout, request_id), "TrackedClicks")
        return found

    def count_clicks(self, source: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """How many clicks are stored, of all or of one batch.

        Args:
            source: The name of the batch.
        """
        found: int = self._call("attribution.count_clicks", {"source": source}, timeout, request_id)
        return found

    def totals(self, *, timeout: float | None = None, request_id: str | None = None) -> t.RevenueTotals:
        """Revenue by ad and the number of deals by layer, of everything that was processed."""
        found: t.RevenueTotals = decode(self._call("attribution.totals", {}, timeout, request_id), "RevenueTotals")
        return found

    def deals(self, as_of: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.DealRevenue]:
        """Every processed deal with its value, its ledger and its match, by id; as it was known at `as_of` when that is given, by what had arrived then.

        Args:
            as_of: By what had arrived at this time; now when absent.
        """
        found: Records[t.DealRevenue] = decode(self._call("attribution.deals", {"as_of": as_of}, timeout, request_id), "[DealRevenue]")
        return found

    def stages(self, *, timeout: float | None = None, request_id: str | None = None) -> t.StageValues:
        """What a deal is worth by its stage."""
        found: t.StageValues = decode(self._call("attribution.stages", {}, timeout, request_id), "StageValues")
        return found

    def clicks_by_ad(self, since: a.Timestamp | None = None, until: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AdClicks]:
        """How often each ad was clicked on each day (UTC), from the day of `since` to that of `until`, both included; of all days without them. It counts clicks that were pruned or erased.

        Args:
            since: A moment of the first day.
            until: A moment of the last day.
        """
        found: Records[t.AdClicks] = decode(self._call("attribution.clicks_by_ad", {"since": since, "until": until}, timeout, request_id), "[AdClicks]")
        return found

    def erase(self, subject: a.ErasureSubjectLike, *, timeout: float | None = None, request_id: str | None = None) -> t.Erasure:
        """Erases the clicks of a person: everything that identifies, and every key of theirs. How often an ad was clicked on a day stays, and nothing can be linked to the person again.

        Args:
            subject: Whose clicks.
        """
        found: t.Erasure = decode(self._call("attribution.erase", {"subject": subject}, timeout, request_id), "Erasure")
        return found

    def prune(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Pruning:
        """Forgets the clicks of every day that ended before the configured retention, and throws away the keys under which they were hashed. How often an ad was clicked on a day stays. Call it once a day."""
        found: t.Pruning = decode(self._call("attribution.prune", {}, timeout, request_id), "Pruning")
        return found

    def credit(self, paths: Sequence[a.TouchPathLike], model: a.CreditModel, lookback_days: int | None = None, lookback_steps: int | None = None, direct_channels: Sequence[str] | None = None, weights: a.PositionWeightsLike | None = None, half_life_seconds: int | None = None, order: int | None = None, nulls: bool | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Credits:
        """The credit of every channel in `paths` by one model, in whole millionths of a conversion and minor units that sum to the total exactly. The answer names the model and the parameters that it ran with. `direct_channels` belongs to `last_non_direct`, `weights` to `position`, `half_life_seconds` to `time_decay`, `order` (1 to 4) and `nulls` to `markov`; `lookback_days` and `lookback_steps` to all. Nothing is stored.

        Args:
            paths: The touches before conversions, and before none.
            model: How the conversions are divided.
            lookback_days: Only touches at most so many days before the conversion count.
            lookback_steps: Only the last so many touches count.
            direct_channels: The channels that are no marketing: `["direct"]` by default.
            weights: Of the first touch, those between together, and the last: 40, 20 and 40 by default.
            half_life_seconds: 7 days by default.
            order: How many touches the chain remembers: 1 to 4, 1 by default.
            nulls: Whether paths without a conversion are part of the chain: true by default.
        """
        found: t.Credits = decode(self._call("attribution.credit", {"paths": paths, "model": model, "lookback_days": lookback_days, "lookback_steps": lookback_steps, "direct_channels": direct_channels, "weights": weights, "half_life_seconds": half_life_seconds, "order": order, "nulls": nulls}, timeout, request_id), "Credits")
        return found

    def paths(self, journeys: Sequence[a.JourneyLike], after_conversion: a.AfterConversion | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.TouchPath]:
        """The paths of journeys, for `attribution.credit`: one for each conversion, and one without a conversion for the touches after the last one. With `after_conversion` as `restart` a conversion's path begins behind the conversion before it.

        Args:
            journeys: What is known of each person.
            after_conversion: Which touches a further conversion is owed to: `keep` (all before it, the default) or `restart`.
        """
        found: Records[t.TouchPath] = decode(self._call("attribution.paths", {"journeys": journeys, "after_conversion": after_conversion}, timeout, request_id), "[TouchPath]")
        return found

    def train(self, least_masked: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Trained:
        """Learns how probable matches are from the tenant's own clicks and deals: weights without labels, and calibration on deals whose click is known by its id and hidden on purpose. Returns what choosing by probability brings over choosing by tier. `least_masked` is how many deals with a known click it takes: 200 by default.

        Args:
            least_masked: How many deals with a known click it takes.
        """
        found: t.Trained = decode(self._call("attribution.train", {"least_masked": least_masked}, timeout, request_id), "Trained")
        return found

    def explain(self, deal_id: str, *, timeout: float | None = None, request_id: str | None = None) -> t.Explanation:
        """Why a deal is attributed as it is: its receipt, checked and replayed, in words and as a picture (SVG).

        Args:
            deal_id: The CRM's id of the deal.
        """
        found: t.Explanation = decode(self._call("attribution.explain", {"deal_id": deal_id}, timeout, request_id), "Explanation")
        return found

    def verify_receipt(self, receipt: str, *, timeout: float | None = None, request_id: str | None = None) -> t.ReceiptCheck:
        """Checks a receipt that was kept somewhere: one changed byte fails, and what it lists must lead to what it says.

        Args:
            receipt: The receipt of a match.
        """
        found: t.ReceiptCheck = decode(self._call("attribution.verify_receipt", {"receipt": receipt}, timeout, request_id), "ReceiptCheck")
        return found

    def synthetic_revenue(self, stage_to: str, stage_from: str | None = None, pipeline: str | None = None, amount: str | None = None, currency: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.StageWorth:
        """What a deal in `stage_to` is worth and what its move there changes, by the values that hold now. `amount` is in major units of `currency`, as decimal text.

        Args:
            stage_to: The CRM's id of the stage after the move.
            stage_from: The stage before it; none for a new deal.
            pipeline: The CRM's id of the pipeline.
            amount: The deal's amount in major units, as decimal text.
            currency: The amount's currency; that of the configuration when absent.
        """
        found: t.StageWorth = decode(self._call("attribution.synthetic_revenue", {"stage_to": stage_to, "stage_from": stage_from, "pipeline": pipeline, "amount": amount, "currency": currency}, timeout, request_id), "StageWorth")
        return found

    def revalue(self, cut: a.Timestamp, *, timeout: float | None = None, request_id: str | None = None) -> t.StageTable:
        """Learns the stages' values from the events up to `cut` and applies them from there on: every deal gets an entry of its own at the cut, with the next `hubspot.process`. Late events before the cut are learned from as if they had been there.

        Args:
            cut: Events up to this time count.
        """
        found: t.StageTable = decode(self._call("attribution.revalue", {"cut": cut}, timeout, request_id), "StageTable")
        return found

    def stage_values(self, cut: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.StageTable:
        """What the stages would be worth if they were valued by the events up to `cut`, which is now when absent: configured, learned, and by age from 200 closed deals on. Nothing is stored.

        Args:
            cut: Events up to this time count; now when absent.
        """
        found: t.StageTable = decode(self._call("attribution.stage_values", {"cut": cut}, timeout, request_id), "StageTable")
        return found

    def show_values(self, cut: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.ShownValues:
        """The same for people: a table as text and a picture (SVG).

        Args:
            cut: Events up to this time count; now when absent.
        """
        found: t.ShownValues = decode(self._call("attribution.show_values", {"cut": cut}, timeout, request_id), "ShownValues")
        return found

    def roas(self, by: a.RoasDimension, spend: Sequence[a.AdSpendLike] | None = None, since: a.Timestamp | None = None, until: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Roas:
        """What the ads brought beside what they cost, with an interval of 95 %: of the deals that converted from `since` on and before `until`. `spend` is what is known of the cost, over the same time.

        Args:
            by: By what.
            spend: What the ads cost.
            since: Deals that converted at this time or later.
            until: Deals that converted before this time.
        """
        found: t.Roas = decode(self._call("attribution.roas", {"by": by, "spend": spend, "since": since, "until": until}, timeout, request_id), "Roas")
        return found

class HubspotMethods(BlockingArea):
    """The methods of `hubspot`."""

    __slots__ = ()

    def accept(self, method: str, url: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview | str, received_at: a.Timestamp | None = None, source: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Accepted:
        """Verifies a webhook on its raw bytes and stores its events durably: answer 200 when this returns, and let `process` do the work. The same events in any order and batching leave the same state. `url` is the whole address as it is configured in HubSpot.

        Args:
            method: The HTTP method.
            url: The whole address.
            headers: The headers; the case of their names does not matter.
            body: The body's bytes as they came.
            received_at: When it arrived; now when absent.
            source: The name of the batch.
        """
        found: t.Accepted = decode(self._call("hubspot.accept", {"method": method, "url": url, "headers": headers, "body": raw(body), "received_at": received_at, "source": source}, timeout, request_id), "Accepted")
        return found

    def process(self, ads: Mapping[str, a.AdParentsLike] | None = None, limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Processed:
        """Works on deals that have new events: revenue, match, ledger. A deal that fails is kept and tried again later, and stops no other. `ads` are the account's own, which a deal's first URL may name.

        Args:
            ads: The ad set and campaign of each ad, by ad id.
            limit: At most so many deals; 100 when absent.
        """
        found: t.Processed = decode(self._call("hubspot.process", {"ads": ads, "limit": limit}, timeout, request_id), "Processed")
        return found

    def count_events(self, source: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """How many events are stored, of all or of one batch.

        Args:
            source: The name of the batch.
        """
        found: int = self._call("hubspot.count_events", {"source": source}, timeout, request_id)
        return found

class WebhooksMethods(BlockingArea):
    """The methods of `webhooks`."""

    __slots__ = ()

    def accept(self, headers: Mapping[str, str], body: bytes | bytearray | memoryview | str, received_at: a.Timestamp | None = None, source: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Accepted:
        """Verifies a webhook of your own by the scheme of Standard Webhooks, on its raw bytes, and stores its events durably: answer 200 when this returns, and let `process` do the work. A delivery that is sent again is the same.

        Args:
            headers: The headers; the case of their names does not matter.
            body: The body's bytes as they came.
            received_at: When it arrived; now when absent.
            source: The name of the batch.
        """
        found: t.Accepted = decode(self._call("webhooks.accept", {"headers": headers, "body": raw(body), "received_at": received_at, "source": source}, timeout, request_id), "Accepted")
        return found

    def process(self, ads: Mapping[str, a.AdParentsLike] | None = None, limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Processed:
        """Works on deals that have new events, of webhooks and of HubSpot alike. `ads` are the account's own, which a deal's first URL may name.

        Args:
            ads: The ad set and campaign of each ad, by ad id.
            limit: At most so many deals; 100 when absent.
        """
        found: t.Processed = decode(self._call("webhooks.process", {"ads": ads, "limit": limit}, timeout, request_id), "Processed")
        return found

class AllocationMethods(BlockingArea):
    """The methods of `allocation`."""

    __slots__ = ()

    def pipeline(self, *, timeout: float | None = None, request_id: str | None = None) -> dict[str, t.Pipeline]:
        """What the deals behind each ad are worth now, by ad: the evidence of the later return."""
        found: dict[str, t.Pipeline] = decode(self._call("allocation.pipeline", {}, timeout, request_id), "{Pipeline}")
        return found

    def select(self, allocation_id: str, request: a.AllocationRequestLike, *, timeout: float | None = None, request_id: str | None = None) -> t.Allocation:
        """Draws the next budgets and stores them under `allocation_id` with their reasons and propensities. The same id gives the stored allocation again, whatever the request.

        Args:
            allocation_id: Names the allocation.
            request: The evidence, the bounds and the seed.
        """
        found: t.Allocation = decode(self._call("allocation.select", {"allocation_id": allocation_id, "request": request}, timeout, request_id), "Allocation")
        return found

    def get(self, allocation_id: str, *, timeout: float | None = None, request_id: str | None = None) -> t.Allocation | None:
        """A stored allocation; null when there is none.

        Args:
            allocation_id: Names the allocation.
        """
        found: t.Allocation | None = decode(self._call("allocation.get", {"allocation_id": allocation_id}, timeout, request_id), "Allocation")
        return found

    def propose(self, allocation_id: str, account_id: str, currency: a.Currency, allocation: a.AllocationLike, campaigns: Mapping[str, str], *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AdChange]:
        """The changes that an allocation asks for: one for each owner whose budget moves, with an id that follows from the allocation's, so that asking again queues nothing twice. `campaigns` has the campaign of each owner.

        Args:
            allocation_id: Names the allocation.
            account_id: The ad account.
            currency: The account's currency.
            allocation: The allocation.
            campaigns: The campaign of each owner, by owner id.
        """
        found: Records[t.AdChange] = decode(self._call("allocation.propose", {"allocation_id": allocation_id, "account_id": account_id, "currency": currency, "allocation": allocation, "campaigns": campaigns}, timeout, request_id), "[AdChange]")
        return found

    def observe(self, observation: a.AdObservationLike, *, timeout: float | None = None, request_id: str | None = None) -> bool:
        """Takes the figures of one ad and day, totals of the day so far, and says whether they changed anything. Of several reports the one of the latest `observed_at` counts (now, when it is not given), whatever order they arrive in. Workers may do it at once: none is lost.

        Args:
            observation: The figures.
        """
        found: bool = self._call("allocation.observe", {"observation": observation}, timeout, request_id)
        return found

    def feedback(self, feedback: a.DealFeedbackLike, *, timeout: float | None = None, request_id: str | None = None) -> bool:
        """Takes what became of a deal behind an ad, and says whether it changed anything: an event that was given before does not. An ad that was never observed is an error, and so is an event id that said something else before. Workers may do it at once: none is lost.

        Args:
            feedback: The event.
        """
        found: bool = self._call("allocation.feedback", {"feedback": feedback}, timeout, request_id)
        return found

    def learn(self, observations: Sequence[a.AdObservationLike] | None = None, feedback: Sequence[a.DealFeedbackLike] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """Takes many observations and feedbacks, in any order, and says how many changed anything: for batches, and for an event log that is replayed. Here an ad need not have been observed.

        Args:
            observations: Figures of ads and days.
            feedback: What became of deals.
        """
        found: int = self._call("allocation.learn", {"observations": observations, "feedback": feedback}, timeout, request_id)
        return found

    def state(self, *, timeout: float | None = None, request_id: str | None = None) -> t.SamplerState:
        """Everything that the sampler remembers of the tenant's ads: to look at, to keep a copy of, and for `allocation.merge` elsewhere."""
        found: t.SamplerState = decode(self._call("allocation.state", {}, timeout, request_id), "SamplerState")
        return found

    def merge(self, state: a.SamplerStateLike, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """Takes in what another replica remembers, and says of how many ads that changed anything. Merging again changes nothing, and the order of merges does not matter.

        Args:
            state: What the other replica remembers.
        """
        found: int = self._call("allocation.merge", {"state": state}, timeout, request_id)
        return found

    def posteriors(self, sampler: a.SamplerOptionsLike | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Posteriors:
        """What is believed of every ad that was observed: means and 90 % intervals of click-through and return.

        Args:
            sampler: How to learn; as of today in UTC unless it says a day.
        """
        found: t.Posteriors = decode(self._call("allocation.posteriors", {"sampler": sampler}, timeout, request_id), "Posteriors")
        return found

    def probability_best(self, ads: Sequence[a.BetaAdLike], method: a.ScoringMethod | None = None, seed: int | None = None, draws: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.BestProbability]:
        """The probability of each ad to be the best, and the mean of its part in the sum of all, from Beta posteriors of click-through that come from elsewhere. `seed` and `draws` (0 and 10,000 by default) count with the method `draws` alone. Nothing is stored.

        Args:
            ads: The ads.
            method: How it is computed: `quadrature` unless given.
            seed: The seed of the draws.
            draws: How many draws.
        """
        found: Records[t.BestProbability] = decode(self._call("allocation.probability_best", {"ads": ads, "method": method, "seed": seed, "draws": draws}, timeout, request_id), "[BestProbability]")
        return found

    def log(self, since: a.Timestamp | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AllocationLogRow]:
        """What every stored allocation did with every ad that ran, with its propensities: what the evaluation of another policy needs beside the rewards. With `since`, of allocations made then or later.

        Args:
            since: The earliest time of an allocation.
        """
        found: Records[t.AllocationLogRow] = decode(self._call("allocation.log", {"since": since}, timeout, request_id), "[AllocationLogRow]")
        return found

    def evaluate(self, log: Sequence[a.LoggedDecisionLike], policy: a.TargetPolicyLike, options: a.EvaluationOptionsLike | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.OffPolicyEvaluation:
        """Estimates what `policy` would have brought, from a log of decisions with their propensities: replay, the direct method, IPS, SNIPS and doubly robust, with intervals. Where the log says too little of the policy it concludes nothing and says why. Nothing is stored.

        Args:
            log: The decisions that were made, and what came of them.
            policy: The policy to evaluate.
            options: How it is evaluated.
        """
        found: t.OffPolicyEvaluation = decode(self._call("allocation.evaluate", {"log": log, "policy": policy, "options": options}, timeout, request_id), "OffPolicyEvaluation")
        return found

    def gate(self, log: Sequence[a.LoggedDecisionLike], proposed: a.TargetPolicyLike, current: a.TargetPolicyLike | None = None, options: a.EvaluationOptionsLike | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.GateDecision:
        """Whether `proposed` may take the place of `current` (the logged policy when there is none): `allow` when its lower bound is not below, `refuse` when it is, `too_thin` when the log says too little. Nothing is stored.

        Args:
            log: The decisions that were made, and what came of them.
            proposed: The policy that may be queued.
            current: The policy whose place it would take; the logged one by default.
            options: How both are evaluated.
        """
        found: t.GateDecision = decode(self._call("allocation.gate", {"log": log, "proposed": proposed, "current": current, "options": options}, timeout, request_id), "GateDecision")
        return found

    def holdout(self, unit_ids: Sequence[str], key: str, holdout_ppm: int, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.HoldoutUnit]:
        """Which units are held out of `holdout_ppm` of a million, by a hash of their ids under `key`. Nothing is stored.

        Args:
            unit_ids: The ids of visitors, people or accounts.
            key: Names the experiment: another key holds out others.
            holdout_ppm: How many of a million are held out.
        """
        found: Records[t.HoldoutUnit] = decode(self._call("allocation.holdout", {"unit_ids": unit_ids, "key": key, "holdout_ppm": holdout_ppm}, timeout, request_id), "[HoldoutUnit]")
        return found

    def incrementality(self, treated: a.GroupOutcomeLike, holdout: a.GroupOutcomeLike, attributed: int | None = None, confidence: float | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Incrementality:
        """What treatment adds to what comes anyway: the multiplier of what was attributed, with an interval. Nothing is stored.

        Args:
            treated: The units that were treated.
            holdout: The units that were held out.
            attributed: What attribution gives the treated group, in conversions or, with values, in minor units; all that it brought by default.
            confidence: How sure the interval is: 0.95 by default.
        """
        found: t.Incrementality = decode(self._call("allocation.incrementality", {"treated": treated, "holdout": holdout, "attributed": attributed, "confidence": confidence}, timeout, request_id), "Incrementality")
        return found

    def log_predictions(self, predictions: Sequence[a.LoggedPredictionLike], *, timeout: float | None = None, request_id: str | None = None) -> t.PredictionsLogged:
        """Writes predictions down before their truths are known. The same id with the same prediction is one prediction.

        Args:
            predictions: What is predicted.
        """
        found: t.PredictionsLogged = decode(self._call("allocation.log_predictions", {"predictions": predictions}, timeout, request_id), "PredictionsLogged")
        return found

    def score_predictions(self, truths: Sequence[a.PredictionTruthLike], *, timeout: float | None = None, request_id: str | None = None) -> t.PredictionsLogged:
        """Writes down what came true. Truths of predictions that there are not are named in the answer.

        Args:
            truths: What came true.
        """
        found: t.PredictionsLogged = decode(self._call("allocation.score_predictions", {"truths": truths}, timeout, request_id), "PredictionsLogged")
        return found

    def prediction_scores(self, model: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.PredictionScores:
        """How good predictions were, of one model or of all: log loss, Brier score and calibration of probabilities, error and coverage of values.

        Args:
            model: What predicted; all by default.
        """
        found: t.PredictionScores = decode(self._call("allocation.prediction_scores", {"model": model}, timeout, request_id), "PredictionScores")
        return found

    def train_ctr(self, rows: Sequence[a.CtrRowLike], options: a.CtrOptionsLike | None = None, from_version: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.CtrVersion:
        """Trains a version of the click-through model on `rows` in the order of time, from nothing or on top of `from_version`. Its report compares it with the base rate on what it had not learned yet. It does not predict until it is activated.

        Args:
            rows: Impressions and their clicks, in the order of time.
            options: How the model learns.
            from_version: The version to go on from; none begins from nothing.
        """
        found: t.CtrVersion = decode(self._call("allocation.train_ctr", {"rows": rows, "options": options, "from_version": from_version}, timeout, request_id), "CtrVersion")
        return found

    def ctr_models(self, *, timeout: float | None = None, request_id: str | None = None) -> t.CtrModels:
        """The versions of the click-through model with their reports, and which of them predicts."""
        found: t.CtrModels = decode(self._call("allocation.ctr_models", {}, timeout, request_id), "CtrModels")
        return found

    def activate_ctr(self, version: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.CtrModels:
        """Lets a version predict from now on; without `version` the one that was active before the present one.

        Args:
            version: The version; by default the one that was active before.
        """
        found: t.CtrModels = decode(self._call("allocation.activate_ctr", {"version": version}, timeout, request_id), "CtrModels")
        return found

    def predict_ctr(self, ads: Sequence[a.CtrAdLike], version: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.CtrPrediction]:
        """The click-through of ads by their features, each with the Beta prior that it is worth: by the active version, or another.

        Args:
            ads: The ads and what is known of them.
            version: The version; the active one by default.
        """
        found: Records[t.CtrPrediction] = decode(self._call("allocation.predict_ctr", {"ads": ads, "version": version}, timeout, request_id), "[CtrPrediction]")
        return found

class ExperimentsMethods(BlockingArea):
    """The methods of `experiments`."""

    __slots__ = ()

    def start(self, spec: a.ExperimentSpecLike, *, timeout: float | None = None, request_id: str | None = None) -> t.ExperimentStatus:
        """Starts an experiment. The same spec again is the same experiment.

        Args:
            spec: What is compared, and when it is decided.
        """
        found: t.ExperimentStatus = decode(self._call("experiments.start", {"spec": spec}, timeout, request_id), "ExperimentStatus")
        return found

    def assign(self, experiment_id: str, unit_ids: Sequence[str], *, timeout: float | None = None, request_id: str | None = None) -> Records[t.UnitAssignment]:
        """What units get now, in their order: the same in every process.

        Args:
            experiment_id: The experiment.
            unit_ids: The ids of visitors, people or accounts.
        """
        found: Records[t.UnitAssignment] = decode(self._call("experiments.assign", {"experiment_id": experiment_id, "unit_ids": unit_ids}, timeout, request_id), "[UnitAssignment]")
        return found

    def record(self, experiment_id: str, events: Sequence[a.ExperimentEventLike], *, timeout: float | None = None, request_id: str | None = None) -> t.EventsRecorded:
        """Records exposures and metrics of units, each event once. Many workers may record at once.

        Args:
            experiment_id: The experiment.
            events: What happened to units.
        """
        found: t.EventsRecorded = decode(self._call("experiments.record", {"experiment_id": experiment_id, "events": events}, timeout, request_id), "EventsRecorded")
        return found

    def status(self, experiment_id: str, *, timeout: float | None = None, request_id: str | None = None) -> t.ExperimentStatus:
        """Looks at an experiment with intervals that hold at every look, and moves it on where the look decides: an arm with a guardrail against it is taken out, and with `auto_promote` a winner is promoted, and rolled back when it turns out worse.

        Args:
            experiment_id: The experiment.
        """
        found: t.ExperimentStatus = decode(self._call("experiments.status", {"experiment_id": experiment_id}, timeout, request_id), "ExperimentStatus")
        return found

    def stop(self, experiment_id: str, promote: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.ExperimentStatus:
        """Ends an experiment. With `promote` that arm gets all units from now on, unless a guardrail is against it; else the one that serves.

        Args:
            experiment_id: The experiment.
            promote: The arm that all units get from now on.
        """
        found: t.ExperimentStatus = decode(self._call("experiments.stop", {"experiment_id": experiment_id, "promote": promote}, timeout, request_id), "ExperimentStatus")
        return found

class WinnersMethods(BlockingArea):
    """The methods of `winners`."""

    __slots__ = ()

    def add(self, ad_id: str, embedding: Sequence[float], metadata: Mapping[str, Any] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Added:
        """Adds an ad that won, with the embedding of its creative and what is known of it; an ad that is there is replaced. It is found at once, and outlives the process once `winners.persist` has written it.

        Args:
            ad_id: The ad: 1 to 256 bytes.
            embedding: The embedding of its creative. Only its direction counts.
            metadata: What is known of it, at most 16 kB.
        """
        found: t.Added = decode(self._call("winners.add", {"ad_id": ad_id, "embedding": embedding, "metadata": metadata}, timeout, request_id), "Added")
        return found

    def add_many(self, winners: Sequence[a.WinnerLike], *, timeout: float | None = None, request_id: str | None = None) -> t.Added:
        """Adds many winners, all or none.

        Args:
            winners: The winners.
        """
        found: t.Added = decode(self._call("winners.add_many", {"winners": winners}, timeout, request_id), "Added")
        return found

    def find_similar(self, embedding: Sequence[float], k: int, filter: Mapping[str, Any] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.SimilarWinner]:
        """The `k` winners whose embeddings are nearest, the nearest first. `filter` asks for fields of their metadata: a value that the field equals, `{"one_of": [...]}`, or `{"min": ..., "max": ...}`.

        Args:
            embedding: What the winners are to be like.
            k: How many, 1 to 10,000.
            filter: What their metadata have to be.
        """
        found: Records[t.SimilarWinner] = decode(self._call("winners.find_similar", {"embedding": embedding, "k": k, "filter": filter}, timeout, request_id), "[SimilarWinner]")
        return found

    def find_similar_many(self, embeddings: Sequence[Sequence[float]], k: int, filter: Mapping[str, Any] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[Records[t.SimilarWinner]]:
        """The nearest winners of each of many embeddings, in their order. This takes less than one after the other.

        Args:
            embeddings: What the winners are to be like.
            k: How many of each, 1 to 10,000.
            filter: What their metadata have to be.
        """
        found: Records[Records[t.SimilarWinner]] = decode(self._call("winners.find_similar_many", {"embeddings": embeddings, "k": k, "filter": filter}, timeout, request_id), "[[SimilarWinner]]")
        return found

    def get(self, ad_id: str, *, timeout: float | None = None, request_id: str | None = None) -> t.Winner | None:
        """The winner, its embedding at length 1; null when there is none.

        Args:
            ad_id: The ad.
        """
        found: t.Winner | None = decode(self._call("winners.get", {"ad_id": ad_id}, timeout, request_id), "Winner")
        return found

    def remove(self, ad_id: str, *, timeout: float | None = None, request_id: str | None = None) -> bool:
        """Removes the winner; whether it was there.

        Args:
            ad_id: The ad.
        """
        found: bool = self._call("winners.remove", {"ad_id": ad_id}, timeout, request_id)
        return found

    def stats(self, *, timeout: float | None = None, request_id: str | None = None) -> t.IndexStats:
        """How many winners there are, and how they are searched."""
        found: t.IndexStats = decode(self._call("winners.stats", {}, timeout, request_id), "IndexStats")
        return found

    def persist(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Persisted:
        """Writes all winners to the configured folder. A crash at any moment leaves this state or the one before, whole."""
        found: t.Persisted = decode(self._call("winners.persist", {}, timeout, request_id), "Persisted")
        return found

    def import_file(self, path: str, *, timeout: float | None = None, request_id: str | None = None) -> t.Added:
        """Adds the vectors of a file of FAISS's: an `IndexFlatIP`, or an `IndexIDMap2` of one, whose ids become ads. All or none.

        Args:
            path: The file.
        """
        found: t.Added = decode(self._call("winners.import_file", {"path": path}, timeout, request_id), "Added")
        return found

class ClosedLoopMethods(BlockingArea):
    """The methods of `closed_loop`."""

    __slots__ = ()

    def tick(self, account: a.AdAccountLike, allocation_id: str, seed: int, *, timeout: float | None = None, request_id: str | None = None) -> t.Tick:
        """Does everything that there is to do now: books the deals behind new events, draws the next budgets, queues the changes, and does every step that is due. Call it again at `next_due`, and with another `allocation_id` when the next allocation is wanted.

        Args:
            account: The ad account.
            allocation_id: Names the allocation: the same id never draws again.
            seed: The seed of the draw.
        """
        found: t.Tick = decode(self._call("closed_loop.tick", {"account": account, "allocation_id": allocation_id, "seed": seed}, timeout, request_id), "Tick")
        return found

    def process(self, account: a.AdAccountLike, limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """Works on at most `limit` deals that have new events, and returns how many it was.

        Args:
            account: The ad account.
            limit: At most so many deals; 100 when absent.
        """
        found: int = self._call("closed_loop.process", {"account": account, "limit": limit}, timeout, request_id)
        return found

    def allocate(self, account: a.AdAccountLike, allocation_id: str, seed: int, *, timeout: float | None = None, request_id: str | None = None) -> t.Allocation:
        """Draws the next budgets from the live ones, the ads' figures and the deals behind them, and stores them.

        Args:
            account: The ad account.
            allocation_id: Names the allocation: the same id never draws again.
            seed: The seed of the draw.
        """
        found: t.Allocation = decode(self._call("closed_loop.allocate", {"account": account, "allocation_id": allocation_id, "seed": seed}, timeout, request_id), "Allocation")
        return found

    def changes(self, account: a.AdAccountLike, allocation_id: str, allocation: a.AllocationLike, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AdChange]:
        """The changes that an allocation asks for. The account's constraints become the limits that the guards keep.

        Args:
            account: The ad account.
            allocation_id: Names the allocation.
            allocation: The allocation.
        """
        found: Records[t.AdChange] = decode(self._call("closed_loop.changes", {"account": account, "allocation_id": allocation_id, "allocation": allocation}, timeout, request_id), "[AdChange]")
        return found

class ExecutionMethods(BlockingArea):
    """The methods of `execution`."""

    __slots__ = ()

    def owners(self, account_id: str, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.OwnerState]:
        """The live budget owners of an account: its ad sets, and its campaigns where the budget sits there.

        Args:
            account_id: The ad account.
        """
        found: Records[t.OwnerState] = decode(self._call("execution.owners", {"account_id": account_id}, timeout, request_id), "[OwnerState]")
        return found

    def plan(self, changes: Sequence[a.AdChangeLike], ask_platform: bool | None = None, ramp: bool | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.Plan:
        """What would become of changes if they were applied now. Writes nothing, here or on the platform; with `ask_platform` the platform validates what would be sent. With `ramp` it is the plan of the steps that `queue` with `ramp` would store.

        Args:
            changes: The changes.
            ask_platform: Whether the platform is asked to validate them.
            ramp: Whether far targets are planned as steps.
        """
        found: t.Plan = decode(self._call("execution.plan", {"changes": changes, "ask_platform": ask_platform, "ramp": ramp}, timeout, request_id), "Plan")
        return found

    def queue(self, changes: Sequence[a.AdChangeLike], ramp: bool | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.ChangeRow]:
        """Stores changes to be applied after their jitter. A change whose id is stored already is left as it is. With `ramp` a target further away than one window allows is reached in steps over the coming windows, each a change of its own.

        Args:
            changes: The changes.
            ramp: Whether far targets are reached in steps.
        """
        found: Records[t.ChangeRow] = decode(self._call("execution.queue", {"changes": changes, "ramp": ramp}, timeout, request_id), "[ChangeRow]")
        return found

    def approve(self, plan_digest: str, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.ChangeRow]:
        """Releases the changes that were queued under this digest of a plan, where the configuration asks for approval. The scope needs an actor.

        Args:
            plan_digest: The digest of the plan.
        """
        found: Records[t.ChangeRow] = decode(self._call("execution.approve", {"plan_digest": plan_digest}, timeout, request_id), "[ChangeRow]")
        return found

    def run_once(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Step | None:
        """Does the most urgent thing that is due; null when nothing is. It never sleeps."""
        found: t.Step | None = decode(self._call("execution.run_once", {}, timeout, request_id), "Step")
        return found

    def run(self, workers: int | None = None, poll_ms: int | None = None, reconcile_ms: int | None = None, for_ms: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.RunReport:
        """Works for `for_ms` milliseconds; without it until the call is cancelled or the client is closed. Takes what is due with so many workers, sleeps until more is, and waits at its end for the steps under way. On the client itself it works for every tenant, on a scope for that tenant alone. A cancelled call takes nothing new; `drain` and closing the client wait for what it had under way.

        Args:
            workers: How many changes are worked on at once, 1 to 256; 4 when absent.
            poll_ms: How often the store is asked for something due when nothing wakes the worker; 1,000 when absent.
            reconcile_ms: How often requests that were judged not applied are searched for late landings, 0 for never; 600,000 when absent.
            for_ms: For how long.
        """
        found: t.RunReport = decode(self._call("execution.run", {"workers": workers, "poll_ms": poll_ms, "reconcile_ms": reconcile_ms, "for_ms": for_ms}, timeout, request_id), "RunReport")
        return found

    def tick(self, workers: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.RunReport:
        """Does everything that is due now and returns: for schedulers and functions that scale to zero. It covers the same tenants as `run`.

        Args:
            workers: How many changes are worked on at once, 1 to 256; 4 when absent.
        """
        found: t.RunReport = decode(self._call("execution.tick", {"workers": workers}, timeout, request_id), "RunReport")
        return found

    def reconcile(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Reconciled:
        """Finds out what became of every request that is unknown and can land no more, and whether one that was judged not applied landed late."""
        found: t.Reconciled = decode(self._call("execution.reconcile", {}, timeout, request_id), "Reconciled")
        return found

    def retry(self, id: a.ChangeId, *, timeout: float | None = None, request_id: str | None = None) -> t.ChangeRow:
        """Sends a change again whose last request had no effect, with the same value and after its jitter. The scope needs an actor.

        Args:
            id: The change's id, 32 hex digits.
        """
        found: t.ChangeRow = decode(self._call("execution.retry", {"id": id}, timeout, request_id), "ChangeRow")
        return found

    def resolve(self, id: a.ChangeId, verdict: a.HumanVerdict, note: str, *, timeout: float | None = None, request_id: str | None = None) -> t.ChangeRow:
        """Says what became of a request that reading the platform could not tell: those that `list` with `needs_human` has. The note tells how it is known; the scope needs an actor, and both are kept in the history.

        Args:
            id: The change's id, 32 hex digits.
            verdict: What became of its request.
            note: How that is known, in 1 to 300 characters.
        """
        found: t.ChangeRow = decode(self._call("execution.resolve", {"id": id, "verdict": verdict, "note": note}, timeout, request_id), "ChangeRow")
        return found

    def backlog(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Backlog:
        """What is still to be done: changes that are not over, by status and reason, those that wait for a person, and when the oldest was due."""
        found: t.Backlog = decode(self._call("execution.backlog", {}, timeout, request_id), "Backlog")
        return found

    def drain(self, *, timeout: float | None = None, request_id: str | None = None) -> None:
        """Waits until no step is under way."""
        self._call("execution.drain", {}, timeout, request_id)

    def next_due(self, *, timeout: float | None = None, request_id: str | None = None) -> t.Timestamp | None:
        """When something is due next; it may be past. Null when nothing is."""
        found: t.Timestamp | None = self._call("execution.next_due", {}, timeout, request_id)
        return found

    def get(self, id: a.ChangeId, *, timeout: float | None = None, request_id: str | None = None) -> t.ChangeRow | None:
        """A change; null when there is none of this id.

        Args:
            id: The change's id, 32 hex digits.
        """
        found: t.ChangeRow | None = decode(self._call("execution.get", {"id": id}, timeout, request_id), "ChangeRow")
        return found

    def list(self, account_id: str | None = None, allocation_id: str | None = None, status: a.ChangeStatus | None = None, reason: a.Reason | None = None, needs_human: bool | None = None, after: a.ChangeId | None = None, limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.ChangeRow]:
        """The changes that match, by the time of queueing and then id: at most `limit` of those after the change `after`, the last one of the page before.

        Args:
            account_id: Of this account.
            allocation_id: Of this allocation.
            status: With this status.
            reason: With this reason.
            needs_human: Whether only those that a person has to look at.
            after: Only those after this change, in the list's order: the last one of the page before.
            limit: At most so many; all of them when absent.
        """
        found: Records[t.ChangeRow] = decode(self._call("execution.list", {"account_id": account_id, "allocation_id": allocation_id, "status": status, "reason": reason, "needs_human": needs_human, "after": after, "limit": limit}, timeout, request_id), "[ChangeRow]")
        return found

    def history(self, account_id: str, change_id: a.ChangeId | None = None, after_seq: int | None = None, limit: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AuditRow]:
        """Rows of an account's history, in order.

        Args:
            account_id: The ad account.
            change_id: Only of this change.
            after_seq: Only rows with a greater sequence number; from the first when absent.
            limit: At most so many; 1,000 when absent.
        """
        found: Records[t.AuditRow] = decode(self._call("execution.history", {"account_id": account_id, "change_id": change_id, "after_seq": after_seq, "limit": limit}, timeout, request_id), "[AuditRow]")
        return found

    def cancel(self, id: a.ChangeId, *, timeout: float | None = None, request_id: str | None = None) -> t.Step:
        """Withdraws a change that is not in flight; `moved` tells whether it could be.

        Args:
            id: The change's id, 32 hex digits.
        """
        found: t.Step = decode(self._call("execution.cancel", {"id": id}, timeout, request_id), "Step")
        return found

    def set_limits(self, account_id: str, currency: a.Currency, total_daily_minor: int | None = None, min_minor: int | None = None, max_minor: int | None = None, *, timeout: float | None = None, request_id: str | None = None) -> None:
        """Sets what the user allows in an account, in minor units a day: the total, the floor and the ceiling of one owner.

        Args:
            account_id: The ad account.
            currency: The account's currency.
            total_daily_minor: The most that the daily budgets of all active owners may add up to after a raise.
            min_minor: The least daily budget of an owner.
            max_minor: The greatest daily budget of an owner.
        """
        self._call("execution.set_limits", {"account_id": account_id, "currency": currency, "total_daily_minor": total_daily_minor, "min_minor": min_minor, "max_minor": max_minor}, timeout, request_id)

    def kill(self, scope: a.KillScope, on: bool, *, timeout: float | None = None, request_id: str | None = None) -> None:
        """Switches a kill switch: of an owner, an account, the tenant, or everybody's. While it is on, nothing that it covers is sent.

        Args:
            scope: `global` (every tenant's, for the default tenant alone to switch), `tenant`, `{"account": ID}`, or `{"owner": {"account_id": ID, "owner": {"level": LEVEL, "id": ID}}}`.
            on: Whether it is switched on.
        """
        self._call("execution.kill", {"scope": scope, "on": on}, timeout, request_id)

    def kills(self, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.KillScope]:
        """The kill switches that are on."""
        found: Records[t.KillScope] = self._call("execution.kills", {}, timeout, request_id)
        return found

    def verify_audit(self, *, timeout: float | None = None, request_id: str | None = None) -> t.AuditReport:
        """Reads the tenant's whole history and verifies its chains."""
        found: t.AuditReport = decode(self._call("execution.verify_audit", {}, timeout, request_id), "AuditReport")
        return found

class AdsMethods(BlockingArea):
    """The methods of `ads`."""

    __slots__ = ()

    def create(self, kind: a.AdObjectKind, account_id: str, name: str, fields: Mapping[str, Any] | None = None, key: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.AdObject:
        """Creates a campaign, ad set, ad, creative or video, paused. With a `key` that the caller keeps, the same call again gives the same object, whatever happened to the first one. Amounts are integers in minor units.

        Args:
            kind: What to create.
            account_id: In which account.
            name: Its name. The platform's copy carries a short tag behind it.
            fields: Its other fields, by the platform's names.
            key: Names the create, so that it can be asked for again.
        """
        found: t.AdObject = decode(self._call("ads.create", {"kind": kind, "account_id": account_id, "name": name, "fields": fields, "key": key}, timeout, request_id), "AdObject")
        return found

    def get(self, kind: a.AdObjectKind, id: str, fields: Sequence[str] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.AdObject:
        """An object, with further fields by the platform's names; `not_found` when there is none of this kind.

        Args:
            kind: What it is.
            id: Its id on the platform.
            fields: The further fields to show, by the platform's names.
        """
        found: t.AdObject = decode(self._call("ads.get", {"kind": kind, "id": id, "fields": fields}, timeout, request_id), "AdObject")
        return found

    def update(self, kind: a.AdObjectKind, id: str, name: str | None = None, fields: Mapping[str, Any] | None = None, *, timeout: float | None = None, request_id: str | None = None) -> None:
        """Sets the name and other fields of an object. Its budget, bid and status are refused by name: they change by `execution.queue` alone.

        Args:
            kind: What it is.
            id: Its id on the platform.
            name: Its new name, if that changes.
            fields: The fields that change, by the platform's names.
        """
        self._call("ads.update", {"kind": kind, "id": id, "name": name, "fields": fields}, timeout, request_id)

    def list(self, kind: a.AdObjectKind, account_id: str, parent_id: str | None = None, fields: Sequence[str] | None = None, limit: int | None = None, after: str | None = None, *, timeout: float | None = None, request_id: str | None = None) -> t.AdObjectPage:
        """One page of objects; the next one with its `next` as `after`.

        Args:
            kind: Of which kind.
            account_id: Of which account.
            parent_id: Only those under this campaign or ad set.
            fields: The further fields to show, by the platform's names.
            limit: How many at most, 1 to 500; 100 when absent.
            after: Where the page before ended: its `next`.
        """
        found: t.AdObjectPage = decode(self._call("ads.list", {"kind": kind, "account_id": account_id, "parent_id": parent_id, "fields": fields, "limit": limit, "after": after}, timeout, request_id), "AdObjectPage")
        return found

class InsightsMethods(BlockingArea):
    """The methods of `insights`."""

    __slots__ = ()

    def sync(self, account_id: str, since: a.Timestamp, *, timeout: float | None = None, request_id: str | None = None) -> int:
        """Reads what each ad of an account did on each day from that of `since` to today, and keeps it; a day that was read before is replaced. The number of ads and days that were read.

        Args:
            account_id: The ad account.
            since: From the day of this time.
        """
        found: int = self._call("insights.sync", {"account_id": account_id, "since": since}, timeout, request_id)
        return found

    def totals(self, account_id: str, since: a.Timestamp, until: a.Timestamp, *, timeout: float | None = None, request_id: str | None = None) -> Records[t.AdInsight]:
        """What each ad did from the day of `since` to that of `until` together, by ad id, as far as it was synchronised. Nothing is asked of the platform.

        Args:
            account_id: The ad account.
            since: From the day of this time.
            until: To the day of this time.
        """
        found: Records[t.AdInsight] = decode(self._call("insights.totals", {"account_id": account_id, "since": since, "until": until}, timeout, request_id), "[AdInsight]")
        return found

class Areas(BlockingArea):
    """The areas of a client or a scope."""

    __slots__ = ("ai", "attribution", "hubspot", "webhooks", "allocation", "experiments", "winners", "closed_loop", "execution", "ads", "insights",)

    def _open(self) -> None:
        self.ai = AiMethods(self._core, self._info)
        self.attribution = AttributionMethods(self._core, self._info)
        self.hubspot = HubspotMethods(self._core, self._info)
        self.webhooks = WebhooksMethods(self._core, self._info)
        self.allocation = AllocationMethods(self._core, self._info)
        self.experiments = ExperimentsMethods(self._core, self._info)
        self.winners = WinnersMethods(self._core, self._info)
        self.closed_loop = ClosedLoopMethods(self._core, self._info)
        self.execution = ExecutionMethods(self._core, self._info)
        self.ads = AdsMethods(self._core, self._info)
        self.insights = InsightsMethods(self._core, self._info)

