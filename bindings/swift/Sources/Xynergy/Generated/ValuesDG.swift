// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// The figures of one ad and day. The order of the fields is the order of the join: the latest reading is the greatest.
public struct DayFigures: Codable, Hashable, Sendable {
    /// When they were read.
    public var observedAt: Timestamp
    /// How often the ad was shown.
    public var impressions: Int64
    /// How often it was clicked.
    public var clicks: Int64
    /// What was spent, in minor units.
    public var spendMinor: Int64

    public init(observedAt: Timestamp, impressions: Int64, clicks: Int64, spendMinor: Int64) {
        self.observedAt = observedAt
        self.impressions = impressions
        self.clicks = clicks
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case observedAt = "observed_at"
        case impressions
        case clicks
        case spendMinor = "spend_minor"
    }
}

/// A deal as it stands in the CRM.
public struct Deal: Codable, Hashable, Sendable {
    /// Its properties.
    public var properties: [String: String?]
    /// The ids of its contacts.
    public var contacts: [String]

    public init(properties: [String: String?], contacts: [String]) {
        self.properties = properties
        self.contacts = contacts
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case properties
        case contacts
    }
}

/// What the CRM said of a deal when it was read: it counts where no event tells otherwise.
public struct DealFacts: Codable, Hashable, Sendable {
    /// The CRM's id of the pipeline.
    public var pipeline: String?
    /// The amount in major units, as decimal text.
    public var amount: String?
    /// The amount's currency by its three-letter code.
    public var currency: String?

    public init(pipeline: String? = nil, amount: String? = nil, currency: String? = nil) {
        self.pipeline = pipeline
        self.amount = amount
        self.currency = currency
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case pipeline
        case amount
        case currency
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(amount, forKey: .amount)
        try container.encode(currency, forKey: .currency)
    }
}

/// What became of a deal behind an ad. Of several events of one deal and ad the latest counts (by `occurred_at`, and of the same
/// time the greatest `event_id`), whatever order they arrive in: a deal that was open and is won now counts once, as won. An
/// event that was given before changes nothing.
public struct DealFeedback: Codable, Hashable, Sendable {
    /// Names the event.
    public var eventId: String
    /// The ad that gets the credit.
    public var adId: String
    /// What the deal is worth as things stand, in minor units.
    public var pipelineValueMinor: Int64
    /// When it became so.
    public var occurredAt: Timestamp
    /// When the ad was clicked. Without it the deal teaches nothing about how long deals take, and belongs to the day on which it
    /// occurred.
    public var clickedAt: Timestamp?
    /// The part of the deal that the ad gets, the probability of the match: 1 unless given.
    public var credit: Millionths?
    /// The deal, where it may have several events; each event is a deal of its own otherwise.
    public var dealId: String?
    /// Where the deal stands.
    public var outcome: DealOutcome
    /// What was spent on the ad for it, in minor units: counts on days whose spend was not observed.
    public var spendMinor: Int64?

    public init(
        eventId: String,
        adId: String,
        pipelineValueMinor: Int64,
        occurredAt: Timestamp,
        clickedAt: Timestamp? = nil,
        credit: Millionths? = nil,
        dealId: String? = nil,
        outcome: DealOutcome = .won,
        spendMinor: Int64? = nil
    ) {
        self.eventId = eventId
        self.adId = adId
        self.pipelineValueMinor = pipelineValueMinor
        self.occurredAt = occurredAt
        self.clickedAt = clickedAt
        self.credit = credit
        self.dealId = dealId
        self.outcome = outcome
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case eventId = "event_id"
        case adId = "ad_id"
        case pipelineValueMinor = "pipeline_value_minor"
        case occurredAt = "occurred_at"
        case clickedAt = "clicked_at"
        case credit
        case dealId = "deal_id"
        case outcome
        case spendMinor = "spend_minor"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        eventId = try container.decode(String.self, forKey: .eventId)
        adId = try container.decode(String.self, forKey: .adId)
        pipelineValueMinor = try container.decode(Int64.self, forKey: .pipelineValueMinor)
        occurredAt = try container.decode(Timestamp.self, forKey: .occurredAt)
        clickedAt = try container.decodeIfPresent(Timestamp.self, forKey: .clickedAt)
        credit = try container.decodeIfPresent(Millionths.self, forKey: .credit)
        dealId = try container.decodeIfPresent(String.self, forKey: .dealId)
        outcome = try container.decodeIfPresent(DealOutcome.self, forKey: .outcome) ?? DealOutcome.won
        spendMinor = try container.decodeIfPresent(Int64.self, forKey: .spendMinor)
    }
}

/// The latest that is known of one deal. The order of the fields is the order of the join.
public struct DealRecord: Codable, Hashable, Sendable {
    /// When it became so.
    public var occurredAt: Timestamp
    /// The event that said it.
    public var eventId: String
    /// Where the deal stands.
    public var outcome: DealOutcome
    /// What it is worth, in minor units.
    public var valueMinor: Int64
    /// The part of it that the ad gets.
    public var credit: Millionths
    /// When the ad was clicked.
    public var clickedAt: Timestamp?
    /// What was spent for it, in minor units.
    public var spendMinor: Int64?

    public init(
        occurredAt: Timestamp,
        eventId: String,
        outcome: DealOutcome,
        valueMinor: Int64,
        credit: Millionths,
        clickedAt: Timestamp? = nil,
        spendMinor: Int64? = nil
    ) {
        self.occurredAt = occurredAt
        self.eventId = eventId
        self.outcome = outcome
        self.valueMinor = valueMinor
        self.credit = credit
        self.clickedAt = clickedAt
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case occurredAt = "occurred_at"
        case eventId = "event_id"
        case outcome
        case valueMinor = "value_minor"
        case credit
        case clickedAt = "clicked_at"
        case spendMinor = "spend_minor"
    }
}

/// What a deal is worth and whom it is due to: the fold of its events.
public struct DealRevenue: Codable, Hashable, Sendable {
    /// The CRM's id of the deal.
    public var dealId: String
    /// The stage after all events; `None` for a deal that was in none yet: it is worth nothing and listed nowhere.
    public var stage: String?
    /// The CRM's id of the pipeline, where it is known.
    public var pipeline: String?
    /// What it is worth, in minor units: the sum of the entries.
    public var valueMinor: Int64
    /// What the CRM says that it would bring, less refunds, in minor units of the account's currency; `None` where that is not known,
    /// or not known in this currency.
    public var amountMinor: Int64?
    /// The deal that this one was merged into; its value is there.
    public var mergedInto: String?
    /// Why it is worth another value than its amount would give: the field and what is wrong with it.
    public var problem: String?
    /// What the CRM said of it.
    public var facts: DealFacts
    /// The ledger in the order of the events.
    public var entries: [LedgerEntry]
    /// The click behind it.
    public var matched: Match
    /// How many of the events that concern it were folded, its click looked for included.
    public var eventsSeen: UInt64
    /// The [sum](Revaluation::sum) of the revaluations that were folded.
    public var valuesSeen: UInt64

    public init(
        dealId: String,
        stage: String? = nil,
        pipeline: String? = nil,
        valueMinor: Int64,
        amountMinor: Int64? = nil,
        mergedInto: String? = nil,
        problem: String? = nil,
        facts: DealFacts,
        entries: [LedgerEntry],
        matched: Match,
        eventsSeen: UInt64,
        valuesSeen: UInt64
    ) {
        self.dealId = dealId
        self.stage = stage
        self.pipeline = pipeline
        self.valueMinor = valueMinor
        self.amountMinor = amountMinor
        self.mergedInto = mergedInto
        self.problem = problem
        self.facts = facts
        self.entries = entries
        self.matched = matched
        self.eventsSeen = eventsSeen
        self.valuesSeen = valuesSeen
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dealId = "deal_id"
        case stage
        case pipeline
        case valueMinor = "value_minor"
        case amountMinor = "amount_minor"
        case mergedInto = "merged_into"
        case problem
        case facts
        case entries
        case matched
        case eventsSeen = "events_seen"
        case valuesSeen = "values_seen"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(dealId, forKey: .dealId)
        try container.encode(stage, forKey: .stage)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(valueMinor, forKey: .valueMinor)
        try container.encode(amountMinor, forKey: .amountMinor)
        try container.encode(mergedInto, forKey: .mergedInto)
        try container.encode(problem, forKey: .problem)
        try container.encode(facts, forKey: .facts)
        try container.encode(entries, forKey: .entries)
        try container.encode(matched, forKey: .matched)
        try container.encode(eventsSeen, forKey: .eventsSeen)
        try container.encode(valuesSeen, forKey: .valuesSeen)
    }
}

/// An addition to a message.
public struct Delta: Codable, Hashable, Sendable {
    /// More of what is said.
    public var content: Content?
    /// More of the refusal.
    public var refusal: String?
    /// Who speaks, in the first chunk.
    public var role: String?
    /// More of the tool calls, as they came.
    public var toolCalls: [JSONValue]
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        content: Content? = nil,
        refusal: String? = nil,
        role: String? = nil,
        toolCalls: [JSONValue] = [],
        additional: [String: JSONValue] = [:]
    ) {
        self.content = content
        self.refusal = refusal
        self.role = role
        self.toolCalls = toolCalls
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case content
        case refusal
        case role
        case toolCalls = "tool_calls"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        content = try container.decodeIfPresent(Content.self, forKey: .content)
        refusal = try container.decodeIfPresent(String.self, forKey: .refusal)
        role = try container.decodeIfPresent(String.self, forKey: .role)
        toolCalls = try container.decodeIfPresent([JSONValue].self, forKey: .toolCalls) ?? []
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(content, forKey: .content)
        try container.encodeIfPresent(refusal, forKey: .refusal)
        try container.encodeIfPresent(role, forKey: .role)
        if !toolCalls.isEmpty { try container.encode(toolCalls, forKey: .toolCalls) }
    }
}

/// What two visits are compared by beyond equal keys. It exists only with consent, and only when it is asked for.
public struct Device: Codable, Hashable, Sendable {
    /// The hash of the address alone: an IPv4 address whole, of an IPv6 address the first 64 bits.
    public var network: KeyedHash
    /// Which of the two it is.
    public var kind: NetworkKind
    /// The browser with its major version, as `chrome 120`; `None` when it does not tell.
    public var browser: String?
    /// The class of the platform, as `android`; `None` when it does not tell.
    public var platform: String?
    /// The first language that it asks for, in small letters, as `de-ch`.
    public var language: String?

    public init(
        network: KeyedHash,
        kind: NetworkKind,
        browser: String? = nil,
        platform: String? = nil,
        language: String? = nil
    ) {
        self.network = network
        self.kind = kind
        self.browser = browser
        self.platform = platform
        self.language = language
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case network
        case kind
        case browser
        case platform
        case language
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(network, forKey: .network)
        try container.encode(kind, forKey: .kind)
        try container.encode(browser, forKey: .browser)
        try container.encode(platform, forKey: .platform)
        try container.encode(language, forKey: .language)
    }
}

/// A stored document and its version.
public struct Document: Codable, Hashable, Sendable {
    /// 1 when it was first written, one more at each write.
    public var version: UInt64
    /// The document, usually JSON.
    public var value: String

    public init(version: UInt64, value: String) {
        self.version = version
        self.value = value
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case version
        case value
    }
}

/// How an arm differs from the control, with an interval that holds at every look.
public struct Effect: Codable, Hashable, Sendable {
    /// What it is measured in.
    public var scale: EffectScale
    /// The effect that was found; null while there is too little.
    public var estimate: Double?
    /// The lower end; null while there is none.
    public var lower: Double?
    /// The upper end; null while there is none.
    public var upper: Double?
    /// The always-valid p-value of no difference.
    public var pValue: Double

    public init(
        scale: EffectScale,
        estimate: Double? = nil,
        lower: Double? = nil,
        upper: Double? = nil,
        pValue: Double
    ) {
        self.scale = scale
        self.estimate = estimate
        self.lower = lower
        self.upper = upper
        self.pValue = pValue
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case scale
        case estimate
        case lower
        case upper
        case pValue = "p_value"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scale, forKey: .scale)
        try container.encode(estimate, forKey: .estimate)
        try container.encode(lower, forKey: .lower)
        try container.encode(upper, forKey: .upper)
        try container.encode(pValue, forKey: .pValue)
    }
}

/// Texts to be embedded, in OpenAI's shape. `model` is a provider's model (`openai/text-embedding-3-small`), the model of one of
/// the embedders, or a provider for its default one; empty for the configured model. Vectors of different models, or of different
/// dimensions, cannot be compared.
public struct EmbedRequest: Codable, Hashable, Sendable {
    /// The texts.
    public var input: [String]
    /// How long the vectors are to be, where the model can shorten them; the configured length when absent, else the model's own.
    public var dimensions: UInt32?
    /// Which model.
    public var model: String?
    /// What is meant for this library and sent to no provider.
    public var xynergy: CallOptions?
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        input: [String],
        dimensions: UInt32? = nil,
        model: String? = nil,
        xynergy: CallOptions? = nil,
        additional: [String: JSONValue] = [:]
    ) {
        self.input = input
        self.dimensions = dimensions
        self.model = model
        self.xynergy = xynergy
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input
        case dimensions
        case model
        case xynergy
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        input = try container.decode([String].self, forKey: .input)
        dimensions = try container.decodeIfPresent(UInt32.self, forKey: .dimensions)
        model = try container.decodeIfPresent(String.self, forKey: .model)
        xynergy = try container.decodeIfPresent(CallOptions.self, forKey: .xynergy)
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(input, forKey: .input)
        try container.encodeIfPresent(dimensions, forKey: .dimensions)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(xynergy, forKey: .xynergy)
    }
}

/// What an embedder answers.
public struct EmbedResponse: Codable, Hashable, Sendable {
    /// One vector a text, in the order of the texts.
    public var vectors: [[Float]]
    /// The tokens of the texts, as the service counts them; they are estimated when absent.
    public var tokens: UInt64?

    public init(vectors: [[Float]], tokens: UInt64? = nil) {
        self.vectors = vectors
        self.tokens = tokens
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case vectors
        case tokens
    }
}

/// What an embedder of the host's can do.
public struct EmbedderTraits: Codable, Hashable, Sendable {
    /// The model that is asked when the request names none; the embedder's name when absent.
    public var defaultModel: String?
    /// How many texts one call takes, at least 1; more are sent in several. 2,048 when absent.
    public var maxInputs: UInt32?

    public init(defaultModel: String? = nil, maxInputs: UInt32? = nil) {
        self.defaultModel = defaultModel
        self.maxInputs = maxInputs
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case defaultModel = "default_model"
        case maxInputs = "max_inputs"
    }
}

/// Texts as vectors, and what became of the call.
public struct Embeddings: Codable, Hashable, Sendable {
    /// One vector a text, in the order of the texts.
    public var vectors: [[Float]]
    /// How long each vector is.
    public var dimensions: UInt32
    /// The provider that answered; where several parts were sent, that of the first.
    public var provider: String
    /// The model that was asked there.
    public var model: String
    /// The tokens of the texts.
    public var tokensUsed: UInt64
    /// The cost in dollars, for people; null when the price is not known.
    public var cost: Double?
    /// The cost in billionths of a dollar; null when the price is not known.
    public var costNanoUsd: UInt64?
    /// The id of the request.
    public var requestId: String
    /// Every attempt, in order; one for each part where the texts were sent in several.
    public var attempts: [Attempt]
    /// Whether tokens were counted here because the provider did not say.
    public var usageEstimated: Bool?

    public init(
        vectors: [[Float]],
        dimensions: UInt32,
        provider: String,
        model: String,
        tokensUsed: UInt64,
        cost: Double? = nil,
        costNanoUsd: UInt64? = nil,
        requestId: String,
        attempts: [Attempt] = [],
        usageEstimated: Bool? = nil
    ) {
        self.vectors = vectors
        self.dimensions = dimensions
        self.provider = provider
        self.model = model
        self.tokensUsed = tokensUsed
        self.cost = cost
        self.costNanoUsd = costNanoUsd
        self.requestId = requestId
        self.attempts = attempts
        self.usageEstimated = usageEstimated
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case vectors
        case dimensions
        case provider
        case model
        case tokensUsed = "tokens_used"
        case cost
        case costNanoUsd = "cost_nano_usd"
        case requestId = "request_id"
        case attempts
        case usageEstimated = "usage_estimated"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        vectors = try container.decode([[Float]].self, forKey: .vectors)
        dimensions = try container.decode(UInt32.self, forKey: .dimensions)
        provider = try container.decode(String.self, forKey: .provider)
        model = try container.decode(String.self, forKey: .model)
        tokensUsed = try container.decode(UInt64.self, forKey: .tokensUsed)
        cost = try container.decodeIfPresent(Double.self, forKey: .cost)
        costNanoUsd = try container.decodeIfPresent(UInt64.self, forKey: .costNanoUsd)
        requestId = try container.decode(String.self, forKey: .requestId)
        attempts = try container.decodeIfPresent([Attempt].self, forKey: .attempts) ?? []
        usageEstimated = try container.decodeIfPresent(Bool.self, forKey: .usageEstimated)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(vectors, forKey: .vectors)
        try container.encode(dimensions, forKey: .dimensions)
        try container.encode(provider, forKey: .provider)
        try container.encode(model, forKey: .model)
        try container.encode(tokensUsed, forKey: .tokensUsed)
        try container.encode(cost, forKey: .cost)
        try container.encode(costNanoUsd, forKey: .costNanoUsd)
        try container.encode(requestId, forKey: .requestId)
        try container.encode(attempts, forKey: .attempts)
        try container.encodeIfPresent(usageEstimated, forKey: .usageEstimated)
    }
}

/// What `ClickStore::erase`] removed, in order of the keys.
public struct Erased: Codable, Hashable, Sendable {
    /// The clicks, which are only counted now.
    public var clicks: [ErasedClick]

    public init(clicks: [ErasedClick]) {
        self.clicks = clicks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clicks
    }
}

/// A click that was erased: the names under which others may still hold it.
public struct ErasedClick: Codable, Hashable, Sendable {
    /// Its key.
    public var key: KeyedHash
    /// Its id, as `Click::id`] showed it.
    public var id: String

    public init(key: KeyedHash, id: String) {
        self.key = key
        self.id = id
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case key
        case id
    }
}

/// What `Attribution::erase`] did.
public struct Erasure: Codable, Hashable, Sendable {
    /// How many clicks were erased; they are only counted now.
    public var clicks: UInt64

    public init(clicks: UInt64) {
        self.clicks = clicks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clicks
    }
}

/// Whose clicks are to be erased: every click that one of these names. At least one is given.
public struct ErasureSubject: Codable, Hashable, Sendable {
    /// The `Accept-Language` that goes with them. It is needed only where layer 3 is not used.
    public var acceptLanguage: String?
    /// The id of a click: the host's, or the one that `track_click` returned.
    public var clickId: String?
    /// An address. With `user_agent` every click of the two is meant, alone every click of the address where devices are kept.
    public var ip: String?
    /// An ad platform's click id, as it stands in a URL, or Meta's cookie `_fbc`.
    public var platformClickId: String?
    /// The URL of a landing page: every click id in it is meant.
    public var url: String?
    /// The user agent that goes with `ip`.
    public var userAgent: String?

    public init(
        acceptLanguage: String? = nil,
        clickId: String? = nil,
        ip: String? = nil,
        platformClickId: String? = nil,
        url: String? = nil,
        userAgent: String? = nil
    ) {
        self.acceptLanguage = acceptLanguage
        self.clickId = clickId
        self.ip = ip
        self.platformClickId = platformClickId
        self.url = url
        self.userAgent = userAgent
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case acceptLanguage = "accept_language"
        case clickId = "click_id"
        case ip
        case platformClickId = "platform_click_id"
        case url
        case userAgent = "user_agent"
    }
}

/// How a policy is evaluated.
public struct EvaluationOptions: Codable, Hashable, Sendable {
    /// How sure the intervals are: 0.95 by default; above 0.5, below 1.
    public var confidence: Double
    /// The estimator whose interval decides: `dr` by default.
    public var estimator: Estimator
    /// Below so many effective rewards nothing is concluded: 10 by default.
    public var leastEffectiveRewards: Double
    /// Below so many effective rows (Kish's effective sample size of the weights) nothing is concluded: 100 by default.
    public var leastEffectiveRows: Double
    /// Importance weights above this count as this. The estimate is biased then, towards what was logged; null clips none.
    public var maxWeight: Double?
    /// The largest reward that a row can have, for the upper end of what was not yet seen; by default the largest in the log.
    public var rewardMax: Double?
    /// The seed of replay's rejections, for a policy that is not deterministic.
    public var seed: UInt64

    public init(
        confidence: Double = 0.95,
        estimator: Estimator = .dr,
        leastEffectiveRewards: Double = 10.0,
        leastEffectiveRows: Double = 100.0,
        maxWeight: Double? = nil,
        rewardMax: Double? = nil,
        seed: UInt64 = 0
    ) {
        self.confidence = confidence
        self.estimator = estimator
        self.leastEffectiveRewards = leastEffectiveRewards
        self.leastEffectiveRows = leastEffectiveRows
        self.maxWeight = maxWeight
        self.rewardMax = rewardMax
        self.seed = seed
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case confidence
        case estimator
        case leastEffectiveRewards = "least_effective_rewards"
        case leastEffectiveRows = "least_effective_rows"
        case maxWeight = "max_weight"
        case rewardMax = "reward_max"
        case seed
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        confidence = try container.decodeIfPresent(Double.self, forKey: .confidence) ?? 0.95
        estimator = try container.decodeIfPresent(Estimator.self, forKey: .estimator) ?? Estimator.dr
        leastEffectiveRewards = try container.decodeIfPresent(Double.self, forKey: .leastEffectiveRewards) ?? 10.0
        leastEffectiveRows = try container.decodeIfPresent(Double.self, forKey: .leastEffectiveRows) ?? 100.0
        maxWeight = try container.decodeIfPresent(Double.self, forKey: .maxWeight)
        rewardMax = try container.decodeIfPresent(Double.self, forKey: .rewardMax)
        seed = try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
    }
}

/// Why one element of a body is no event.
public struct EventProblem: Codable, Hashable, Sendable {
    /// Its place in the array, from 0.
    public var index: UInt64
    /// The field and what is wrong with it.
    public var problem: String

    public init(index: UInt64, problem: String) {
        self.index = index
        self.problem = problem
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case index
        case problem
    }
}

/// What became of events.
public struct EventsRecorded: Codable, Hashable, Sendable {
    /// Those that are new.
    public var recordedCount: UInt64
    /// Those that were there.
    public var duplicateCount: UInt64
    /// Those of an experiment that has ended.
    public var ignoredCount: UInt64

    public init(recordedCount: UInt64, duplicateCount: UInt64, ignoredCount: UInt64) {
        self.recordedCount = recordedCount
        self.duplicateCount = duplicateCount
        self.ignoredCount = ignoredCount
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case recordedCount = "recorded_count"
        case duplicateCount = "duplicate_count"
        case ignoredCount = "ignored_count"
    }
}

/// One of the ways that are compared.
public struct ExperimentArm: Codable, Hashable, Sendable {
    /// The arm's id.
    public var armId: String
    /// Its part of the units, of a million.
    public var sharePpm: UInt32

    public init(armId: String, sharePpm: UInt32) {
        self.armId = armId
        self.sharePpm = sharePpm
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case armId = "arm_id"
        case sharePpm = "share_ppm"
    }
}

/// What happened to a unit: it was exposed, or a metric's event came.
public struct ExperimentEvent: Codable, Hashable, Sendable {
    /// Names the event: the same id twice is one event.
    public var eventId: String
    /// Who or what it happened to.
    public var unitId: String
    /// The metric; none says that the unit was exposed.
    public var metric: String?
    /// The value, of a metric that has values: minor units.
    public var valueMinor: Int64?

    public init(eventId: String, unitId: String, metric: String? = nil, valueMinor: Int64? = nil) {
        self.eventId = eventId
        self.unitId = unitId
        self.metric = metric
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case eventId = "event_id"
        case unitId = "unit_id"
        case metric
        case valueMinor = "value_minor"
    }
}

/// What is measured of a unit.
public struct ExperimentMetric: Codable, Hashable, Sendable {
    /// The metric's name, as events have it.
    public var name: String
    /// Whether it happens or has a value.
    public var kind: MetricKind
    /// Whether more of it is better: `higher` by default.
    public var better: Better

    public init(name: String, kind: MetricKind, better: Better = .higher) {
        self.name = name
        self.kind = kind
        self.better = better
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case kind
        case better
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        kind = try container.decode(MetricKind.self, forKey: .kind)
        better = try container.decodeIfPresent(Better.self, forKey: .better) ?? Better.higher
    }
}

/// What an experiment compares, and when it decides.
public struct ExperimentSpec: Codable, Hashable, Sendable {
    /// Names the experiment.
    public var experimentId: String
    /// At least two arms, whose shares sum to a million.
    public var arms: [ExperimentArm]
    /// The arm that the others are compared with.
    public var control: String
    /// What is to get better.
    public var metric: ExperimentMetric
    /// How probable it may be, of a million, that anything is called different where nothing is, over all arms and all looks: 50,000
    /// by default.
    public var alphaPpm: UInt32
    /// Whether the winner gets all units but the held-back ones when it is found, and loses them again when it turns out worse.
    public var autoPromote: Bool
    /// What must not get worse.
    public var guardrails: [Guardrail]
    /// The share that stays with the control after a promotion, so that it can be seen to be wrong: 100,000 of a million by default.
    public var holdbackPpm: UInt32
    /// What the hash of units is keyed with: the experiment's id by default. Experiments with the same key assign alike.
    public var key: String?
    /// About how many units will be recorded: 10,000 by default. Intervals of values are narrowest then, and units are stored in
    /// documents of about 200.
    public var plannedUnits: UInt32

    public init(
        experimentId: String,
        arms: [ExperimentArm],
        control: String,
        metric: ExperimentMetric,
        alphaPpm: UInt32 = 50000,
        autoPromote: Bool = false,
        guardrails: [Guardrail] = [],
        holdbackPpm: UInt32 = 100000,
        key: String? = nil,
        plannedUnits: UInt32 = 10000
    ) {
        self.experimentId = experimentId
        self.arms = arms
        self.control = control
        self.metric = metric
        self.alphaPpm = alphaPpm
        self.autoPromote = autoPromote
        self.guardrails = guardrails
        self.holdbackPpm = holdbackPpm
        self.key = key
        self.plannedUnits = plannedUnits
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case experimentId = "experiment_id"
        case arms
        case control
        case metric
        case alphaPpm = "alpha_ppm"
        case autoPromote = "auto_promote"
        case guardrails
        case holdbackPpm = "holdback_ppm"
        case key
        case plannedUnits = "planned_units"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        experimentId = try container.decode(String.self, forKey: .experimentId)
        arms = try container.decode([ExperimentArm].self, forKey: .arms)
        control = try container.decode(String.self, forKey: .control)
        metric = try container.decode(ExperimentMetric.self, forKey: .metric)
        alphaPpm = try container.decodeIfPresent(UInt32.self, forKey: .alphaPpm) ?? 50000
        autoPromote = try container.decodeIfPresent(Bool.self, forKey: .autoPromote) ?? false
        guardrails = try container.decodeIfPresent([Guardrail].self, forKey: .guardrails) ?? []
        holdbackPpm = try container.decodeIfPresent(UInt32.self, forKey: .holdbackPpm) ?? 100000
        key = try container.decodeIfPresent(String.self, forKey: .key)
        plannedUnits = try container.decodeIfPresent(UInt32.self, forKey: .plannedUnits) ?? 10000
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(experimentId, forKey: .experimentId)
        try container.encode(arms, forKey: .arms)
        try container.encode(control, forKey: .control)
        try container.encode(metric, forKey: .metric)
        try container.encode(alphaPpm, forKey: .alphaPpm)
        try container.encode(autoPromote, forKey: .autoPromote)
        if !guardrails.isEmpty { try container.encode(guardrails, forKey: .guardrails) }
        try container.encode(holdbackPpm, forKey: .holdbackPpm)
        try container.encodeIfPresent(key, forKey: .key)
        try container.encode(plannedUnits, forKey: .plannedUnits)
    }
}

/// Where an experiment stands.
public struct ExperimentStatus: Codable, Hashable, Sendable {
    /// The experiment.
    public var experimentId: String
    /// Where it is.
    public var phase: ExperimentPhase
    /// The arm that units get which are not compared.
    public var serving: String
    /// The arms that are compared, the control first.
    public var arms: [ArmStatus]
    /// The arm that is better than the control, without a guardrail against it.
    public var winner: String?
    /// Whether units come to arms in other shares than they were assigned in: nothing wins then.
    public var mismatched: Bool
    /// What this look shows, in words.
    public var reasons: [String]
    /// The arms that were taken out, and why.
    public var stoppedArms: [String: String]
    /// Its steps in their order.
    public var history: [ExperimentTransition]

    public init(
        experimentId: String,
        phase: ExperimentPhase,
        serving: String,
        arms: [ArmStatus],
        winner: String? = nil,
        mismatched: Bool,
        reasons: [String],
        stoppedArms: [String: String],
        history: [ExperimentTransition]
    ) {
        self.experimentId = experimentId
        self.phase = phase
        self.serving = serving
        self.arms = arms
        self.winner = winner
        self.mismatched = mismatched
        self.reasons = reasons
        self.stoppedArms = stoppedArms
        self.history = history
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case experimentId = "experiment_id"
        case phase
        case serving
        case arms
        case winner
        case mismatched
        case reasons
        case stoppedArms = "stopped_arms"
        case history
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(experimentId, forKey: .experimentId)
        try container.encode(phase, forKey: .phase)
        try container.encode(serving, forKey: .serving)
        try container.encode(arms, forKey: .arms)
        try container.encode(winner, forKey: .winner)
        try container.encode(mismatched, forKey: .mismatched)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(stoppedArms, forKey: .stoppedArms)
        try container.encode(history, forKey: .history)
    }
}

/// A step of an experiment.
public struct ExperimentTransition: Codable, Hashable, Sendable {
    /// When.
    public var at: Timestamp
    /// The phase after it.
    public var phase: ExperimentPhase
    /// The arm that it is about.
    public var armId: String
    /// Why, in words.
    public var reason: String

    public init(at: Timestamp, phase: ExperimentPhase, armId: String, reason: String) {
        self.at = at
        self.phase = phase
        self.armId = armId
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case at
        case phase
        case armId = "arm_id"
        case reason
    }
}

/// Why a deal is attributed as it is.
public struct Explanation: Codable, Hashable, Sendable {
    /// The deal.
    public var dealId: String
    /// The receipt in words.
    public var text: String
    /// The same as a picture: how each piece of evidence moved the odds. An SVG document.
    public var svg: String
    /// The sealed receipt.
    public var receipt: String

    public init(dealId: String, text: String, svg: String, receipt: String) {
        self.dealId = dealId
        self.text = text
        self.svg = svg
        self.receipt = receipt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dealId = "deal_id"
        case text
        case svg
        case receipt
    }
}

/// A deal that could not be booked.
public struct FailedDeal: Codable, Hashable, Sendable {
    /// The CRM's id of the deal.
    public var dealId: String
    /// How often it was tried.
    public var attempts: UInt32
    /// When it is tried again: after a minute, then twice as long each time, up to six hours.
    public var nextAttemptAt: Timestamp
    /// Why, in one sentence.
    public var problem: String

    public init(dealId: String, attempts: UInt32, nextAttemptAt: Timestamp, problem: String) {
        self.dealId = dealId
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
        self.problem = problem
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dealId = "deal_id"
        case attempts
        case nextAttemptAt = "next_attempt_at"
        case problem
    }
}

/// What choosing by probability brings over choosing by tier, in parts per million of the conversions: each masked conversion
/// counts as one with its click and as one whose click is gone, in the proportion that the conversions without a click id show.
public struct Gain: Codable, Hashable, Sendable {
    /// Right by tier: the click, or that there is none.
    public var tier: UInt32
    /// Right by probability.
    public var probability: UInt32
    /// The second less the first.
    public var gain: Int32
    /// The lower end of the gain's 95 % interval (paired).
    public var gainLow: Int32
    /// Its upper end.
    public var gainHigh: Int32
    /// The expected calibration error of the probability, over 15 bins of equal mass.
    public var calibrationError: UInt32
    /// The same by how many other clicks the network has: up to 3, up to 30, more; nothing where there are no conversions.
    public var calibrationErrorByCrowd: [UInt32?]

    public init(
        tier: UInt32,
        probability: UInt32,
        gain: Int32,
        gainLow: Int32,
        gainHigh: Int32,
        calibrationError: UInt32,
        calibrationErrorByCrowd: [UInt32?]
    ) {
        self.tier = tier
        self.probability = probability
        self.gain = gain
        self.gainLow = gainLow
        self.gainHigh = gainHigh
        self.calibrationError = calibrationError
        self.calibrationErrorByCrowd = calibrationErrorByCrowd
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tier
        case probability
        case gain
        case gainLow = "gain_low"
        case gainHigh = "gain_high"
        case calibrationError = "calibration_error"
        case calibrationErrorByCrowd = "calibration_error_by_crowd"
    }
}

/// Whether a proposed policy may take the place of the current one, and why.
public struct GateDecision: Codable, Hashable, Sendable {
    /// The decision.
    public var verdict: GateVerdict
    /// Why, in words.
    public var reasons: [String]
    /// What the proposed policy would have brought.
    public var proposed: OffPolicyEvaluation
    /// What the current policy would have brought.
    public var current: OffPolicyEvaluation

    public init(verdict: GateVerdict, reasons: [String], proposed: OffPolicyEvaluation, current: OffPolicyEvaluation) {
        self.verdict = verdict
        self.reasons = reasons
        self.proposed = proposed
        self.current = current
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case verdict
        case reasons
        case proposed
        case current
    }
}

/// The answer to a prompt.
public struct Generation: Codable, Hashable, Sendable {
    /// The answer.
    public var text: String
    /// The provider that answered.
    public var provider: String
    /// The model that answered.
    public var model: String
    /// Tokens of prompt and answer.
    public var tokensUsed: UInt64
    /// The cost in dollars, for people; null when the price is not known.
    public var cost: Double?
    /// The cost in billionths of a dollar; null when the price is not known.
    public var costNanoUsd: UInt64?
    /// Whether it came from the cache, which costs nothing.
    public var cacheHit: Bool
    /// What chose the model: `complexity`, `model`, `route`, or `cache`.
    public var routedVia: String
    /// The id of the request.
    public var requestId: String
    /// How the limit of the answer was sized.
    public var tokenOptimization: TokenOptimization
    /// Why the model stopped.
    public var finish: String?
    /// Whether it is whole.
    public var outcome: Outcome
    /// Every attempt, in order.
    public var attempts: [Attempt]
    /// Whether a limit of ours had cut a first answer and the model was asked again without it.
    public var continued: Bool?

    public init(
        text: String,
        provider: String,
        model: String,
        tokensUsed: UInt64,
        cost: Double? = nil,
        costNanoUsd: UInt64? = nil,
        cacheHit: Bool,
        routedVia: String,
        requestId: String,
        tokenOptimization: TokenOptimization,
        finish: String? = nil,
        outcome: Outcome,
        attempts: [Attempt] = [],
        continued: Bool? = nil
    ) {
        self.text = text
        self.provider = provider
        self.model = model
        self.tokensUsed = tokensUsed
        self.cost = cost
        self.costNanoUsd = costNanoUsd
        self.cacheHit = cacheHit
        self.routedVia = routedVia
        self.requestId = requestId
        self.tokenOptimization = tokenOptimization
        self.finish = finish
        self.outcome = outcome
        self.attempts = attempts
        self.continued = continued
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case text
        case provider
        case model
        case tokensUsed = "tokens_used"
        case cost
        case costNanoUsd = "cost_nano_usd"
        case cacheHit = "cache_hit"
        case routedVia = "routed_via"
        case requestId = "request_id"
        case tokenOptimization = "token_optimization"
        case finish
        case outcome
        case attempts
        case continued
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        text = try container.decode(String.self, forKey: .text)
        provider = try container.decode(String.self, forKey: .provider)
        model = try container.decode(String.self, forKey: .model)
        tokensUsed = try container.decode(UInt64.self, forKey: .tokensUsed)
        cost = try container.decodeIfPresent(Double.self, forKey: .cost)
        costNanoUsd = try container.decodeIfPresent(UInt64.self, forKey: .costNanoUsd)
        cacheHit = try container.decode(Bool.self, forKey: .cacheHit)
        routedVia = try container.decode(String.self, forKey: .routedVia)
        requestId = try container.decode(String.self, forKey: .requestId)
        tokenOptimization = try container.decode(TokenOptimization.self, forKey: .tokenOptimization)
        finish = try container.decodeIfPresent(String.self, forKey: .finish)
        outcome = try container.decode(Outcome.self, forKey: .outcome)
        attempts = try container.decodeIfPresent([Attempt].self, forKey: .attempts) ?? []
        continued = try container.decodeIfPresent(Bool.self, forKey: .continued)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(text, forKey: .text)
        try container.encode(provider, forKey: .provider)
        try container.encode(model, forKey: .model)
        try container.encode(tokensUsed, forKey: .tokensUsed)
        try container.encode(cost, forKey: .cost)
        try container.encode(costNanoUsd, forKey: .costNanoUsd)
        try container.encode(cacheHit, forKey: .cacheHit)
        try container.encode(routedVia, forKey: .routedVia)
        try container.encode(requestId, forKey: .requestId)
        try container.encode(tokenOptimization, forKey: .tokenOptimization)
        try container.encode(finish, forKey: .finish)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(attempts, forKey: .attempts)
        try container.encodeIfPresent(continued, forKey: .continued)
    }
}

/// What the owners of a group get together.
public struct GroupLimit: Codable, Hashable, Sendable {
    /// The name that `OwnerBudget::group`] refers to.
    public var name: String
    /// The greatest sum of their daily budgets, in minor units.
    public var maxMinor: Int64?
    /// The least sum of their daily budgets, in minor units.
    public var minMinor: Int64?

    public init(name: String, maxMinor: Int64? = nil, minMinor: Int64? = nil) {
        self.name = name
        self.maxMinor = maxMinor
        self.minMinor = minMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case maxMinor = "max_minor"
        case minMinor = "min_minor"
    }
}

/// What a group brought.
public struct GroupOutcome: Codable, Hashable, Sendable {
    /// Its units, those without a conversion included.
    public var unitCount: UInt64
    /// Those that converted.
    public var conversions: UInt64
    /// The value of each that converted, in minor units; the multiplier is one of value then.
    public var valuesMinor: [Int64]?

    public init(unitCount: UInt64, conversions: UInt64, valuesMinor: [Int64]? = nil) {
        self.unitCount = unitCount
        self.conversions = conversions
        self.valuesMinor = valuesMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case unitCount = "unit_count"
        case conversions
        case valuesMinor = "values_minor"
    }
}

/// What must not get worse.
public struct Guardrail: Codable, Hashable, Sendable {
    /// What is measured.
    public var metric: ExperimentMetric
    /// How much worse than the control it may be, of a million of the control's: 0 by default.
    public var marginPpm: UInt32

    public init(metric: ExperimentMetric, marginPpm: UInt32 = 0) {
        self.metric = metric
        self.marginPpm = marginPpm
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case metric
        case marginPpm = "margin_ppm"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metric = try container.decode(ExperimentMetric.self, forKey: .metric)
        marginPpm = try container.decodeIfPresent(UInt32.self, forKey: .marginPpm) ?? 0
    }
}

/// What a guardrail says of an arm.
public struct GuardrailStatus: Codable, Hashable, Sendable {
    /// The metric's name.
    public var name: String
    /// How the arm differs from the control.
    public var effect: Effect
    /// Whether it is worse by more than its margin.
    public var breached: Bool

    public init(name: String, effect: Effect, breached: Bool) {
        self.name = name
        self.effect = effect
        self.breached = breached
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case effect
        case breached
    }
}
