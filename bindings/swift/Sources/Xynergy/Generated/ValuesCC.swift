// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// How the cache fares, per tenant and process.
public struct CacheStats: Codable, Hashable, Sendable {
    /// Answers from the cache, or shared with an equal request in flight.
    public var hits: UInt64
    /// Requests that had to be sent.
    public var misses: UInt64
    /// Hits of all requests, in percent.
    public var hitRate: Double
    /// Hits and misses.
    public var totalRequests: UInt64
    /// Whether the cache is on.
    public var enabled: Bool
    /// For how many seconds an answer is kept.
    public var ttlSeconds: UInt64
    /// What keeps it, as `memory`.
    public var provider: String
    /// Whether answers are found by meaning as well.
    public var semanticEnabled: Bool
    /// Whether limits of answers are sized.
    public var tokenOptimizationEnabled: Bool

    public init(
        hits: UInt64,
        misses: UInt64,
        hitRate: Double,
        totalRequests: UInt64,
        enabled: Bool,
        ttlSeconds: UInt64,
        provider: String,
        semanticEnabled: Bool,
        tokenOptimizationEnabled: Bool
    ) {
        self.hits = hits
        self.misses = misses
        self.hitRate = hitRate
        self.totalRequests = totalRequests
        self.enabled = enabled
        self.ttlSeconds = ttlSeconds
        self.provider = provider
        self.semanticEnabled = semanticEnabled
        self.tokenOptimizationEnabled = tokenOptimizationEnabled
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case hits
        case misses
        case hitRate = "hit_rate"
        case totalRequests = "total_requests"
        case enabled
        case ttlSeconds = "ttl_seconds"
        case provider
        case semanticEnabled = "semantic_enabled"
        case tokenOptimizationEnabled = "token_optimization_enabled"
    }
}

/// How many predictions of a range came true.
public struct CalibrationBin: Codable, Hashable, Sendable {
    /// How many predictions there are.
    public var predictionCount: UInt64
    /// The mean predicted probability.
    public var predicted: Double
    /// How often it happened: 0 to 1.
    public var observed: Double

    public init(predictionCount: UInt64, predicted: Double, observed: Double) {
        self.predictionCount = predictionCount
        self.predicted = predicted
        self.observed = observed
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case predictionCount = "prediction_count"
        case predicted
        case observed
    }
}

/// What a host's method is told of the call.
public struct CallContext: Codable, Hashable, Sendable {
    /// Whose call it is.
    public var tenant: String
    /// The person or program that acts.
    public var actor: String?
    /// The id of the request.
    public var requestId: String
    /// The W3C trace context to continue.
    public var traceparent: String?

    public init(tenant: String, actor: String? = nil, requestId: String, traceparent: String? = nil) {
        self.tenant = tenant
        self.actor = actor
        self.requestId = requestId
        self.traceparent = traceparent
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tenant
        case actor
        case requestId = "request_id"
        case traceparent
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(tenant, forKey: .tenant)
        try container.encode(actor, forKey: .actor)
        try container.encode(requestId, forKey: .requestId)
        try container.encode(traceparent, forKey: .traceparent)
    }
}

/// What a caller tells this library about one call. No provider sees it.
public struct CallOptions: Codable, Hashable, Sendable {
    /// False neither reads nor fills the cache.
    public var cache: Bool?
    /// A name of the caller's that the spend is counted and limited under, as that of the API key which the host handed out. Never
    /// the secret itself: it is stored and reported.
    public var key: String?
    /// Whether the library sizes the limit of the answer. Not with tools or a response format.
    public var optimizeTokens: Bool?
    /// A name of the caller's for the conversation that the call belongs to. By it `sticky` and `canary` routes keep a conversation
    /// at one model; without it they know one by its first messages.
    public var session: String?
    /// Names under which the spend is counted and limited.
    public var tags: [String]

    public init(
        cache: Bool? = nil,
        key: String? = nil,
        optimizeTokens: Bool? = nil,
        session: String? = nil,
        tags: [String] = []
    ) {
        self.cache = cache
        self.key = key
        self.optimizeTokens = optimizeTokens
        self.session = session
        self.tags = tags
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cache
        case key
        case optimizeTokens = "optimize_tokens"
        case session
        case tags
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        cache = try container.decodeIfPresent(Bool.self, forKey: .cache)
        key = try container.decodeIfPresent(String.self, forKey: .key)
        optimizeTokens = try container.decodeIfPresent(Bool.self, forKey: .optimizeTokens)
        session = try container.decodeIfPresent(String.self, forKey: .session)
        tags = try container.decodeIfPresent([String].self, forKey: .tags) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(cache, forKey: .cache)
        try container.encodeIfPresent(key, forKey: .key)
        try container.encodeIfPresent(optimizeTokens, forKey: .optimizeTokens)
        try container.encodeIfPresent(session, forKey: .session)
        if !tags.isEmpty { try container.encode(tags, forKey: .tags) }
    }
}

/// What became of a call: who answered, at what cost, by which way.
public struct CallReport: Codable, Hashable, Sendable {
    /// The id of the request.
    public var requestId: String
    /// The provider that answered.
    public var provider: String
    /// The model that was asked there.
    public var model: String
    /// The cost in dollars, for people; null when the price is not known.
    public var cost: Double?
    /// The cost in billionths of a dollar; null when the price is not known.
    public var costNanoUsd: UInt64?
    /// Whether it came from the cache.
    public var cacheHit: Bool
    /// What chose the model: `cache`, or the `policy` of the decision, as `complexity`, `model`, `route` or `weighted`.
    public var routedVia: String
    /// Every attempt, in order.
    public var attempts: [Attempt]
    /// Whether a limit of ours had cut a first answer and the model was asked again without it.
    public var continued: Bool?
    /// What had come of an answer that broke off; only in the last chunk of a stream that ends with an error.
    public var partialText: String?
    /// How the limit of the answer was sized, where it was asked for.
    public var tokenOptimization: TokenOptimization?
    /// Whether the tokens were counted here because the provider did not say.
    public var usageEstimated: Bool?

    public init(
        requestId: String = "",
        provider: String = "",
        model: String = "",
        cost: Double? = nil,
        costNanoUsd: UInt64? = nil,
        cacheHit: Bool = false,
        routedVia: String = "",
        attempts: [Attempt] = [],
        continued: Bool? = nil,
        partialText: String? = nil,
        tokenOptimization: TokenOptimization? = nil,
        usageEstimated: Bool? = nil
    ) {
        self.requestId = requestId
        self.provider = provider
        self.model = model
        self.cost = cost
        self.costNanoUsd = costNanoUsd
        self.cacheHit = cacheHit
        self.routedVia = routedVia
        self.attempts = attempts
        self.continued = continued
        self.partialText = partialText
        self.tokenOptimization = tokenOptimization
        self.usageEstimated = usageEstimated
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case requestId = "request_id"
        case provider
        case model
        case cost
        case costNanoUsd = "cost_nano_usd"
        case cacheHit = "cache_hit"
        case routedVia = "routed_via"
        case attempts
        case continued
        case partialText = "partial_text"
        case tokenOptimization = "token_optimization"
        case usageEstimated = "usage_estimated"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        requestId = try container.decodeIfPresent(String.self, forKey: .requestId) ?? ""
        provider = try container.decodeIfPresent(String.self, forKey: .provider) ?? ""
        model = try container.decodeIfPresent(String.self, forKey: .model) ?? ""
        cost = try container.decodeIfPresent(Double.self, forKey: .cost)
        costNanoUsd = try container.decodeIfPresent(UInt64.self, forKey: .costNanoUsd)
        cacheHit = try container.decodeIfPresent(Bool.self, forKey: .cacheHit) ?? false
        routedVia = try container.decodeIfPresent(String.self, forKey: .routedVia) ?? ""
        attempts = try container.decodeIfPresent([Attempt].self, forKey: .attempts) ?? []
        continued = try container.decodeIfPresent(Bool.self, forKey: .continued)
        partialText = try container.decodeIfPresent(String.self, forKey: .partialText)
        tokenOptimization = try container.decodeIfPresent(TokenOptimization.self, forKey: .tokenOptimization)
        usageEstimated = try container.decodeIfPresent(Bool.self, forKey: .usageEstimated)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(requestId, forKey: .requestId)
        try container.encode(provider, forKey: .provider)
        try container.encode(model, forKey: .model)
        try container.encode(cost, forKey: .cost)
        try container.encode(costNanoUsd, forKey: .costNanoUsd)
        try container.encode(cacheHit, forKey: .cacheHit)
        try container.encode(routedVia, forKey: .routedVia)
        try container.encode(attempts, forKey: .attempts)
        try container.encodeIfPresent(continued, forKey: .continued)
        try container.encodeIfPresent(partialText, forKey: .partialText)
        try container.encodeIfPresent(tokenOptimization, forKey: .tokenOptimization)
        try container.encodeIfPresent(usageEstimated, forKey: .usageEstimated)
    }
}

/// How far a canary route is in this process: all tenants share one rollout.
public struct CanarySnapshot: Codable, Hashable, Sendable {
    /// The route.
    public var route: String
    /// The model that is in use.
    public var baseline: ModelChoice
    /// The model that is to replace it.
    public var candidate: ModelChoice
    /// What became of the candidate.
    public var state: CanaryState
    /// The stage that it is in, or in which it was rolled back, from 1.
    public var stage: UInt32
    /// How many stages there are.
    public var stages: UInt32
    /// The candidate's share of the conversations, in percent.
    public var percent: UInt32
    /// Why it was rolled back; absent otherwise.
    public var reason: String?

    public init(
        route: String,
        baseline: ModelChoice,
        candidate: ModelChoice,
        state: CanaryState,
        stage: UInt32,
        stages: UInt32,
        percent: UInt32,
        reason: String? = nil
    ) {
        self.route = route
        self.baseline = baseline
        self.candidate = candidate
        self.state = state
        self.stage = stage
        self.stages = stages
        self.percent = percent
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case route
        case baseline
        case candidate
        case state
        case stage
        case stages
        case percent
        case reason
    }
}

/// A click that shares a key with a conversion, and what a match needs of it.
public struct Candidate: Codable, Hashable, Sendable {
    /// The key that was asked for.
    public var matched: KeyedHash
    /// When it was clicked.
    public var at: Timestamp
    /// The click's id, as `Click::id`] shows it.
    public var id: String
    /// The click.
    public var key: KeyedHash
    /// The ad.
    public var adId: String
    /// The ad's ad set.
    public var adsetId: String
    /// The ad set's campaign.
    public var campaignId: String
    /// The UTM parameters.
    public var utm: Utm
    /// What is compared of the device, where that is kept.
    public var device: Device?

    public init(
        matched: KeyedHash,
        at: Timestamp,
        id: String,
        key: KeyedHash,
        adId: String,
        adsetId: String,
        campaignId: String,
        utm: Utm,
        device: Device? = nil
    ) {
        self.matched = matched
        self.at = at
        self.id = id
        self.key = key
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.utm = utm
        self.device = device
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case matched
        case at
        case id
        case key
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case utm
        case device
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(matched, forKey: .matched)
        try container.encode(at, forKey: .at)
        try container.encode(id, forKey: .id)
        try container.encode(key, forKey: .key)
        try container.encode(adId, forKey: .adId)
        try container.encode(adsetId, forKey: .adsetId)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(utm, forKey: .utm)
        try container.encode(device, forKey: .device)
    }
}

/// A change as it is stored.
public struct ChangeRow: Codable, Hashable, Sendable {
    /// What is wanted.
    public var change: AdChange
    /// Where it stands.
    public var status: ChangeStatus
    /// Why, where there is more to say than the status.
    public var reason: Reason?
    /// When it is asked again, if it is blocked for a time only.
    public var retryAt: Timestamp?
    /// When something has to be done about it next; `None` when it is over.
    public var dueAt: Timestamp?
    /// When it may run at the earliest.
    public var runAt: Timestamp
    /// When it is not applied any more.
    public var expiresAt: Timestamp
    /// How many intents were written for it.
    public var attempt: UInt32
    /// How many of them do not count towards the limit of lost attempts: those before a person's retry.
    public var attemptsForgiven: UInt32
    /// The value seen when the last intent was written.
    public var observedFrom: Int64?
    /// The final value, fixed by the first intent: every request of this change carries it.
    public var sentValue: Int64?
    /// When the last intent was written.
    public var intentAt: Timestamp?
    /// Until when the worker that claimed it may send.
    public var leaseUntil: Timestamp?
    /// What the platform said last, for a person.
    public var detail: String?
    /// The approval that it needs; `None` when it needs none.
    public var approval: Approval?
    /// When it was queued.
    public var queuedAt: Timestamp
    /// When it last moved.
    public var updatedAt: Timestamp

    public init(
        change: AdChange,
        status: ChangeStatus,
        reason: Reason? = nil,
        retryAt: Timestamp? = nil,
        dueAt: Timestamp? = nil,
        runAt: Timestamp,
        expiresAt: Timestamp,
        attempt: UInt32,
        attemptsForgiven: UInt32,
        observedFrom: Int64? = nil,
        sentValue: Int64? = nil,
        intentAt: Timestamp? = nil,
        leaseUntil: Timestamp? = nil,
        detail: String? = nil,
        approval: Approval? = nil,
        queuedAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.change = change
        self.status = status
        self.reason = reason
        self.retryAt = retryAt
        self.dueAt = dueAt
        self.runAt = runAt
        self.expiresAt = expiresAt
        self.attempt = attempt
        self.attemptsForgiven = attemptsForgiven
        self.observedFrom = observedFrom
        self.sentValue = sentValue
        self.intentAt = intentAt
        self.leaseUntil = leaseUntil
        self.detail = detail
        self.approval = approval
        self.queuedAt = queuedAt
        self.updatedAt = updatedAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case change
        case status
        case reason
        case retryAt = "retry_at"
        case dueAt = "due_at"
        case runAt = "run_at"
        case expiresAt = "expires_at"
        case attempt
        case attemptsForgiven = "attempts_forgiven"
        case observedFrom = "observed_from"
        case sentValue = "sent_value"
        case intentAt = "intent_at"
        case leaseUntil = "lease_until"
        case detail
        case approval
        case queuedAt = "queued_at"
        case updatedAt = "updated_at"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(change, forKey: .change)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(retryAt, forKey: .retryAt)
        try container.encode(dueAt, forKey: .dueAt)
        try container.encode(runAt, forKey: .runAt)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(attemptsForgiven, forKey: .attemptsForgiven)
        try container.encode(observedFrom, forKey: .observedFrom)
        try container.encode(sentValue, forKey: .sentValue)
        try container.encode(intentAt, forKey: .intentAt)
        try container.encode(leaseUntil, forKey: .leaseUntil)
        try container.encode(detail, forKey: .detail)
        try container.encode(approval, forKey: .approval)
        try container.encode(queuedAt, forKey: .queuedAt)
        try container.encode(updatedAt, forKey: .updatedAt)
    }
}

/// The credit of one channel.
public struct ChannelCredit: Codable, Hashable, Sendable {
    /// The channel.
    public var channel: String
    /// Its conversions, in millionths of one.
    public var conversionsMillionths: Int64
    /// Its value, in minor units.
    public var valueMinor: Int64
    /// Its touches that count, in converting paths and others, each as often as its path was gone.
    public var touchCount: UInt64
    /// Markov's removal effect: the share of conversions that would be lost without the channel, 0 to 1.
    public var removalEffect: Double?

    public init(
        channel: String,
        conversionsMillionths: Int64,
        valueMinor: Int64,
        touchCount: UInt64,
        removalEffect: Double? = nil
    ) {
        self.channel = channel
        self.conversionsMillionths = conversionsMillionths
        self.valueMinor = valueMinor
        self.touchCount = touchCount
        self.removalEffect = removalEffect
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case channel
        case conversionsMillionths = "conversions_millionths"
        case valueMinor = "value_minor"
        case touchCount = "touch_count"
        case removalEffect = "removal_effect"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(channel, forKey: .channel)
        try container.encode(conversionsMillionths, forKey: .conversionsMillionths)
        try container.encode(valueMinor, forKey: .valueMinor)
        try container.encode(touchCount, forKey: .touchCount)
        try container.encode(removalEffect, forKey: .removalEffect)
    }
}

/// A piece of a streamed answer, in OpenAI's shape. The last one of a stream is the library's own: no choices, the usage, the
/// outcome and the report.
public struct ChatChunk: Codable, Hashable, Sendable {
    /// The provider's id of the answer.
    public var id: String
    /// The model that answers, as the provider names it.
    public var model: String
    /// What is added to which answer; empty in chunks that only annotate.
    public var choices: [ChunkChoice]
    /// Whether the answer is whole; only in the last chunk.
    public var outcome: Outcome?
    /// The tokens used so far, where the provider says so.
    public var usage: Usage?
    /// Who answered, at what cost, by which way; only in the last chunk.
    public var xynergy: CallReport?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        id: String = "",
        model: String = "",
        choices: [ChunkChoice] = [],
        outcome: Outcome? = nil,
        usage: Usage? = nil,
        xynergy: CallReport? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.model = model
        self.choices = choices
        self.outcome = outcome
        self.usage = usage
        self.xynergy = xynergy
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case model
        case choices
        case outcome
        case usage
        case xynergy
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id) ?? ""
        model = try container.decodeIfPresent(String.self, forKey: .model) ?? ""
        choices = try container.decodeIfPresent([ChunkChoice].self, forKey: .choices) ?? []
        outcome = try container.decodeIfPresent(Outcome.self, forKey: .outcome)
        usage = try container.decodeIfPresent(Usage.self, forKey: .usage)
        xynergy = try container.decodeIfPresent(CallReport.self, forKey: .xynergy)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(model, forKey: .model)
        try container.encode(choices, forKey: .choices)
        try container.encodeIfPresent(outcome, forKey: .outcome)
        try container.encodeIfPresent(usage, forKey: .usage)
        try container.encodeIfPresent(xynergy, forKey: .xynergy)
    }
}

/// A chat completion to be made, in OpenAI's shape. `model` is a route, a provider, a provider's model (`openai/gpt-4o-mini`) or
/// the model of one of the configured providers; empty or `auto` lets the router choose.
public struct ChatRequest: Codable, Hashable, Sendable {
    /// The conversation so far.
    public var messages: [Message]
    /// The newer name of `max_tokens`; it wins where both are given. Each provider is sent the name that it knows.
    public var maxCompletionTokens: UInt32?
    /// The greatest number of tokens of the answer.
    public var maxTokens: UInt32?
    /// Which model.
    public var model: String?
    /// The number of answers.
    public var n: UInt32?
    /// The format that the answer must have.
    public var responseFormat: JSONValue?
    /// How freely the model chooses, 0 to 2.
    public var temperature: Double?
    /// The tools that the model may call, as they came.
    public var tools: [JSONValue]
    /// What is meant for this library and sent to no provider.
    public var xynergy: CallOptions?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        messages: [Message],
        maxCompletionTokens: UInt32? = nil,
        maxTokens: UInt32? = nil,
        model: String? = nil,
        n: UInt32? = nil,
        responseFormat: JSONValue? = nil,
        temperature: Double? = nil,
        tools: [JSONValue] = [],
        xynergy: CallOptions? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.messages = messages
        self.maxCompletionTokens = maxCompletionTokens
        self.maxTokens = maxTokens
        self.model = model
        self.n = n
        self.responseFormat = responseFormat
        self.temperature = temperature
        self.tools = tools
        self.xynergy = xynergy
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case messages
        case maxCompletionTokens = "max_completion_tokens"
        case maxTokens = "max_tokens"
        case model
        case n
        case responseFormat = "response_format"
        case temperature
        case tools
        case xynergy
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        messages = try container.decode([Message].self, forKey: .messages)
        maxCompletionTokens = try container.decodeIfPresent(UInt32.self, forKey: .maxCompletionTokens)
        maxTokens = try container.decodeIfPresent(UInt32.self, forKey: .maxTokens)
        model = try container.decodeIfPresent(String.self, forKey: .model)
        n = try container.decodeIfPresent(UInt32.self, forKey: .n)
        responseFormat = try container.decodeIfPresent(JSONValue.self, forKey: .responseFormat)
        temperature = try container.decodeIfPresent(Double.self, forKey: .temperature)
        tools = try container.decodeIfPresent([JSONValue].self, forKey: .tools) ?? []
        xynergy = try container.decodeIfPresent(CallOptions.self, forKey: .xynergy)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(messages, forKey: .messages)
        try container.encodeIfPresent(maxCompletionTokens, forKey: .maxCompletionTokens)
        try container.encodeIfPresent(maxTokens, forKey: .maxTokens)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(n, forKey: .n)
        try container.encodeIfPresent(responseFormat, forKey: .responseFormat)
        try container.encodeIfPresent(temperature, forKey: .temperature)
        if !tools.isEmpty { try container.encode(tools, forKey: .tools) }
        try container.encodeIfPresent(xynergy, forKey: .xynergy)
    }
}

/// A chat completion, in OpenAI's shape, with what became of it.
public struct ChatResponse: Codable, Hashable, Sendable {
    /// The provider's id of the answer.
    public var id: String
    /// The model that answered, as the provider names it.
    public var model: String
    /// The answers, one unless more were asked for.
    public var choices: [Choice]
    /// Whether it is whole: the worst of the choices. Truncated until it is set.
    public var outcome: Outcome
    /// Who answered, at what cost, by which way.
    public var xynergy: CallReport
    /// The tokens used, as the provider counts them.
    public var usage: Usage?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        id: String = "",
        model: String = "",
        choices: [Choice] = [],
        outcome: Outcome = .truncated,
        xynergy: CallReport = CallReport(),
        usage: Usage? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.model = model
        self.choices = choices
        self.outcome = outcome
        self.xynergy = xynergy
        self.usage = usage
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case model
        case choices
        case outcome
        case xynergy
        case usage
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id) ?? ""
        model = try container.decodeIfPresent(String.self, forKey: .model) ?? ""
        choices = try container.decodeIfPresent([Choice].self, forKey: .choices) ?? []
        outcome = try container.decodeIfPresent(Outcome.self, forKey: .outcome) ?? Outcome.truncated
        xynergy = try container.decodeIfPresent(CallReport.self, forKey: .xynergy) ?? CallReport()
        usage = try container.decodeIfPresent(Usage.self, forKey: .usage)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(model, forKey: .model)
        try container.encode(choices, forKey: .choices)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(xynergy, forKey: .xynergy)
        try container.encodeIfPresent(usage, forKey: .usage)
    }
}

/// One answer.
public struct Choice: Codable, Hashable, Sendable {
    /// Its number.
    public var index: UInt32
    /// What the model said; empty where a filter took it away.
    public var message: Message
    /// Why it stopped.
    public var finishReason: String?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        index: UInt32 = 0,
        message: Message = Message(),
        finishReason: String? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.index = index
        self.message = message
        self.finishReason = finishReason
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case index
        case message
        case finishReason = "finish_reason"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        index = try container.decodeIfPresent(UInt32.self, forKey: .index) ?? 0
        message = try container.decodeIfPresent(Message.self, forKey: .message) ?? Message()
        finishReason = try container.decodeIfPresent(String.self, forKey: .finishReason)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(index, forKey: .index)
        try container.encode(message, forKey: .message)
        try container.encode(finishReason, forKey: .finishReason)
    }
}

/// What a chunk adds to one answer.
public struct ChunkChoice: Codable, Hashable, Sendable {
    /// Which answer.
    public var index: UInt32
    /// What is added.
    public var delta: Delta
    /// Why it ended, in its last chunk.
    public var finishReason: String?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        index: UInt32 = 0,
        delta: Delta = Delta(),
        finishReason: String? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.index = index
        self.delta = delta
        self.finishReason = finishReason
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case index
        case delta
        case finishReason = "finish_reason"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        index = try container.decodeIfPresent(UInt32.self, forKey: .index) ?? 0
        delta = try container.decodeIfPresent(Delta.self, forKey: .delta) ?? Delta()
        finishReason = try container.decodeIfPresent(String.self, forKey: .finishReason)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(index, forKey: .index)
        try container.encode(delta, forKey: .delta)
        try container.encode(finishReason, forKey: .finishReason)
    }
}

/// A click on an ad. Without `Personal`], nothing in it identifies a person.
public struct Click: Codable, Hashable, Sendable {
    /// What makes the click one: a further click of the same key is a duplicate.
    public var key: KeyedHash
    /// When it happened.
    public var at: Timestamp
    /// The ad.
    public var adId: String
    /// The ad's ad set.
    public var adsetId: String
    /// The ad set's campaign.
    public var campaignId: String
    /// The UTM parameters.
    public var utm: Utm
    /// The hashes of the ad platforms' click ids in the URL: the keys of layer 1.
    public var idKeys: [KeyedHash]
    /// The rest, with consent.
    public var personal: Personal?

    public init(
        key: KeyedHash,
        at: Timestamp,
        adId: String,
        adsetId: String,
        campaignId: String,
        utm: Utm,
        idKeys: [KeyedHash],
        personal: Personal? = nil
    ) {
        self.key = key
        self.at = at
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.utm = utm
        self.idKeys = idKeys
        self.personal = personal
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case key
        case at
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case utm
        case idKeys = "id_keys"
        case personal
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(key, forKey: .key)
        try container.encode(at, forKey: .at)
        try container.encode(adId, forKey: .adId)
        try container.encode(adsetId, forKey: .adsetId)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(utm, forKey: .utm)
        try container.encode(idKeys, forKey: .idKeys)
        try container.encode(personal, forKey: .personal)
    }
}

/// A click-through, as a part of 1.
public struct ClickThrough: Codable, Hashable, Sendable {
    /// The mean.
    public var mean: Ratio
    /// 5 % of the posterior lies below it.
    public var low: Ratio
    /// 5 % of the posterior lies above it.
    public var high: Ratio

    public init(mean: Ratio, low: Ratio, high: Ratio) {
        self.mean = mean
        self.low = low
        self.high = high
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case mean
        case low
        case high
    }
}

/// The limits of the new budgets.
public struct Constraints: Codable, Hashable, Sendable {
    /// What the new daily budgets of owners with active ads sum to, in minor units.
    public var totalDailyMinor: Int64
    /// The least daily budget of an owner, in minor units.
    public var minMinor: Int64
    /// The greatest daily budget of an owner, in minor units.
    public var maxMinor: Int64
    /// The share that every active ad keeps, so that no ad stops teaching: 0.01 unless given, and at most half of an equal share.
    public var exploration: Millionths?
    /// Limits of what several owners get together.
    public var groups: [GroupLimit]
    /// A change by less than this part of the present budget is not made, where the total can be kept without it.
    public var hysteresis: Millionths?
    /// How much of its present budget one change may be: a fifth unless given.
    public var step: Millionths?
    /// The platform's smallest step, in minor units: every changed budget is a multiple of it. 1 unless given.
    public var unitMinor: Int64?

    public init(
        totalDailyMinor: Int64,
        minMinor: Int64,
        maxMinor: Int64,
        exploration: Millionths? = nil,
        groups: [GroupLimit] = [],
        hysteresis: Millionths? = nil,
        step: Millionths? = nil,
        unitMinor: Int64? = nil
    ) {
        self.totalDailyMinor = totalDailyMinor
        self.minMinor = minMinor
        self.maxMinor = maxMinor
        self.exploration = exploration
        self.groups = groups
        self.hysteresis = hysteresis
        self.step = step
        self.unitMinor = unitMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case totalDailyMinor = "total_daily_minor"
        case minMinor = "min_minor"
        case maxMinor = "max_minor"
        case exploration
        case groups
        case hysteresis
        case step
        case unitMinor = "unit_minor"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        totalDailyMinor = try container.decode(Int64.self, forKey: .totalDailyMinor)
        minMinor = try container.decode(Int64.self, forKey: .minMinor)
        maxMinor = try container.decode(Int64.self, forKey: .maxMinor)
        exploration = try container.decodeIfPresent(Millionths.self, forKey: .exploration)
        groups = try container.decodeIfPresent([GroupLimit].self, forKey: .groups) ?? []
        hysteresis = try container.decodeIfPresent(Millionths.self, forKey: .hysteresis)
        step = try container.decodeIfPresent(Millionths.self, forKey: .step)
        unitMinor = try container.decodeIfPresent(Int64.self, forKey: .unitMinor)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(totalDailyMinor, forKey: .totalDailyMinor)
        try container.encode(minMinor, forKey: .minMinor)
        try container.encode(maxMinor, forKey: .maxMinor)
        try container.encodeIfPresent(exploration, forKey: .exploration)
        if !groups.isEmpty { try container.encode(groups, forKey: .groups) }
        try container.encodeIfPresent(hysteresis, forKey: .hysteresis)
        try container.encodeIfPresent(step, forKey: .step)
        try container.encodeIfPresent(unitMinor, forKey: .unitMinor)
    }
}

/// A contact as it stands in the CRM.
public struct Contact: Codable, Hashable, Sendable {
    /// Its properties.
    public var properties: [String: String?]

    public init(properties: [String: String?]) {
        self.properties = properties
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case properties
    }
}

/// One part of a message.
public struct ContentPart: Codable, Hashable, Sendable {
    /// What it is, as `text` or `image_url`.
    public var type: String
    /// The text, in a text part.
    public var text: String?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(type: String = "", text: String? = nil, additional: [String: JSONValue] = [:]) {
        self.type = type
        self.text = text
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case type
        case text
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decodeIfPresent(String.self, forKey: .type) ?? ""
        text = try container.decodeIfPresent(String.self, forKey: .text)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encodeIfPresent(text, forKey: .text)
    }
}

/// What a model is asked with. A field that is `None` has its default, or nothing to do with the model.
public struct CreditParameters: Codable, Hashable, Sendable {
    /// The channels that are no marketing, for `last_non_direct`: `["direct"]` by default.
    public var directChannels: [String]?
    /// The weights of `position`: 40, 20 and 40 by default.
    public var weights: PositionWeights?
    /// The half-life of `time_decay`: 7 days by default.
    public var halfLifeSeconds: UInt64?
    /// How many touches `markov` remembers: 1 to 4, 1 by default.
    public var order: UInt8?
    /// Whether paths without a conversion are part of `markov`'s chain: true by default.
    public var nulls: Bool?
    /// Only touches at most so many days before the conversion count (before the last touch where `at` is not given).
    public var lookbackDays: UInt32?
    /// Only the last so many touches count.
    public var lookbackSteps: UInt32?

    public init(
        directChannels: [String]? = nil,
        weights: PositionWeights? = nil,
        halfLifeSeconds: UInt64? = nil,
        order: UInt8? = nil,
        nulls: Bool? = nil,
        lookbackDays: UInt32? = nil,
        lookbackSteps: UInt32? = nil
    ) {
        self.directChannels = directChannels
        self.weights = weights
        self.halfLifeSeconds = halfLifeSeconds
        self.order = order
        self.nulls = nulls
        self.lookbackDays = lookbackDays
        self.lookbackSteps = lookbackSteps
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case directChannels = "direct_channels"
        case weights
        case halfLifeSeconds = "half_life_seconds"
        case order
        case nulls
        case lookbackDays = "lookback_days"
        case lookbackSteps = "lookback_steps"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(directChannels, forKey: .directChannels)
        try container.encode(weights, forKey: .weights)
        try container.encode(halfLifeSeconds, forKey: .halfLifeSeconds)
        try container.encode(order, forKey: .order)
        try container.encode(nulls, forKey: .nulls)
        try container.encode(lookbackDays, forKey: .lookbackDays)
        try container.encode(lookbackSteps, forKey: .lookbackSteps)
    }
}

/// Conversions and what they are worth.
public struct CreditTotal: Codable, Hashable, Sendable {
    /// Conversions, in millionths of one.
    public var conversionsMillionths: Int64
    /// Value, in minor units.
    public var valueMinor: Int64

    public init(conversionsMillionths: Int64, valueMinor: Int64) {
        self.conversionsMillionths = conversionsMillionths
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case conversionsMillionths = "conversions_millionths"
        case valueMinor = "value_minor"
    }
}

/// What a model gives each channel. The channels and `unattributed` sum to `total` exactly.
public struct Credits: Codable, Hashable, Sendable {
    /// The model.
    public var model: CreditModel
    /// What it ran with, defaults filled in.
    public var parameters: CreditParameters
    /// Every channel with a touch that counts, by name.
    public var channels: [ChannelCredit]
    /// Of conversions without a touch that counts.
    public var unattributed: CreditTotal
    /// Of all conversions.
    public var total: CreditTotal
    /// Of Markov's chain: the probability that a walk from the start ends in a conversion.
    public var conversionProbability: Double?

    public init(
        model: CreditModel,
        parameters: CreditParameters,
        channels: [ChannelCredit],
        unattributed: CreditTotal,
        total: CreditTotal,
        conversionProbability: Double? = nil
    ) {
        self.model = model
        self.parameters = parameters
        self.channels = channels
        self.unattributed = unattributed
        self.total = total
        self.conversionProbability = conversionProbability
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model
        case parameters
        case channels
        case unattributed
        case total
        case conversionProbability = "conversion_probability"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(parameters, forKey: .parameters)
        try container.encode(channels, forKey: .channels)
        try container.encode(unattributed, forKey: .unattributed)
        try container.encode(total, forKey: .total)
        try container.encode(conversionProbability, forKey: .conversionProbability)
    }
}

/// A change that a CRM reported.
public struct CrmEvent: Codable, Hashable, Sendable {
    /// What makes the event one, over everything but the delivery: a further event of the same key is a duplicate.
    public var key: KeyedHash
    /// When it happened, by the CRM's clock.
    public var occurredAt: Timestamp
    /// When it arrived here. It says what was known at a time and decides nothing else.
    public var recordedAt: Timestamp
    /// The CRM's id of the event. It orders events of the same time and need not be unique.
    public var eventId: String
    /// The CRM's ids of the deals that it concerns: one as a rule; of a merge the survivor first, then those that were merged into
    /// it. Empty when it is about no deal, or says nothing that counts.
    public var deals: [String]
    /// What it says, when it says something that counts.
    public var change: CrmChange?
    /// The event as the CRM sent it, every unknown field included: a JSON object.
    public var raw: String

    public init(
        key: KeyedHash,
        occurredAt: Timestamp,
        recordedAt: Timestamp,
        eventId: String,
        deals: [String],
        change: CrmChange? = nil,
        raw: String
    ) {
        self.key = key
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.eventId = eventId
        self.deals = deals
        self.change = change
        self.raw = raw
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case key
        case occurredAt = "occurred_at"
        case recordedAt = "recorded_at"
        case eventId = "event_id"
        case deals
        case change
        case raw
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(key, forKey: .key)
        try container.encode(occurredAt, forKey: .occurredAt)
        try container.encode(recordedAt, forKey: .recordedAt)
        try container.encode(eventId, forKey: .eventId)
        try container.encode(deals, forKey: .deals)
        try container.encode(change, forKey: .change)
        try container.encode(raw, forKey: .raw)
    }
}

/// An ad of which nothing is known but its features.
public struct CtrAd: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// What is known of it: texts, numbers, booleans or null by name.
    public var features: [String: JSONValue]

    public init(adId: String, features: [String: JSONValue]) {
        self.adId = adId
        self.features = features
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case features
    }
}

/// The versions of the model, and which of them predicts.
public struct CtrModels: Codable, Hashable, Sendable {
    /// The version that predicts; null while none was activated.
    public var activeVersion: UInt64?
    /// All versions, the oldest first.
    public var versions: [CtrVersion]

    public init(activeVersion: UInt64? = nil, versions: [CtrVersion]) {
        self.activeVersion = activeVersion
        self.versions = versions
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case activeVersion = "active_version"
        case versions
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(activeVersion, forKey: .activeVersion)
        try container.encode(versions, forKey: .versions)
    }
}

/// How a model learns.
public struct CtrOptions: Codable, Hashable, Sendable {
    /// Features are hashed to 2 to the power of this many places: 8 to 24, 16 by default.
    public var hashBits: UInt8
    /// What weights have to overcome before they count: 0.5 by default.
    public var l1: Double
    /// How strongly weights are held at 0: 1 by default.
    public var l2: Double
    /// How fast it learns: 0.1 by default.
    public var learningRate: Double

    public init(hashBits: UInt8 = 16, l1: Double = 0.5, l2: Double = 1.0, learningRate: Double = 0.1) {
        self.hashBits = hashBits
        self.l1 = l1
        self.l2 = l2
        self.learningRate = learningRate
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case hashBits = "hash_bits"
        case l1
        case l2
        case learningRate = "learning_rate"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        hashBits = try container.decodeIfPresent(UInt8.self, forKey: .hashBits) ?? 16
        l1 = try container.decodeIfPresent(Double.self, forKey: .l1) ?? 0.5
        l2 = try container.decodeIfPresent(Double.self, forKey: .l2) ?? 1.0
        learningRate = try container.decodeIfPresent(Double.self, forKey: .learningRate) ?? 0.1
    }
}

/// What a model says of an ad.
public struct CtrPrediction: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// The predicted click-through: 0 to 1.
    public var ctr: Double
    /// The Beta prior that it is worth: clicks. At least 1.
    public var alpha: Double
    /// The Beta prior that it is worth: impressions without a click.
    public var beta: Double
    /// How many impressions the prediction is worth: alpha and beta together.
    public var effectiveImpressions: Double
    /// The version of the model.
    public var version: UInt64

    public init(
        adId: String,
        ctr: Double,
        alpha: Double,
        beta: Double,
        effectiveImpressions: Double,
        version: UInt64
    ) {
        self.adId = adId
        self.ctr = ctr
        self.alpha = alpha
        self.beta = beta
        self.effectiveImpressions = effectiveImpressions
        self.version = version
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case ctr
        case alpha
        case beta
        case effectiveImpressions = "effective_impressions"
        case version
    }
}

/// How good a model was on impressions that it had not learned yet, against always saying the base rate of that moment.
public struct CtrReport: Codable, Hashable, Sendable {
    /// Impressions that were judged: those behind the first fifth of the rows.
    public var judgedCount: UInt64
    /// Their clicks.
    public var clickedCount: UInt64
    /// The mean logarithmic loss an impression, in nats.
    public var logLoss: Double
    /// The same of the base rate.
    public var baseLogLoss: Double
    /// How much lower the model's is.
    public var gain: Double
    /// The lower end of the gain's 95 % interval.
    public var gainLower: Double
    /// The upper end of the gain's 95 % interval.
    public var gainUpper: Double
    /// Whether the model is better than the base rate: the interval is above 0.
    public var better: Bool
    /// Predicted clicks over clicks; null without clicks. 1 is calibrated.
    public var predictedOverClicked: Double?
    /// The mean distance of predicted from observed click-through, over tenths of the impressions in the order of their predictions.
    public var calibrationError: Double
    /// Tenths of the impressions from the lowest to the highest prediction.
    public var calibration: [CalibrationBin]
    /// How many impressions a prediction is worth, from how far ads lie from theirs; null with fewer than 5 ads.
    public var effectiveImpressions: Double?
    /// What that says, in words.
    public var verdict: String

    public init(
        judgedCount: UInt64,
        clickedCount: UInt64,
        logLoss: Double,
        baseLogLoss: Double,
        gain: Double,
        gainLower: Double,
        gainUpper: Double,
        better: Bool,
        predictedOverClicked: Double? = nil,
        calibrationError: Double,
        calibration: [CalibrationBin],
        effectiveImpressions: Double? = nil,
        verdict: String
    ) {
        self.judgedCount = judgedCount
        self.clickedCount = clickedCount
        self.logLoss = logLoss
        self.baseLogLoss = baseLogLoss
        self.gain = gain
        self.gainLower = gainLower
        self.gainUpper = gainUpper
        self.better = better
        self.predictedOverClicked = predictedOverClicked
        self.calibrationError = calibrationError
        self.calibration = calibration
        self.effectiveImpressions = effectiveImpressions
        self.verdict = verdict
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case judgedCount = "judged_count"
        case clickedCount = "clicked_count"
        case logLoss = "log_loss"
        case baseLogLoss = "base_log_loss"
        case gain
        case gainLower = "gain_lower"
        case gainUpper = "gain_upper"
        case better
        case predictedOverClicked = "predicted_over_clicked"
        case calibrationError = "calibration_error"
        case calibration
        case effectiveImpressions = "effective_impressions"
        case verdict
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(judgedCount, forKey: .judgedCount)
        try container.encode(clickedCount, forKey: .clickedCount)
        try container.encode(logLoss, forKey: .logLoss)
        try container.encode(baseLogLoss, forKey: .baseLogLoss)
        try container.encode(gain, forKey: .gain)
        try container.encode(gainLower, forKey: .gainLower)
        try container.encode(gainUpper, forKey: .gainUpper)
        try container.encode(better, forKey: .better)
        try container.encode(predictedOverClicked, forKey: .predictedOverClicked)
        try container.encode(calibrationError, forKey: .calibrationError)
        try container.encode(calibration, forKey: .calibration)
        try container.encode(effectiveImpressions, forKey: .effectiveImpressions)
        try container.encode(verdict, forKey: .verdict)
    }
}

/// Impressions with the same features, and their clicks.
public struct CtrRow: Codable, Hashable, Sendable {
    /// What is known of them: texts, numbers, booleans or null by name.
    public var features: [String: JSONValue]
    /// How many of them were clicked.
    public var clicks: UInt32
    /// The ad, to learn from how far ads lie from their predictions; it is no feature.
    public var adId: String?
    /// How many there were: 1 by default.
    public var impressions: UInt32

    public init(features: [String: JSONValue], clicks: UInt32, adId: String? = nil, impressions: UInt32 = 1) {
        self.features = features
        self.clicks = clicks
        self.adId = adId
        self.impressions = impressions
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case features
        case clicks
        case adId = "ad_id"
        case impressions
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        features = try container.decode([String: JSONValue].self, forKey: .features)
        clicks = try container.decode(UInt32.self, forKey: .clicks)
        adId = try container.decodeIfPresent(String.self, forKey: .adId)
        impressions = try container.decodeIfPresent(UInt32.self, forKey: .impressions) ?? 1
    }
}

/// A version of the model.
public struct CtrVersion: Codable, Hashable, Sendable {
    /// Its number, from 1.
    public var version: UInt64
    /// When it was trained.
    public var trainedAt: Timestamp
    /// The version on which it goes on; null when it began from nothing.
    public var fromVersion: UInt64?
    /// How good it was on what it had not learned yet.
    public var report: CtrReport

    public init(version: UInt64, trainedAt: Timestamp, fromVersion: UInt64? = nil, report: CtrReport) {
        self.version = version
        self.trainedAt = trainedAt
        self.fromVersion = fromVersion
        self.report = report
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case version
        case trainedAt = "trained_at"
        case fromVersion = "from_version"
        case report
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(trainedAt, forKey: .trainedAt)
        try container.encode(fromVersion, forKey: .fromVersion)
        try container.encode(report, forKey: .report)
    }
}
