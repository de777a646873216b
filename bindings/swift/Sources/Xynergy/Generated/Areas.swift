// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

import Foundation

/// Chat: routing, the response cache, spend limits.
public struct AIArea: Sendable {
    let caller: Caller

    /// Answers a prompt by the cheapest provider that can answer it well. The limit of the answer is sized unless `max_tokens` gives
    /// one, and an answer that our limit cut is continued before it is returned.
    /// - Parameter prompt: The prompt.
    /// - Parameter maxTokens: The greatest number of tokens of the answer; obeyed as it is. None lets the library size it.
    /// - Parameter temperature: How freely the model chooses, 0 to 2; 0.7 when absent.
    /// - Parameter tags: Names under which the spend is counted and limited.
    /// - Parameter cache: False neither reads nor fills the cache.
    /// - Parameter key: A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret
    /// itself.
    /// - Parameter session: A name of the caller's for the conversation that the prompt belongs to. By it `sticky` and `canary`
    /// routes keep a conversation at one model.
    public func generate(
        _ prompt: String,
        maxTokens: UInt32? = nil,
        temperature: Double? = nil,
        tags: [String] = [],
        cache: Bool? = nil,
        key: String? = nil,
        session: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Generation {
        struct Arguments: Encodable, Sendable {
            let prompt: String
            let maxTokens: UInt32?
            let temperature: Double?
            let tags: [String]
            let cache: Bool?
            let key: String?
            let session: String?

            enum CodingKeys: String, CodingKey {
                case prompt
                case maxTokens = "max_tokens"
                case temperature
                case tags
                case cache
                case key
                case session
            }
        }
        return try await caller.call("ai.generate", Arguments(prompt: prompt, maxTokens: maxTokens, temperature: temperature, tags: tags, cache: cache, key: key, session: session), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Answers a conversation in OpenAI's chat-completion shape. Every field that OpenAI's API has passes through.
    /// - Parameter request: The conversation and how to answer it.
    public func chat(_ request: ChatRequest, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ChatResponse {
        struct Arguments: Encodable, Sendable {
            let request: ChatRequest

            enum CodingKeys: String, CodingKey {
                case request
            }
        }
        return try await caller.call("ai.chat", Arguments(request: request), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Answers a conversation in pieces. The last piece has no choices but the usage, the outcome and the report. A stream that
    /// breaks ends with an error, never as a complete answer.
    /// - Parameter request: The conversation and how to answer it.
    public func stream(_ request: ChatRequest, timeoutMs: UInt64? = nil, requestId: String? = nil) -> AsyncThrowingStream<ChatChunk, Error> {
        struct Arguments: Encodable, Sendable {
            let request: ChatRequest

            enum CodingKeys: String, CodingKey {
                case request
            }
        }
        return caller.stream("ai.stream", Arguments(request: request), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Embeds texts: a vector each, in their order. More than the provider takes at once are sent in several requests; if one of them
    /// fails, the call fails. Only providers of the same model stand in for one another.
    /// - Parameter input: The texts.
    /// - Parameter model: Which model: `PROVIDER/MODEL`, the model of one of the embedders, or a provider for its default one; the
    /// configured model when absent. Vectors of different models cannot be compared.
    /// - Parameter dimensions: How long the vectors are to be, where the model can shorten them.
    /// - Parameter tags: Names under which the spend is counted and limited.
    /// - Parameter key: A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret
    /// itself.
    public func embed(
        _ input: [String],
        model: String? = nil,
        dimensions: UInt32? = nil,
        tags: [String] = [],
        key: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Embeddings {
        struct Arguments: Encodable, Sendable {
            let input: [String]
            let model: String?
            let dimensions: UInt32?
            let tags: [String]
            let key: String?

            enum CodingKeys: String, CodingKey {
                case input
                case model
                case dimensions
                case tags
                case key
            }
        }
        return try await caller.call("ai.embed", Arguments(input: input, model: model, dimensions: dimensions, tags: tags, key: key), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Which models would be asked in which order, and why. Sends nothing.
    /// - Parameter request: A prompt, or a conversation.
    public func route(_ request: PromptOrRequest, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> RouteDecision {
        struct Arguments: Encodable, Sendable {
            let request: PromptOrRequest

            enum CodingKeys: String, CodingKey {
                case request
            }
        }
        return try await caller.call("ai.route", Arguments(request: request), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How many tokens a text or a request has for a model; an estimate with a stated error unless `exact` says otherwise. A text is
    /// counted as it is, a request as its prompt is billed.
    /// - Parameter request: A text, or a conversation.
    /// - Parameter model: For which model; the request's own when absent.
    public func countTokens(_ request: PromptOrRequest, model: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> TokenCount {
        struct Arguments: Encodable, Sendable {
            let request: PromptOrRequest
            let model: String?

            enum CodingKeys: String, CodingKey {
                case request
                case model
            }
        }
        return try await caller.call("ai.count_tokens", Arguments(request: request, model: model), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The limit that an answer to a prompt would get, and what it saves.
    /// - Parameter prompt: The prompt.
    /// - Parameter defaultLimit: The limit where nothing speaks for a lower one; 512 when absent.
    /// - Parameter userLimit: The user's limit, which is never raised.
    public func optimizeTokens(
        _ prompt: String,
        defaultLimit: UInt32? = nil,
        userLimit: UInt32? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> TokenOptimization {
        struct Arguments: Encodable, Sendable {
            let prompt: String
            let defaultLimit: UInt32?
            let userLimit: UInt32?

            enum CodingKeys: String, CodingKey {
                case prompt
                case defaultLimit = "default_limit"
                case userLimit = "user_limit"
            }
        }
        return try await caller.call("ai.optimize_tokens", Arguments(prompt: prompt, defaultLimit: defaultLimit, userLimit: userLimit), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What the tenant spent since `since`, rounded down to the minute; all that is kept when absent.
    /// - Parameter since: From when on.
    public func spend(since: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Spend {
        struct Arguments: Encodable, Sendable {
            let since: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
            }
        }
        return try await caller.call("ai.spend", Arguments(since: since), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Sets a spend limit of the tenant, at once, in billionths of a dollar. It replaces the one of the same scope and window; a hard
    /// one refuses what would pass it.
    /// - Parameter scope: `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
    /// - Parameter window: The span of the calendar that it is for.
    /// - Parameter amountNanoUsd: The limit in billionths of a dollar.
    /// - Parameter hard: Whether it refuses; otherwise it only reports.
    /// - Parameter zone: Whose calendar and clock the span is of: an IANA name, as `Europe/Berlin`; UTC when absent.
    public func setLimit(
        scope: LimitScope,
        window: Window,
        amountNanoUsd: UInt64,
        hard: Bool,
        zone: Zone? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws {
        struct Arguments: Encodable, Sendable {
            let scope: LimitScope
            let window: Window
            let amountNanoUsd: UInt64
            let hard: Bool
            let zone: Zone?

            enum CodingKeys: String, CodingKey {
                case scope
                case window
                case amountNanoUsd = "amount_nano_usd"
                case hard
                case zone
            }
        }
        try await caller.run("ai.set_limit", Arguments(scope: scope, window: window, amountNanoUsd: amountNanoUsd, hard: hard, zone: zone), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Removes the spend limit of the tenant of this scope and window, and says whether there was one. One of the configuration then
    /// holds again.
    /// - Parameter scope: `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
    /// - Parameter window: The span of the calendar that it is for.
    public func removeLimit(scope: LimitScope, window: Window, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Bool {
        struct Arguments: Encodable, Sendable {
            let scope: LimitScope
            let window: Window

            enum CodingKeys: String, CodingKey {
                case scope
                case window
            }
        }
        return try await caller.call("ai.remove_limit", Arguments(scope: scope, window: window), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Reads `ai.price_file` again and takes its prices from now on, and says what it held. A file that cannot be read leaves the
    /// prices as they are.
    public func reloadPrices(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> PriceReport {
        return try await caller.call("ai.reload_prices", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How the response cache fares for the tenant, in this process.
    public func cacheStats(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> CacheStats {
        return try await caller.call("ai.cache_stats", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Drops the tenant's cached answers whose `provider/model` matches `pattern`, in which `*` stands for anything; all of them when
    /// absent. Returns how many.
    /// - Parameter pattern: What to drop.
    public func cacheInvalidate(pattern: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let pattern: String?

            enum CodingKeys: String, CodingKey {
                case pattern
            }
        }
        return try await caller.call("ai.cache_invalidate", Arguments(pattern: pattern), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Clicks, matching and revenue.
public struct AttributionArea: Sendable {
    let caller: Caller

    /// Stores a click on an ad and returns its id. Fields: `ts` (RFC 3339), `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`,
    /// `user_agent`, `consent`, and perhaps `accept_language`, `click_id`, `x_forwarded_for`, `client_hints` (the `Sec-CH-UA` headers
    /// by name) and `fbc`; every other field is kept. Without consent nothing that identifies is stored. A known bot's click is not
    /// stored.
    /// - Parameter click: The click.
    public func trackClick(_ click: [String: JSONValue], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> String {
        struct Arguments: Encodable, Sendable {
            let click: [String: JSONValue]

            enum CodingKeys: String, CodingKey {
                case click
            }
        }
        return try await caller.call("attribution.track_click", Arguments(click: click), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Stores clicks, all of those that are clicks at once, and reports the rest by their index. Giving the same batch again stores
    /// nothing twice. `source` names the batch, for counting.
    /// - Parameter clicks: The clicks: objects, or lines of JSON.
    /// - Parameter source: The name of the batch.
    public func trackClicks(_ clicks: [JSONValue], source: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> TrackedClicks {
        struct Arguments: Encodable, Sendable {
            let clicks: [JSONValue]
            let source: String?

            enum CodingKeys: String, CodingKey {
                case clicks
                case source
            }
        }
        return try await caller.call("attribution.track_clicks", Arguments(clicks: clicks, source: source), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How many clicks are stored, of all or of one batch.
    /// - Parameter source: The name of the batch.
    public func countClicks(source: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let source: String?

            enum CodingKeys: String, CodingKey {
                case source
            }
        }
        return try await caller.call("attribution.count_clicks", Arguments(source: source), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Revenue by ad and the number of deals by layer, of everything that was processed.
    public func totals(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> RevenueTotals {
        return try await caller.call("attribution.totals", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Every processed deal with its value, its ledger and its match, by id; as it was known at `as_of` when that is given, by what
    /// had arrived then.
    /// - Parameter asOf: By what had arrived at this time; now when absent.
    public func deals(asOf: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [DealRevenue] {
        struct Arguments: Encodable, Sendable {
            let asOf: Timestamp?

            enum CodingKeys: String, CodingKey {
                case asOf = "as_of"
            }
        }
        return try await caller.call("attribution.deals", Arguments(asOf: asOf), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What a deal is worth by its stage.
    public func stages(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> StageValues {
        return try await caller.call("attribution.stages", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How often each ad was clicked on each day (UTC), from the day of `since` to that of `until`, both included; of all days
    /// without them. It counts clicks that were pruned or erased.
    /// - Parameter since: A moment of the first day.
    /// - Parameter until: A moment of the last day.
    public func clicksByAd(since: Timestamp? = nil, until: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [AdClicks] {
        struct Arguments: Encodable, Sendable {
            let since: Timestamp?
            let until: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
                case until
            }
        }
        return try await caller.call("attribution.clicks_by_ad", Arguments(since: since, until: until), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Erases the clicks of a person: everything that identifies, and every key of theirs. How often an ad was clicked on a day
    /// stays, and nothing can be linked to the person again.
    /// - Parameter subject: Whose clicks.
    public func erase(_ subject: ErasureSubject, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Erasure {
        struct Arguments: Encodable, Sendable {
            let subject: ErasureSubject

            enum CodingKeys: String, CodingKey {
                case subject
            }
        }
        return try await caller.call("attribution.erase", Arguments(subject: subject), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Forgets the clicks of every day that ended before the configured retention, and throws away the keys under which they were
    /// hashed. How often an ad was clicked on a day stays. Call it once a day.
    public func prune(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Pruning {
        return try await caller.call("attribution.prune", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The credit of every channel in `paths` by one model, in whole millionths of a conversion and minor units that sum to the total
    /// exactly. The answer names the model and the parameters that it ran with. `direct_channels` belongs to `last_non_direct`,
    /// `weights` to `position`, `half_life_seconds` to `time_decay`, `order` (1 to 4) and `nulls` to `markov`; `lookback_days` and
    /// `lookback_steps` to all. Nothing is stored.
    /// - Parameter paths: The touches before conversions, and before none.
    /// - Parameter model: How the conversions are divided.
    /// - Parameter lookbackDays: Only touches at most so many days before the conversion count.
    /// - Parameter lookbackSteps: Only the last so many touches count.
    /// - Parameter directChannels: The channels that are no marketing: `["direct"]` by default.
    /// - Parameter weights: Of the first touch, those between together, and the last: 40, 20 and 40 by default.
    /// - Parameter halfLifeSeconds: 7 days by default.
    /// - Parameter order: How many touches the chain remembers: 1 to 4, 1 by default.
    /// - Parameter nulls: Whether paths without a conversion are part of the chain: true by default.
    public func credit(
        paths: [TouchPath],
        model: CreditModel,
        lookbackDays: UInt32? = nil,
        lookbackSteps: UInt32? = nil,
        directChannels: [String]? = nil,
        weights: PositionWeights? = nil,
        halfLifeSeconds: UInt64? = nil,
        order: UInt8? = nil,
        nulls: Bool? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Credits {
        struct Arguments: Encodable, Sendable {
            let paths: [TouchPath]
            let model: CreditModel
            let lookbackDays: UInt32?
            let lookbackSteps: UInt32?
            let directChannels: [String]?
            let weights: PositionWeights?
            let halfLifeSeconds: UInt64?
            let order: UInt8?
            let nulls: Bool?

            enum CodingKeys: String, CodingKey {
                case paths
                case model
                case lookbackDays = "lookback_days"
                case lookbackSteps = "lookback_steps"
                case directChannels = "direct_channels"
                case weights
                case halfLifeSeconds = "half_life_seconds"
                case order
                case nulls
            }
        }
        return try await caller.call("attribution.credit", Arguments(paths: paths, model: model, lookbackDays: lookbackDays, lookbackSteps: lookbackSteps, directChannels: directChannels, weights: weights, halfLifeSeconds: halfLifeSeconds, order: order, nulls: nulls), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The paths of journeys, for `attribution.credit`: one for each conversion, and one without a conversion for the touches after
    /// the last one. With `after_conversion` as `restart` a conversion's path begins behind the conversion before it.
    /// - Parameter journeys: What is known of each person.
    /// - Parameter afterConversion: Which touches a further conversion is owed to: `keep` (all before it, the default) or `restart`.
    public func paths(
        _ journeys: [Journey],
        afterConversion: AfterConversion? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [TouchPath] {
        struct Arguments: Encodable, Sendable {
            let journeys: [Journey]
            let afterConversion: AfterConversion?

            enum CodingKeys: String, CodingKey {
                case journeys
                case afterConversion = "after_conversion"
            }
        }
        return try await caller.call("attribution.paths", Arguments(journeys: journeys, afterConversion: afterConversion), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Learns how probable matches are from the tenant's own clicks and deals: weights without labels, and calibration on deals whose
    /// click is known by its id and hidden on purpose. Returns what choosing by probability brings over choosing by tier.
    /// `least_masked` is how many deals with a known click it takes: 200 by default.
    /// - Parameter leastMasked: How many deals with a known click it takes.
    public func train(leastMasked: UInt32? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Trained {
        struct Arguments: Encodable, Sendable {
            let leastMasked: UInt32?

            enum CodingKeys: String, CodingKey {
                case leastMasked = "least_masked"
            }
        }
        return try await caller.call("attribution.train", Arguments(leastMasked: leastMasked), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Why a deal is attributed as it is: its receipt, checked and replayed, in words and as a picture (SVG).
    /// - Parameter dealId: The CRM's id of the deal.
    public func explain(_ dealId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Explanation {
        struct Arguments: Encodable, Sendable {
            let dealId: String

            enum CodingKeys: String, CodingKey {
                case dealId = "deal_id"
            }
        }
        return try await caller.call("attribution.explain", Arguments(dealId: dealId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Checks a receipt that was kept somewhere: one changed byte fails, and what it lists must lead to what it says.
    /// - Parameter receipt: The receipt of a match.
    public func verifyReceipt(_ receipt: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ReceiptCheck {
        struct Arguments: Encodable, Sendable {
            let receipt: String

            enum CodingKeys: String, CodingKey {
                case receipt
            }
        }
        return try await caller.call("attribution.verify_receipt", Arguments(receipt: receipt), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What a deal in `stage_to` is worth and what its move there changes, by the values that hold now. `amount` is in major units of
    /// `currency`, as decimal text.
    /// - Parameter stageTo: The CRM's id of the stage after the move.
    /// - Parameter stageFrom: The stage before it; none for a new deal.
    /// - Parameter pipeline: The CRM's id of the pipeline.
    /// - Parameter amount: The deal's amount in major units, as decimal text.
    /// - Parameter currency: The amount's currency; that of the configuration when absent.
    public func syntheticRevenue(
        _ stageTo: String,
        stageFrom: String? = nil,
        pipeline: String? = nil,
        amount: String? = nil,
        currency: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> StageWorth {
        struct Arguments: Encodable, Sendable {
            let stageTo: String
            let stageFrom: String?
            let pipeline: String?
            let amount: String?
            let currency: String?

            enum CodingKeys: String, CodingKey {
                case stageTo = "stage_to"
                case stageFrom = "stage_from"
                case pipeline
                case amount
                case currency
            }
        }
        return try await caller.call("attribution.synthetic_revenue", Arguments(stageTo: stageTo, stageFrom: stageFrom, pipeline: pipeline, amount: amount, currency: currency), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Learns the stages' values from the events up to `cut` and applies them from there on: every deal gets an entry of its own at
    /// the cut, with the next `hubspot.process`. Late events before the cut are learned from as if they had been there.
    /// - Parameter cut: Events up to this time count.
    public func revalue(_ cut: Timestamp, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> StageTable {
        struct Arguments: Encodable, Sendable {
            let cut: Timestamp

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        return try await caller.call("attribution.revalue", Arguments(cut: cut), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What the stages would be worth if they were valued by the events up to `cut`, which is now when absent: configured, learned,
    /// and by age from 200 closed deals on. Nothing is stored.
    /// - Parameter cut: Events up to this time count; now when absent.
    public func stageValues(cut: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> StageTable {
        struct Arguments: Encodable, Sendable {
            let cut: Timestamp?

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        return try await caller.call("attribution.stage_values", Arguments(cut: cut), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The same for people: a table as text and a picture (SVG).
    /// - Parameter cut: Events up to this time count; now when absent.
    public func showValues(cut: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ShownValues {
        struct Arguments: Encodable, Sendable {
            let cut: Timestamp?

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        return try await caller.call("attribution.show_values", Arguments(cut: cut), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What the ads brought beside what they cost, with an interval of 95 %: of the deals that converted from `since` on and before
    /// `until`. `spend` is what is known of the cost, over the same time.
    /// - Parameter by: By what.
    /// - Parameter spend: What the ads cost.
    /// - Parameter since: Deals that converted at this time or later.
    /// - Parameter until: Deals that converted before this time.
    public func roas(
        _ by: RoasDimension,
        spend: [AdSpend] = [],
        since: Timestamp? = nil,
        until: Timestamp? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Roas {
        struct Arguments: Encodable, Sendable {
            let by: RoasDimension
            let spend: [AdSpend]
            let since: Timestamp?
            let until: Timestamp?

            enum CodingKeys: String, CodingKey {
                case by
                case spend
                case since
                case until
            }
        }
        return try await caller.call("attribution.roas", Arguments(by: by, spend: spend, since: since, until: until), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// The CRM: webhooks in, deals read.
public struct HubSpotArea: Sendable {
    let caller: Caller

    /// Verifies a webhook on its raw bytes and stores its events durably: answer 200 when this returns, and let `process` do the
    /// work. The same events in any order and batching leave the same state. `url` is the whole address as it is configured in
    /// HubSpot.
    /// - Parameter method: The HTTP method.
    /// - Parameter url: The whole address.
    /// - Parameter headers: The headers; the case of their names does not matter.
    /// - Parameter body: The body's bytes as they came.
    /// - Parameter receivedAt: When it arrived; now when absent.
    /// - Parameter source: The name of the batch.
    public func accept(
        method: String,
        url: String,
        headers: [String: String],
        body: Data,
        receivedAt: Timestamp? = nil,
        source: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Accepted {
        struct Arguments: Encodable, Sendable {
            let method: String
            let url: String
            let headers: [String: String]
            let body: Bytes
            let receivedAt: Timestamp?
            let source: String?

            enum CodingKeys: String, CodingKey {
                case method
                case url
                case headers
                case body
                case receivedAt = "received_at"
                case source
            }
        }
        return try await caller.call("hubspot.accept", Arguments(method: method, url: url, headers: headers, body: Bytes(body), receivedAt: receivedAt, source: source), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Works on deals that have new events: revenue, match, ledger. A deal that fails is kept and tried again later, and stops no
    /// other. `ads` are the account's own, which a deal's first URL may name.
    /// - Parameter ads: The ad set and campaign of each ad, by ad id.
    /// - Parameter limit: At most so many deals; 100 when absent.
    public func process(
        ads: [String: AdParents] = [:],
        limit: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Processed {
        struct Arguments: Encodable, Sendable {
            let ads: [String: AdParents]
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case limit
            }
        }
        return try await caller.call("hubspot.process", Arguments(ads: ads, limit: limit), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How many events are stored, of all or of one batch.
    /// - Parameter source: The name of the batch.
    public func countEvents(source: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let source: String?

            enum CodingKeys: String, CodingKey {
                case source
            }
        }
        return try await caller.call("hubspot.count_events", Arguments(source: source), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Deals by signed webhooks of any backend.
public struct WebhooksArea: Sendable {
    let caller: Caller

    /// Verifies a webhook of your own by the scheme of Standard Webhooks, on its raw bytes, and stores its events durably: answer 200
    /// when this returns, and let `process` do the work. A delivery that is sent again is the same.
    /// - Parameter headers: The headers; the case of their names does not matter.
    /// - Parameter body: The body's bytes as they came.
    /// - Parameter receivedAt: When it arrived; now when absent.
    /// - Parameter source: The name of the batch.
    public func accept(
        headers: [String: String],
        body: Data,
        receivedAt: Timestamp? = nil,
        source: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Accepted {
        struct Arguments: Encodable, Sendable {
            let headers: [String: String]
            let body: Bytes
            let receivedAt: Timestamp?
            let source: String?

            enum CodingKeys: String, CodingKey {
                case headers
                case body
                case receivedAt = "received_at"
                case source
            }
        }
        return try await caller.call("webhooks.accept", Arguments(headers: headers, body: Bytes(body), receivedAt: receivedAt, source: source), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Works on deals that have new events, of webhooks and of HubSpot alike. `ads` are the account's own, which a deal's first URL
    /// may name.
    /// - Parameter ads: The ad set and campaign of each ad, by ad id.
    /// - Parameter limit: At most so many deals; 100 when absent.
    public func process(
        ads: [String: AdParents] = [:],
        limit: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Processed {
        struct Arguments: Encodable, Sendable {
            let ads: [String: AdParents]
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case limit
            }
        }
        return try await caller.call("webhooks.process", Arguments(ads: ads, limit: limit), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Thompson sampling of budgets.
public struct AllocationArea: Sendable {
    let caller: Caller

    /// What the deals behind each ad are worth now, by ad: the evidence of the later return.
    public func pipeline(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [String: Pipeline] {
        return try await caller.call("allocation.pipeline", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Draws the next budgets and stores them under `allocation_id` with their reasons and propensities. The same id gives the stored
    /// allocation again, whatever the request.
    /// - Parameter allocationId: Names the allocation.
    /// - Parameter request: The evidence, the bounds and the seed.
    public func select(allocationId: String, request: AllocationRequest, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Allocation {
        struct Arguments: Encodable, Sendable {
            let allocationId: String
            let request: AllocationRequest

            enum CodingKeys: String, CodingKey {
                case allocationId = "allocation_id"
                case request
            }
        }
        return try await caller.call("allocation.select", Arguments(allocationId: allocationId, request: request), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// A stored allocation; null when there is none.
    /// - Parameter allocationId: Names the allocation.
    public func get(_ allocationId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Allocation? {
        struct Arguments: Encodable, Sendable {
            let allocationId: String

            enum CodingKeys: String, CodingKey {
                case allocationId = "allocation_id"
            }
        }
        return try await caller.call("allocation.get", Arguments(allocationId: allocationId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The changes that an allocation asks for: one for each owner whose budget moves, with an id that follows from the allocation's,
    /// so that asking again queues nothing twice. `campaigns` has the campaign of each owner.
    /// - Parameter allocationId: Names the allocation.
    /// - Parameter accountId: The ad account.
    /// - Parameter currency: The account's currency.
    /// - Parameter allocation: The allocation.
    /// - Parameter campaigns: The campaign of each owner, by owner id.
    public func propose(
        allocationId: String,
        accountId: String,
        currency: Currency,
        allocation: Allocation,
        campaigns: [String: String],
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [AdChange] {
        struct Arguments: Encodable, Sendable {
            let allocationId: String
            let accountId: String
            let currency: Currency
            let allocation: Allocation
            let campaigns: [String: String]

            enum CodingKeys: String, CodingKey {
                case allocationId = "allocation_id"
                case accountId = "account_id"
                case currency
                case allocation
                case campaigns
            }
        }
        return try await caller.call("allocation.propose", Arguments(allocationId: allocationId, accountId: accountId, currency: currency, allocation: allocation, campaigns: campaigns), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Takes the figures of one ad and day, totals of the day so far, and says whether they changed anything. Of several reports the
    /// one of the latest `observed_at` counts (now, when it is not given), whatever order they arrive in. Workers may do it at once:
    /// none is lost.
    /// - Parameter observation: The figures.
    public func observe(_ observation: AdObservation, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Bool {
        struct Arguments: Encodable, Sendable {
            let observation: AdObservation

            enum CodingKeys: String, CodingKey {
                case observation
            }
        }
        return try await caller.call("allocation.observe", Arguments(observation: observation), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Takes what became of a deal behind an ad, and says whether it changed anything: an event that was given before does not. An ad
    /// that was never observed is an error, and so is an event id that said something else before. Workers may do it at once: none is
    /// lost.
    /// - Parameter feedback: The event.
    public func feedback(_ feedback: DealFeedback, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Bool {
        struct Arguments: Encodable, Sendable {
            let feedback: DealFeedback

            enum CodingKeys: String, CodingKey {
                case feedback
            }
        }
        return try await caller.call("allocation.feedback", Arguments(feedback: feedback), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Takes many observations and feedbacks, in any order, and says how many changed anything: for batches, and for an event log
    /// that is replayed. Here an ad need not have been observed.
    /// - Parameter observations: Figures of ads and days.
    /// - Parameter feedback: What became of deals.
    public func learn(
        observations: [AdObservation] = [],
        feedback: [DealFeedback] = [],
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let observations: [AdObservation]
            let feedback: [DealFeedback]

            enum CodingKeys: String, CodingKey {
                case observations
                case feedback
            }
        }
        return try await caller.call("allocation.learn", Arguments(observations: observations, feedback: feedback), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Everything that the sampler remembers of the tenant's ads: to look at, to keep a copy of, and for `allocation.merge`
    /// elsewhere.
    public func state(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> SamplerState {
        return try await caller.call("allocation.state", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Takes in what another replica remembers, and says of how many ads that changed anything. Merging again changes nothing, and
    /// the order of merges does not matter.
    /// - Parameter state: What the other replica remembers.
    public func merge(_ state: SamplerState, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let state: SamplerState

            enum CodingKeys: String, CodingKey {
                case state
            }
        }
        return try await caller.call("allocation.merge", Arguments(state: state), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What is believed of every ad that was observed: means and 90 % intervals of click-through and return.
    /// - Parameter sampler: How to learn; as of today in UTC unless it says a day.
    public func posteriors(sampler: SamplerOptions? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Posteriors {
        struct Arguments: Encodable, Sendable {
            let sampler: SamplerOptions?

            enum CodingKeys: String, CodingKey {
                case sampler
            }
        }
        return try await caller.call("allocation.posteriors", Arguments(sampler: sampler), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The probability of each ad to be the best, and the mean of its part in the sum of all, from Beta posteriors of click-through
    /// that come from elsewhere. `seed` and `draws` (0 and 10,000 by default) count with the method `draws` alone. Nothing is stored.
    /// - Parameter ads: The ads.
    /// - Parameter method: How it is computed: `quadrature` unless given.
    /// - Parameter seed: The seed of the draws.
    /// - Parameter draws: How many draws.
    public func probabilityBest(
        _ ads: [BetaAd],
        method: ScoringMethod? = nil,
        seed: UInt64? = nil,
        draws: UInt32? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [BestProbability] {
        struct Arguments: Encodable, Sendable {
            let ads: [BetaAd]
            let method: ScoringMethod?
            let seed: UInt64?
            let draws: UInt32?

            enum CodingKeys: String, CodingKey {
                case ads
                case method
                case seed
                case draws
            }
        }
        return try await caller.call("allocation.probability_best", Arguments(ads: ads, method: method, seed: seed, draws: draws), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What every stored allocation did with every ad that ran, with its propensities: what the evaluation of another policy needs
    /// beside the rewards. With `since`, of allocations made then or later.
    /// - Parameter since: The earliest time of an allocation.
    public func log(since: Timestamp? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [AllocationLogRow] {
        struct Arguments: Encodable, Sendable {
            let since: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
            }
        }
        return try await caller.call("allocation.log", Arguments(since: since), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Estimates what `policy` would have brought, from a log of decisions with their propensities: replay, the direct method, IPS,
    /// SNIPS and doubly robust, with intervals. Where the log says too little of the policy it concludes nothing and says why.
    /// Nothing is stored.
    /// - Parameter log: The decisions that were made, and what came of them.
    /// - Parameter policy: The policy to evaluate.
    /// - Parameter options: How it is evaluated.
    public func evaluate(
        log: [LoggedDecision],
        policy: TargetPolicy,
        options: EvaluationOptions? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> OffPolicyEvaluation {
        struct Arguments: Encodable, Sendable {
            let log: [LoggedDecision]
            let policy: TargetPolicy
            let options: EvaluationOptions?

            enum CodingKeys: String, CodingKey {
                case log
                case policy
                case options
            }
        }
        return try await caller.call("allocation.evaluate", Arguments(log: log, policy: policy, options: options), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Whether `proposed` may take the place of `current` (the logged policy when there is none): `allow` when its lower bound is not
    /// below, `refuse` when it is, `too_thin` when the log says too little. Nothing is stored.
    /// - Parameter log: The decisions that were made, and what came of them.
    /// - Parameter proposed: The policy that may be queued.
    /// - Parameter current: The policy whose place it would take; the logged one by default.
    /// - Parameter options: How both are evaluated.
    public func gate(
        log: [LoggedDecision],
        proposed: TargetPolicy,
        current: TargetPolicy? = nil,
        options: EvaluationOptions? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> GateDecision {
        struct Arguments: Encodable, Sendable {
            let log: [LoggedDecision]
            let proposed: TargetPolicy
            let current: TargetPolicy?
            let options: EvaluationOptions?

            enum CodingKeys: String, CodingKey {
                case log
                case proposed
                case current
                case options
            }
        }
        return try await caller.call("allocation.gate", Arguments(log: log, proposed: proposed, current: current, options: options), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Which units are held out of `holdout_ppm` of a million, by a hash of their ids under `key`. Nothing is stored.
    /// - Parameter unitIds: The ids of visitors, people or accounts.
    /// - Parameter key: Names the experiment: another key holds out others.
    /// - Parameter holdoutPpm: How many of a million are held out.
    public func holdout(
        unitIds: [String],
        key: String,
        holdoutPpm: UInt32,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [HoldoutUnit] {
        struct Arguments: Encodable, Sendable {
            let unitIds: [String]
            let key: String
            let holdoutPpm: UInt32

            enum CodingKeys: String, CodingKey {
                case unitIds = "unit_ids"
                case key
                case holdoutPpm = "holdout_ppm"
            }
        }
        return try await caller.call("allocation.holdout", Arguments(unitIds: unitIds, key: key, holdoutPpm: holdoutPpm), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What treatment adds to what comes anyway: the multiplier of what was attributed, with an interval. Nothing is stored.
    /// - Parameter treated: The units that were treated.
    /// - Parameter holdout: The units that were held out.
    /// - Parameter attributed: What attribution gives the treated group, in conversions or, with values, in minor units; all that it
    /// brought by default.
    /// - Parameter confidence: How sure the interval is: 0.95 by default.
    public func incrementality(
        treated: GroupOutcome,
        holdout: GroupOutcome,
        attributed: Int64? = nil,
        confidence: Double? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Incrementality {
        struct Arguments: Encodable, Sendable {
            let treated: GroupOutcome
            let holdout: GroupOutcome
            let attributed: Int64?
            let confidence: Double?

            enum CodingKeys: String, CodingKey {
                case treated
                case holdout
                case attributed
                case confidence
            }
        }
        return try await caller.call("allocation.incrementality", Arguments(treated: treated, holdout: holdout, attributed: attributed, confidence: confidence), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Writes predictions down before their truths are known. The same id with the same prediction is one prediction.
    /// - Parameter predictions: What is predicted.
    public func logPredictions(_ predictions: [LoggedPrediction], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> PredictionsLogged {
        struct Arguments: Encodable, Sendable {
            let predictions: [LoggedPrediction]

            enum CodingKeys: String, CodingKey {
                case predictions
            }
        }
        return try await caller.call("allocation.log_predictions", Arguments(predictions: predictions), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Writes down what came true. Truths of predictions that there are not are named in the answer.
    /// - Parameter truths: What came true.
    public func scorePredictions(_ truths: [PredictionTruth], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> PredictionsLogged {
        struct Arguments: Encodable, Sendable {
            let truths: [PredictionTruth]

            enum CodingKeys: String, CodingKey {
                case truths
            }
        }
        return try await caller.call("allocation.score_predictions", Arguments(truths: truths), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How good predictions were, of one model or of all: log loss, Brier score and calibration of probabilities, error and coverage
    /// of values.
    /// - Parameter model: What predicted; all by default.
    public func predictionScores(model: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> PredictionScores {
        struct Arguments: Encodable, Sendable {
            let model: String?

            enum CodingKeys: String, CodingKey {
                case model
            }
        }
        return try await caller.call("allocation.prediction_scores", Arguments(model: model), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Trains a version of the click-through model on `rows` in the order of time, from nothing or on top of `from_version`. Its
    /// report compares it with the base rate on what it had not learned yet. It does not predict until it is activated.
    /// - Parameter rows: Impressions and their clicks, in the order of time.
    /// - Parameter options: How the model learns.
    /// - Parameter fromVersion: The version to go on from; none begins from nothing.
    public func trainCtr(
        _ rows: [CtrRow],
        options: CtrOptions? = nil,
        fromVersion: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> CtrVersion {
        struct Arguments: Encodable, Sendable {
            let rows: [CtrRow]
            let options: CtrOptions?
            let fromVersion: UInt64?

            enum CodingKeys: String, CodingKey {
                case rows
                case options
                case fromVersion = "from_version"
            }
        }
        return try await caller.call("allocation.train_ctr", Arguments(rows: rows, options: options, fromVersion: fromVersion), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The versions of the click-through model with their reports, and which of them predicts.
    public func ctrModels(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> CtrModels {
        return try await caller.call("allocation.ctr_models", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Lets a version predict from now on; without `version` the one that was active before the present one.
    /// - Parameter version: The version; by default the one that was active before.
    public func activateCtr(version: UInt64? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> CtrModels {
        struct Arguments: Encodable, Sendable {
            let version: UInt64?

            enum CodingKeys: String, CodingKey {
                case version
            }
        }
        return try await caller.call("allocation.activate_ctr", Arguments(version: version), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The click-through of ads by their features, each with the Beta prior that it is worth: by the active version, or another.
    /// - Parameter ads: The ads and what is known of them.
    /// - Parameter version: The version; the active one by default.
    public func predictCtr(_ ads: [CtrAd], version: UInt64? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [CtrPrediction] {
        struct Arguments: Encodable, Sendable {
            let ads: [CtrAd]
            let version: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case version
            }
        }
        return try await caller.call("allocation.predict_ctr", Arguments(ads: ads, version: version), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// A/B tests that may be looked at at any time.
public struct ExperimentsArea: Sendable {
    let caller: Caller

    /// Starts an experiment. The same spec again is the same experiment.
    /// - Parameter spec: What is compared, and when it is decided.
    public func start(_ spec: ExperimentSpec, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ExperimentStatus {
        struct Arguments: Encodable, Sendable {
            let spec: ExperimentSpec

            enum CodingKeys: String, CodingKey {
                case spec
            }
        }
        return try await caller.call("experiments.start", Arguments(spec: spec), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What units get now, in their order: the same in every process.
    /// - Parameter experimentId: The experiment.
    /// - Parameter unitIds: The ids of visitors, people or accounts.
    public func assign(experimentId: String, unitIds: [String], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [UnitAssignment] {
        struct Arguments: Encodable, Sendable {
            let experimentId: String
            let unitIds: [String]

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case unitIds = "unit_ids"
            }
        }
        return try await caller.call("experiments.assign", Arguments(experimentId: experimentId, unitIds: unitIds), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Records exposures and metrics of units, each event once. Many workers may record at once.
    /// - Parameter experimentId: The experiment.
    /// - Parameter events: What happened to units.
    public func record(experimentId: String, events: [ExperimentEvent], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> EventsRecorded {
        struct Arguments: Encodable, Sendable {
            let experimentId: String
            let events: [ExperimentEvent]

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case events
            }
        }
        return try await caller.call("experiments.record", Arguments(experimentId: experimentId, events: events), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Looks at an experiment with intervals that hold at every look, and moves it on where the look decides: an arm with a guardrail
    /// against it is taken out, and with `auto_promote` a winner is promoted, and rolled back when it turns out worse.
    /// - Parameter experimentId: The experiment.
    public func status(_ experimentId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ExperimentStatus {
        struct Arguments: Encodable, Sendable {
            let experimentId: String

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
            }
        }
        return try await caller.call("experiments.status", Arguments(experimentId: experimentId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Ends an experiment. With `promote` that arm gets all units from now on, unless a guardrail is against it; else the one that
    /// serves.
    /// - Parameter experimentId: The experiment.
    /// - Parameter promote: The arm that all units get from now on.
    public func stop(_ experimentId: String, promote: String? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ExperimentStatus {
        struct Arguments: Encodable, Sendable {
            let experimentId: String
            let promote: String?

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case promote
            }
        }
        return try await caller.call("experiments.stop", Arguments(experimentId: experimentId, promote: promote), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Creatives that won, found by likeness.
public struct WinnersArea: Sendable {
    let caller: Caller

    /// Adds an ad that won, with the embedding of its creative and what is known of it; an ad that is there is replaced. It is found
    /// at once, and outlives the process once `winners.persist` has written it.
    /// - Parameter adId: The ad: 1 to 256 bytes.
    /// - Parameter embedding: The embedding of its creative. Only its direction counts.
    /// - Parameter metadata: What is known of it, at most 16 kB.
    public func add(
        adId: String,
        embedding: [Float],
        metadata: [String: JSONValue]? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Added {
        struct Arguments: Encodable, Sendable {
            let adId: String
            let embedding: [Float]
            let metadata: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
                case embedding
                case metadata
            }
        }
        return try await caller.call("winners.add", Arguments(adId: adId, embedding: embedding, metadata: metadata), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Adds many winners, all or none.
    /// - Parameter winners: The winners.
    public func addMany(_ winners: [Winner], timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Added {
        struct Arguments: Encodable, Sendable {
            let winners: [Winner]

            enum CodingKeys: String, CodingKey {
                case winners
            }
        }
        return try await caller.call("winners.add_many", Arguments(winners: winners), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The `k` winners whose embeddings are nearest, the nearest first. `filter` asks for fields of their metadata: a value that the
    /// field equals, `{"one_of": [...]}`, or `{"min": ..., "max": ...}`.
    /// - Parameter embedding: What the winners are to be like.
    /// - Parameter k: How many, 1 to 10,000.
    /// - Parameter filter: What their metadata have to be.
    public func findSimilar(
        embedding: [Float],
        k: UInt32,
        filter: [String: JSONValue]? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [SimilarWinner] {
        struct Arguments: Encodable, Sendable {
            let embedding: [Float]
            let k: UInt32
            let filter: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case embedding
                case k
                case filter
            }
        }
        return try await caller.call("winners.find_similar", Arguments(embedding: embedding, k: k, filter: filter), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The nearest winners of each of many embeddings, in their order. This takes less than one after the other.
    /// - Parameter embeddings: What the winners are to be like.
    /// - Parameter k: How many of each, 1 to 10,000.
    /// - Parameter filter: What their metadata have to be.
    public func findSimilarMany(
        embeddings: [[Float]],
        k: UInt32,
        filter: [String: JSONValue]? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [[SimilarWinner]] {
        struct Arguments: Encodable, Sendable {
            let embeddings: [[Float]]
            let k: UInt32
            let filter: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case embeddings
                case k
                case filter
            }
        }
        return try await caller.call("winners.find_similar_many", Arguments(embeddings: embeddings, k: k, filter: filter), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The winner, its embedding at length 1; null when there is none.
    /// - Parameter adId: The ad.
    public func get(_ adId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Winner? {
        struct Arguments: Encodable, Sendable {
            let adId: String

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
            }
        }
        return try await caller.call("winners.get", Arguments(adId: adId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Removes the winner; whether it was there.
    /// - Parameter adId: The ad.
    public func remove(_ adId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Bool {
        struct Arguments: Encodable, Sendable {
            let adId: String

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
            }
        }
        return try await caller.call("winners.remove", Arguments(adId: adId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// How many winners there are, and how they are searched.
    public func stats(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> IndexStats {
        return try await caller.call("winners.stats", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Writes all winners to the configured folder. A crash at any moment leaves this state or the one before, whole.
    public func persist(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Persisted {
        return try await caller.call("winners.persist", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Adds the vectors of a file of FAISS's: an `IndexFlatIP`, or an `IndexIDMap2` of one, whose ids become ads. All or none.
    /// - Parameter path: The file.
    public func importFile(_ path: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Added {
        struct Arguments: Encodable, Sendable {
            let path: String

            enum CodingKeys: String, CodingKey {
                case path
            }
        }
        return try await caller.call("winners.import_file", Arguments(path: path), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Clicks, deals, budgets and changes as one loop.
public struct ClosedLoopArea: Sendable {
    let caller: Caller

    /// Does everything that there is to do now: books the deals behind new events, draws the next budgets, queues the changes, and
    /// does every step that is due. Call it again at `next_due`, and with another `allocation_id` when the next allocation is wanted.
    /// - Parameter account: The ad account.
    /// - Parameter allocationId: Names the allocation: the same id never draws again.
    /// - Parameter seed: The seed of the draw.
    public func tick(
        account: AdAccount,
        allocationId: String,
        seed: UInt64,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Tick {
        struct Arguments: Encodable, Sendable {
            let account: AdAccount
            let allocationId: String
            let seed: UInt64

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case seed
            }
        }
        return try await caller.call("closed_loop.tick", Arguments(account: account, allocationId: allocationId, seed: seed), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Works on at most `limit` deals that have new events, and returns how many it was.
    /// - Parameter account: The ad account.
    /// - Parameter limit: At most so many deals; 100 when absent.
    public func process(_ account: AdAccount, limit: UInt64? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let account: AdAccount
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case account
                case limit
            }
        }
        return try await caller.call("closed_loop.process", Arguments(account: account, limit: limit), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Draws the next budgets from the live ones, the ads' figures and the deals behind them, and stores them.
    /// - Parameter account: The ad account.
    /// - Parameter allocationId: Names the allocation: the same id never draws again.
    /// - Parameter seed: The seed of the draw.
    public func allocate(
        account: AdAccount,
        allocationId: String,
        seed: UInt64,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Allocation {
        struct Arguments: Encodable, Sendable {
            let account: AdAccount
            let allocationId: String
            let seed: UInt64

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case seed
            }
        }
        return try await caller.call("closed_loop.allocate", Arguments(account: account, allocationId: allocationId, seed: seed), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The changes that an allocation asks for. The account's constraints become the limits that the guards keep.
    /// - Parameter account: The ad account.
    /// - Parameter allocationId: Names the allocation.
    /// - Parameter allocation: The allocation.
    public func changes(
        account: AdAccount,
        allocationId: String,
        allocation: Allocation,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [AdChange] {
        struct Arguments: Encodable, Sendable {
            let account: AdAccount
            let allocationId: String
            let allocation: Allocation

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case allocation
            }
        }
        return try await caller.call("closed_loop.changes", Arguments(account: account, allocationId: allocationId, allocation: allocation), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Guarded budget changes on the ad platform.
public struct ExecutionArea: Sendable {
    let caller: Caller

    /// The live budget owners of an account: its ad sets, and its campaigns where the budget sits there.
    /// - Parameter accountId: The ad account.
    public func owners(_ accountId: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [OwnerState] {
        struct Arguments: Encodable, Sendable {
            let accountId: String

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
            }
        }
        return try await caller.call("execution.owners", Arguments(accountId: accountId), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What would become of changes if they were applied now. Writes nothing, here or on the platform; with `ask_platform` the
    /// platform validates what would be sent. With `ramp` it is the plan of the steps that `queue` with `ramp` would store.
    /// - Parameter changes: The changes.
    /// - Parameter askPlatform: Whether the platform is asked to validate them.
    /// - Parameter ramp: Whether far targets are planned as steps.
    public func plan(
        _ changes: [AdChange],
        askPlatform: Bool = false,
        ramp: Bool = false,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> Plan {
        struct Arguments: Encodable, Sendable {
            let changes: [AdChange]
            let askPlatform: Bool
            let ramp: Bool

            enum CodingKeys: String, CodingKey {
                case changes
                case askPlatform = "ask_platform"
                case ramp
            }
        }
        return try await caller.call("execution.plan", Arguments(changes: changes, askPlatform: askPlatform, ramp: ramp), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Stores changes to be applied after their jitter. A change whose id is stored already is left as it is. With `ramp` a target
    /// further away than one window allows is reached in steps over the coming windows, each a change of its own.
    /// - Parameter changes: The changes.
    /// - Parameter ramp: Whether far targets are reached in steps.
    public func queue(_ changes: [AdChange], ramp: Bool = false, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [ChangeRow] {
        struct Arguments: Encodable, Sendable {
            let changes: [AdChange]
            let ramp: Bool

            enum CodingKeys: String, CodingKey {
                case changes
                case ramp
            }
        }
        return try await caller.call("execution.queue", Arguments(changes: changes, ramp: ramp), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Releases the changes that were queued under this digest of a plan, where the configuration asks for approval. The scope needs
    /// an actor.
    /// - Parameter planDigest: The digest of the plan.
    public func approve(_ planDigest: String, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [ChangeRow] {
        struct Arguments: Encodable, Sendable {
            let planDigest: String

            enum CodingKeys: String, CodingKey {
                case planDigest = "plan_digest"
            }
        }
        return try await caller.call("execution.approve", Arguments(planDigest: planDigest), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Does the most urgent thing that is due; null when nothing is. It never sleeps.
    public func runOnce(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Step? {
        return try await caller.call("execution.run_once", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Works for `for_ms` milliseconds; without it until the call is cancelled or the client is closed. Takes what is due with so
    /// many workers, sleeps until more is, and waits at its end for the steps under way. On the client itself it works for every
    /// tenant, on a scope for that tenant alone. A cancelled call takes nothing new; `drain` and closing the client wait for what it
    /// had under way.
    /// - Parameter workers: How many changes are worked on at once, 1 to 256; 4 when absent.
    /// - Parameter pollMs: How often the store is asked for something due when nothing wakes the worker; 1,000 when absent.
    /// - Parameter reconcileMs: How often requests that were judged not applied are searched for late landings, 0 for never; 600,000
    /// when absent.
    /// - Parameter forMs: For how long.
    public func run(
        workers: UInt64? = nil,
        pollMs: UInt64? = nil,
        reconcileMs: UInt64? = nil,
        forMs: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> RunReport {
        struct Arguments: Encodable, Sendable {
            let workers: UInt64?
            let pollMs: UInt64?
            let reconcileMs: UInt64?
            let forMs: UInt64?

            enum CodingKeys: String, CodingKey {
                case workers
                case pollMs = "poll_ms"
                case reconcileMs = "reconcile_ms"
                case forMs = "for_ms"
            }
        }
        return try await caller.call("execution.run", Arguments(workers: workers, pollMs: pollMs, reconcileMs: reconcileMs, forMs: forMs), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Does everything that is due now and returns: for schedulers and functions that scale to zero. It covers the same tenants as
    /// `run`.
    /// - Parameter workers: How many changes are worked on at once, 1 to 256; 4 when absent.
    public func tick(workers: UInt64? = nil, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> RunReport {
        struct Arguments: Encodable, Sendable {
            let workers: UInt64?

            enum CodingKeys: String, CodingKey {
                case workers
            }
        }
        return try await caller.call("execution.tick", Arguments(workers: workers), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Finds out what became of every request that is unknown and can land no more, and whether one that was judged not applied
    /// landed late.
    public func reconcile(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Reconciled {
        return try await caller.call("execution.reconcile", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Sends a change again whose last request had no effect, with the same value and after its jitter. The scope needs an actor.
    /// - Parameter id: The change's id, 32 hex digits.
    public func retry(_ id: ChangeId, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ChangeRow {
        struct Arguments: Encodable, Sendable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        return try await caller.call("execution.retry", Arguments(id: id), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Says what became of a request that reading the platform could not tell: those that `list` with `needs_human` has. The note
    /// tells how it is known; the scope needs an actor, and both are kept in the history.
    /// - Parameter id: The change's id, 32 hex digits.
    /// - Parameter verdict: What became of its request.
    /// - Parameter note: How that is known, in 1 to 300 characters.
    public func resolve(
        id: ChangeId,
        verdict: HumanVerdict,
        note: String,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> ChangeRow {
        struct Arguments: Encodable, Sendable {
            let id: ChangeId
            let verdict: HumanVerdict
            let note: String

            enum CodingKeys: String, CodingKey {
                case id
                case verdict
                case note
            }
        }
        return try await caller.call("execution.resolve", Arguments(id: id, verdict: verdict, note: note), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What is still to be done: changes that are not over, by status and reason, those that wait for a person, and when the oldest
    /// was due.
    public func backlog(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Backlog {
        return try await caller.call("execution.backlog", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Waits until no step is under way.
    public func drain(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws {
        try await caller.run("execution.drain", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// When something is due next; it may be past. Null when nothing is.
    public func nextDue(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Timestamp? {
        return try await caller.call("execution.next_due", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// A change; null when there is none of this id.
    /// - Parameter id: The change's id, 32 hex digits.
    public func get(_ id: ChangeId, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> ChangeRow? {
        struct Arguments: Encodable, Sendable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        return try await caller.call("execution.get", Arguments(id: id), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The changes that match, by the time of queueing and then id: at most `limit` of those after the change `after`, the last one
    /// of the page before.
    /// - Parameter accountId: Of this account.
    /// - Parameter allocationId: Of this allocation.
    /// - Parameter status: With this status.
    /// - Parameter reason: With this reason.
    /// - Parameter needsHuman: Whether only those that a person has to look at.
    /// - Parameter after: Only those after this change, in the list's order: the last one of the page before.
    /// - Parameter limit: At most so many; all of them when absent.
    public func list(
        accountId: String? = nil,
        allocationId: String? = nil,
        status: ChangeStatus? = nil,
        reason: Reason? = nil,
        needsHuman: Bool = false,
        after: ChangeId? = nil,
        limit: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [ChangeRow] {
        struct Arguments: Encodable, Sendable {
            let accountId: String?
            let allocationId: String?
            let status: ChangeStatus?
            let reason: Reason?
            let needsHuman: Bool
            let after: ChangeId?
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case allocationId = "allocation_id"
                case status
                case reason
                case needsHuman = "needs_human"
                case after
                case limit
            }
        }
        return try await caller.call("execution.list", Arguments(accountId: accountId, allocationId: allocationId, status: status, reason: reason, needsHuman: needsHuman, after: after, limit: limit), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Rows of an account's history, in order.
    /// - Parameter accountId: The ad account.
    /// - Parameter changeId: Only of this change.
    /// - Parameter afterSeq: Only rows with a greater sequence number; from the first when absent.
    /// - Parameter limit: At most so many; 1,000 when absent.
    public func history(
        _ accountId: String,
        changeId: ChangeId? = nil,
        afterSeq: UInt64? = nil,
        limit: UInt64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [AuditRow] {
        struct Arguments: Encodable, Sendable {
            let accountId: String
            let changeId: ChangeId?
            let afterSeq: UInt64?
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case changeId = "change_id"
                case afterSeq = "after_seq"
                case limit
            }
        }
        return try await caller.call("execution.history", Arguments(accountId: accountId, changeId: changeId, afterSeq: afterSeq, limit: limit), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Withdraws a change that is not in flight; `moved` tells whether it could be.
    /// - Parameter id: The change's id, 32 hex digits.
    public func cancel(_ id: ChangeId, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Step {
        struct Arguments: Encodable, Sendable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        return try await caller.call("execution.cancel", Arguments(id: id), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Sets what the user allows in an account, in minor units a day: the total, the floor and the ceiling of one owner.
    /// - Parameter accountId: The ad account.
    /// - Parameter currency: The account's currency.
    /// - Parameter totalDailyMinor: The most that the daily budgets of all active owners may add up to after a raise.
    /// - Parameter minMinor: The least daily budget of an owner.
    /// - Parameter maxMinor: The greatest daily budget of an owner.
    public func setLimits(
        accountId: String,
        currency: Currency,
        totalDailyMinor: Int64? = nil,
        minMinor: Int64? = nil,
        maxMinor: Int64? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws {
        struct Arguments: Encodable, Sendable {
            let accountId: String
            let currency: Currency
            let totalDailyMinor: Int64?
            let minMinor: Int64?
            let maxMinor: Int64?

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case currency
                case totalDailyMinor = "total_daily_minor"
                case minMinor = "min_minor"
                case maxMinor = "max_minor"
            }
        }
        try await caller.run("execution.set_limits", Arguments(accountId: accountId, currency: currency, totalDailyMinor: totalDailyMinor, minMinor: minMinor, maxMinor: maxMinor), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Switches a kill switch: of an owner, an account, the tenant, or everybody's. While it is on, nothing that it covers is sent.
    /// - Parameter scope: `global` (every tenant's, for the default tenant alone to switch), `tenant`, `{"account": ID}`, or
    /// `{"owner": {"account_id": ID, "owner": {"level": LEVEL, "id": ID}}}`.
    /// - Parameter on: Whether it is switched on.
    public func kill(scope: KillScope, on: Bool, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws {
        struct Arguments: Encodable, Sendable {
            let scope: KillScope
            let on: Bool

            enum CodingKeys: String, CodingKey {
                case scope
                case on
            }
        }
        try await caller.run("execution.kill", Arguments(scope: scope, on: on), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// The kill switches that are on.
    public func kills(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> [KillScope] {
        return try await caller.call("execution.kills", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Reads the tenant's whole history and verifies its chains.
    public func verifyAudit(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> AuditReport {
        return try await caller.call("execution.verify_audit", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// Campaigns, ad sets, ads, creatives and videos.
public struct AdsArea: Sendable {
    let caller: Caller

    /// Creates a campaign, ad set, ad, creative or video, paused. With a `key` that the caller keeps, the same call again gives the
    /// same object, whatever happened to the first one. Amounts are integers in minor units.
    /// - Parameter kind: What to create.
    /// - Parameter accountId: In which account.
    /// - Parameter name: Its name. The platform's copy carries a short tag behind it.
    /// - Parameter fields: Its other fields, by the platform's names.
    /// - Parameter key: Names the create, so that it can be asked for again.
    public func create(
        kind: AdObjectKind,
        accountId: String,
        name: String,
        fields: [String: JSONValue] = [:],
        key: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> AdObject {
        struct Arguments: Encodable, Sendable {
            let kind: AdObjectKind
            let accountId: String
            let name: String
            let fields: [String: JSONValue]
            let key: String?

            enum CodingKeys: String, CodingKey {
                case kind
                case accountId = "account_id"
                case name
                case fields
                case key
            }
        }
        return try await caller.call("ads.create", Arguments(kind: kind, accountId: accountId, name: name, fields: fields, key: key), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// An object, with further fields by the platform's names; `not_found` when there is none of this kind.
    /// - Parameter kind: What it is.
    /// - Parameter id: Its id on the platform.
    /// - Parameter fields: The further fields to show, by the platform's names.
    public func get(
        kind: AdObjectKind,
        id: String,
        fields: [String] = [],
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> AdObject {
        struct Arguments: Encodable, Sendable {
            let kind: AdObjectKind
            let id: String
            let fields: [String]

            enum CodingKeys: String, CodingKey {
                case kind
                case id
                case fields
            }
        }
        return try await caller.call("ads.get", Arguments(kind: kind, id: id, fields: fields), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Sets the name and other fields of an object. Its budget, bid and status are refused by name: they change by `execution.queue`
    /// alone.
    /// - Parameter kind: What it is.
    /// - Parameter id: Its id on the platform.
    /// - Parameter name: Its new name, if that changes.
    /// - Parameter fields: The fields that change, by the platform's names.
    public func update(
        kind: AdObjectKind,
        id: String,
        name: String? = nil,
        fields: [String: JSONValue] = [:],
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws {
        struct Arguments: Encodable, Sendable {
            let kind: AdObjectKind
            let id: String
            let name: String?
            let fields: [String: JSONValue]

            enum CodingKeys: String, CodingKey {
                case kind
                case id
                case name
                case fields
            }
        }
        try await caller.run("ads.update", Arguments(kind: kind, id: id, name: name, fields: fields), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// One page of objects; the next one with its `next` as `after`.
    /// - Parameter kind: Of which kind.
    /// - Parameter accountId: Of which account.
    /// - Parameter parentId: Only those under this campaign or ad set.
    /// - Parameter fields: The further fields to show, by the platform's names.
    /// - Parameter limit: How many at most, 1 to 500; 100 when absent.
    /// - Parameter after: Where the page before ended: its `next`.
    public func list(
        kind: AdObjectKind,
        accountId: String,
        parentId: String? = nil,
        fields: [String] = [],
        limit: UInt32? = nil,
        after: String? = nil,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> AdObjectPage {
        struct Arguments: Encodable, Sendable {
            let kind: AdObjectKind
            let accountId: String
            let parentId: String?
            let fields: [String]
            let limit: UInt32?
            let after: String?

            enum CodingKeys: String, CodingKey {
                case kind
                case accountId = "account_id"
                case parentId = "parent_id"
                case fields
                case limit
                case after
            }
        }
        return try await caller.call("ads.list", Arguments(kind: kind, accountId: accountId, parentId: parentId, fields: fields, limit: limit, after: after), timeoutMs: timeoutMs, requestId: requestId)
    }
}

/// What ads did, day by day.
public struct InsightsArea: Sendable {
    let caller: Caller

    /// Reads what each ad of an account did on each day from that of `since` to today, and keeps it; a day that was read before is
    /// replaced. The number of ads and days that were read.
    /// - Parameter accountId: The ad account.
    /// - Parameter since: From the day of this time.
    public func sync(accountId: String, since: Timestamp, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> UInt64 {
        struct Arguments: Encodable, Sendable {
            let accountId: String
            let since: Timestamp

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case since
            }
        }
        return try await caller.call("insights.sync", Arguments(accountId: accountId, since: since), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What each ad did from the day of `since` to that of `until` together, by ad id, as far as it was synchronised. Nothing is
    /// asked of the platform.
    /// - Parameter accountId: The ad account.
    /// - Parameter since: From the day of this time.
    /// - Parameter until: To the day of this time.
    public func totals(
        accountId: String,
        since: Timestamp,
        until: Timestamp,
        timeoutMs: UInt64? = nil,
        requestId: String? = nil
    ) async throws -> [AdInsight] {
        struct Arguments: Encodable, Sendable {
            let accountId: String
            let since: Timestamp
            let until: Timestamp

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case since
                case until
            }
        }
        return try await caller.call("insights.totals", Arguments(accountId: accountId, since: since, until: until), timeoutMs: timeoutMs, requestId: requestId)
    }
}

extension Client {
    /// Chat: routing, the response cache, spend limits.
    public var ai: AIArea { AIArea(caller: caller) }

    /// Clicks, matching and revenue.
    public var attribution: AttributionArea { AttributionArea(caller: caller) }

    /// The CRM: webhooks in, deals read.
    public var hubspot: HubSpotArea { HubSpotArea(caller: caller) }

    /// Deals by signed webhooks of any backend.
    public var webhooks: WebhooksArea { WebhooksArea(caller: caller) }

    /// Thompson sampling of budgets.
    public var allocation: AllocationArea { AllocationArea(caller: caller) }

    /// A/B tests that may be looked at at any time.
    public var experiments: ExperimentsArea { ExperimentsArea(caller: caller) }

    /// Creatives that won, found by likeness.
    public var winners: WinnersArea { WinnersArea(caller: caller) }

    /// Clicks, deals, budgets and changes as one loop.
    public var closedLoop: ClosedLoopArea { ClosedLoopArea(caller: caller) }

    /// Guarded budget changes on the ad platform.
    public var execution: ExecutionArea { ExecutionArea(caller: caller) }

    /// Campaigns, ad sets, ads, creatives and videos.
    public var ads: AdsArea { AdsArea(caller: caller) }

    /// What ads did, day by day.
    public var insights: InsightsArea { InsightsArea(caller: caller) }

    /// How the client and everything that it talks to fare. Every check really connects, reads or writes; the whole answers within
    /// five seconds.
    public func health(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Health {
        return try await caller.call("health", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Brings the tables of the store to this version; with `print_sql` it only returns the SQL, for those who migrate with a tool of
    /// their own.
    /// - Parameter printSql: Whether the SQL is returned and nothing is done.
    public func migrate(printSql: Bool = false, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Migration {
        struct Arguments: Encodable, Sendable {
            let printSql: Bool

            enum CodingKeys: String, CodingKey {
                case printSql = "print_sql"
            }
        }
        return try await caller.call("migrate", Arguments(printSql: printSql), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Does every budget change that is due now, of all tenants, and returns: what a scheduler calls.
    public func tick(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> RunReport {
        return try await caller.call("tick", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What happened in this process and what is still to be done, of all tenants together, in Prometheus' text format.
    public func metrics(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> String {
        return try await caller.call("metrics", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }
}

extension Scope {
    /// Chat: routing, the response cache, spend limits.
    public var ai: AIArea { AIArea(caller: caller) }

    /// Clicks, matching and revenue.
    public var attribution: AttributionArea { AttributionArea(caller: caller) }

    /// The CRM: webhooks in, deals read.
    public var hubspot: HubSpotArea { HubSpotArea(caller: caller) }

    /// Deals by signed webhooks of any backend.
    public var webhooks: WebhooksArea { WebhooksArea(caller: caller) }

    /// Thompson sampling of budgets.
    public var allocation: AllocationArea { AllocationArea(caller: caller) }

    /// A/B tests that may be looked at at any time.
    public var experiments: ExperimentsArea { ExperimentsArea(caller: caller) }

    /// Creatives that won, found by likeness.
    public var winners: WinnersArea { WinnersArea(caller: caller) }

    /// Clicks, deals, budgets and changes as one loop.
    public var closedLoop: ClosedLoopArea { ClosedLoopArea(caller: caller) }

    /// Guarded budget changes on the ad platform.
    public var execution: ExecutionArea { ExecutionArea(caller: caller) }

    /// Campaigns, ad sets, ads, creatives and videos.
    public var ads: AdsArea { AdsArea(caller: caller) }

    /// What ads did, day by day.
    public var insights: InsightsArea { InsightsArea(caller: caller) }

    /// How the client and everything that it talks to fare. Every check really connects, reads or writes; the whole answers within
    /// five seconds.
    public func health(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Health {
        return try await caller.call("health", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Brings the tables of the store to this version; with `print_sql` it only returns the SQL, for those who migrate with a tool of
    /// their own.
    /// - Parameter printSql: Whether the SQL is returned and nothing is done.
    public func migrate(printSql: Bool = false, timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> Migration {
        struct Arguments: Encodable, Sendable {
            let printSql: Bool

            enum CodingKeys: String, CodingKey {
                case printSql = "print_sql"
            }
        }
        return try await caller.call("migrate", Arguments(printSql: printSql), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// Does every budget change that is due now, of all tenants, and returns: what a scheduler calls.
    public func tick(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> RunReport {
        return try await caller.call("tick", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }

    /// What happened in this process and what is still to be done, of all tenants together, in Prometheus' text format.
    public func metrics(timeoutMs: UInt64? = nil, requestId: String? = nil) async throws -> String {
        return try await caller.call("metrics", Nothing(), timeoutMs: timeoutMs, requestId: requestId)
    }
}
