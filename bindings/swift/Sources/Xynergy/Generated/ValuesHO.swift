// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// How a client and what it depends on fare now.
public struct Health: Codable, Hashable, Sendable {
    /// What answers.
    public var service: String
    /// All checks together.
    public var status: HealthStatus
    /// Each check by its name: `store`, `cache`, `ai.PROVIDER`, `canary.ROUTE`, `crm`, `ad_platform`.
    public var checks: [String: HealthCheck]
    /// What the process uses.
    public var resources: Resources
    /// How the AI calls went since the client was built.
    public var performance: Performance

    public init(
        service: String,
        status: HealthStatus,
        checks: [String: HealthCheck],
        resources: Resources,
        performance: Performance
    ) {
        self.service = service
        self.status = status
        self.checks = checks
        self.resources = resources
        self.performance = performance
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case service
        case status
        case checks
        case resources
        case performance
    }
}

/// One thing that was checked.
public struct HealthCheck: Codable, Hashable, Sendable {
    /// How it fares.
    public var status: HealthStatus
    /// How long the check took, in milliseconds.
    public var latencyMs: UInt64
    /// What there is to say about it. Never a credential.
    public var detail: HealthDetail

    public init(status: HealthStatus, latencyMs: UInt64, detail: HealthDetail) {
        self.status = status
        self.latencyMs = latencyMs
        self.detail = detail
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case status
        case latencyMs = "latency_ms"
        case detail
    }
}

/// What there is to say about a check; absent is what does not belong to it.
public struct HealthDetail: Codable, Hashable, Sendable {
    /// How far a canary route is.
    public var canary: CanarySnapshot?
    /// The kind of the error, as `ErrorKind::as_str` (crate::ErrorKind::as_str) names it.
    public var error: String?
    /// Consecutive faults that a breaker has counted.
    public var failureCount: UInt32?
    /// For a person: what is wrong, or what was not asked.
    public var message: String?
    /// The state of a breaker.
    public var state: BreakerState?

    public init(
        canary: CanarySnapshot? = nil,
        error: String? = nil,
        failureCount: UInt32? = nil,
        message: String? = nil,
        state: BreakerState? = nil
    ) {
        self.canary = canary
        self.error = error
        self.failureCount = failureCount
        self.message = message
        self.state = state
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case canary
        case error
        case failureCount = "failure_count"
        case message
        case state
    }
}

/// Everything that is known of one person: touches and conversions, each with its time.
public struct Journey: Codable, Hashable, Sendable {
    /// The channel of each touch.
    public var channels: [String]
    /// The time of each touch.
    public var times: [Timestamp]
    /// The conversions, in any order.
    public var conversions: [JourneyConversion]

    public init(channels: [String], times: [Timestamp], conversions: [JourneyConversion] = []) {
        self.channels = channels
        self.times = times
        self.conversions = conversions
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case channels
        case times
        case conversions
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        channels = try container.decode([String].self, forKey: .channels)
        times = try container.decode([Timestamp].self, forKey: .times)
        conversions = try container.decodeIfPresent([JourneyConversion].self, forKey: .conversions) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(channels, forKey: .channels)
        try container.encode(times, forKey: .times)
        if !conversions.isEmpty { try container.encode(conversions, forKey: .conversions) }
    }
}

/// A conversion of a journey.
public struct JourneyConversion: Codable, Hashable, Sendable {
    /// When it happened.
    public var at: Timestamp
    /// What it is worth, in minor units; negative for a refund.
    public var valueMinor: Int64

    public init(at: Timestamp, valueMinor: Int64) {
        self.at = at
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case at
        case valueMinor = "value_minor"
    }
}

/// One signed line of the revenue ledger: what an event or a revaluation changed.
public struct LedgerEntry: Codable, Hashable, Sendable {
    /// The event; of a revaluation `Revaluation::entry_key`].
    public var event: KeyedHash
    /// When it happened.
    public var occurredAt: Timestamp
    /// What it was.
    public var cause: EntryCause
    /// The stage before it; `None` for a deal's first event.
    public var stageFrom: String?
    /// The stage after it.
    public var stageTo: String
    /// The value after it less the value before it, in minor units.
    public var deltaMinor: Int64

    public init(
        event: KeyedHash,
        occurredAt: Timestamp,
        cause: EntryCause,
        stageFrom: String? = nil,
        stageTo: String,
        deltaMinor: Int64
    ) {
        self.event = event
        self.occurredAt = occurredAt
        self.cause = cause
        self.stageFrom = stageFrom
        self.stageTo = stageTo
        self.deltaMinor = deltaMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case event
        case occurredAt = "occurred_at"
        case cause
        case stageFrom = "stage_from"
        case stageTo = "stage_to"
        case deltaMinor = "delta_minor"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(event, forKey: .event)
        try container.encode(occurredAt, forKey: .occurredAt)
        try container.encode(cause, forKey: .cause)
        try container.encode(stageFrom, forKey: .stageFrom)
        try container.encode(stageTo, forKey: .stageTo)
        try container.encode(deltaMinor, forKey: .deltaMinor)
    }
}

/// Where a limit stands.
public struct LimitState: Codable, Hashable, Sendable {
    /// What it is for.
    public var scope: LimitScope
    /// Over which span.
    public var window: Window
    /// The cap, in billionths of a dollar.
    public var amountNanoUsd: UInt64
    /// A hard limit refuses the call that could cross it; a soft one lets it pass and says so.
    public var hard: Bool
    /// Settled in the window of now, in billionths of a dollar.
    public var settledNanoUsd: UInt64
    /// Reserved in it, in billionths of a dollar.
    public var reservedNanoUsd: UInt64
    /// When the window ends.
    public var resetsAt: Timestamp
    /// Whose calendar and clock the span is of: an IANA name, UTC when absent.
    public var zone: Zone?

    public init(
        scope: LimitScope = .tenant,
        window: Window,
        amountNanoUsd: UInt64,
        hard: Bool,
        settledNanoUsd: UInt64,
        reservedNanoUsd: UInt64,
        resetsAt: Timestamp,
        zone: Zone? = nil
    ) {
        self.scope = scope
        self.window = window
        self.amountNanoUsd = amountNanoUsd
        self.hard = hard
        self.settledNanoUsd = settledNanoUsd
        self.reservedNanoUsd = reservedNanoUsd
        self.resetsAt = resetsAt
        self.zone = zone
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case scope
        case window
        case amountNanoUsd = "amount_nano_usd"
        case hard
        case settledNanoUsd = "settled_nano_usd"
        case reservedNanoUsd = "reserved_nano_usd"
        case resetsAt = "resets_at"
        case zone
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        scope = try container.decodeIfPresent(LimitScope.self, forKey: .scope) ?? LimitScope.tenant
        window = try container.decode(Window.self, forKey: .window)
        amountNanoUsd = try container.decode(UInt64.self, forKey: .amountNanoUsd)
        hard = try container.decode(Bool.self, forKey: .hard)
        settledNanoUsd = try container.decode(UInt64.self, forKey: .settledNanoUsd)
        reservedNanoUsd = try container.decode(UInt64.self, forKey: .reservedNanoUsd)
        resetsAt = try container.decode(Timestamp.self, forKey: .resetsAt)
        zone = try container.decodeIfPresent(Zone.self, forKey: .zone)
    }
}

/// The answer to which click a deal belongs to.
public struct Match: Codable, Hashable, Sendable {
    /// The ad, or `None` when no click is behind the deal.
    public var found: Attributed?
    /// The time of the conversion: only clicks up to it were considered.
    public var anchor: Timestamp
    /// The rules that decided.
    public var ruleVersion: String
    /// How probable it is that this click is behind the deal, in parts per million; `None` without a trained model.
    public var probability: UInt32?
    /// How probable it is that no click is behind it, in parts per million; `None` without a trained model.
    public var pNone: UInt32?
    /// The evidence as a JSON object: the candidates with layer, time and weight, without anything that identifies a person, and last
    /// the SHA-256 `digest` of what is before it.
    public var receipt: String

    public init(
        found: Attributed? = nil,
        anchor: Timestamp,
        ruleVersion: String,
        probability: UInt32? = nil,
        pNone: UInt32? = nil,
        receipt: String
    ) {
        self.found = found
        self.anchor = anchor
        self.ruleVersion = ruleVersion
        self.probability = probability
        self.pNone = pNone
        self.receipt = receipt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case found
        case anchor
        case ruleVersion = "rule_version"
        case probability
        case pNone = "p_none"
        case receipt
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(found, forKey: .found)
        try container.encode(anchor, forKey: .anchor)
        try container.encode(ruleVersion, forKey: .ruleVersion)
        try container.encode(probability, forKey: .probability)
        try container.encode(pNone, forKey: .pNone)
        try container.encode(receipt, forKey: .receipt)
    }
}

/// Deals by the layer of their match.
public struct MatchCounts: Codable, Hashable, Sendable {
    /// By click id or first URL.
    public var layer1: UInt64
    /// By fingerprint.
    public var layer2: UInt64
    /// By address and user agent.
    public var layer3: UInt64
    /// Without a click.
    public var none: UInt64

    public init(layer1: UInt64, layer2: UInt64, layer3: UInt64, none: UInt64) {
        self.layer1 = layer1
        self.layer2 = layer2
        self.layer3 = layer3
        self.none = none
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case layer1
        case layer2
        case layer3
        case none
    }
}

/// One message of a conversation.
public struct Message: Codable, Hashable, Sendable {
    /// Who speaks.
    public var role: String
    /// What is said; absent beside tool calls.
    public var content: Content?
    /// Why the model refused.
    public var refusal: String?
    /// The tools that the model calls, as they came.
    public var toolCalls: [JSONValue]
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        role: String = "assistant",
        content: Content? = nil,
        refusal: String? = nil,
        toolCalls: [JSONValue] = [],
        additional: [String: JSONValue] = [:]
    ) {
        self.role = role
        self.content = content
        self.refusal = refusal
        self.toolCalls = toolCalls
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case role
        case content
        case refusal
        case toolCalls = "tool_calls"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        role = try container.decodeIfPresent(String.self, forKey: .role) ?? "assistant"
        content = try container.decodeIfPresent(Content.self, forKey: .content)
        refusal = try container.decodeIfPresent(String.self, forKey: .refusal)
        toolCalls = try container.decodeIfPresent([JSONValue].self, forKey: .toolCalls) ?? []
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(role, forKey: .role)
        try container.encodeIfPresent(content, forKey: .content)
        try container.encodeIfPresent(refusal, forKey: .refusal)
        if !toolCalls.isEmpty { try container.encode(toolCalls, forKey: .toolCalls) }
    }
}

/// What `Client::migrate`] did, or would have others do.
public struct Migration: Codable, Hashable, Sendable {
    /// The names of the migrations that this call applied, in their order.
    public var applied: [String]
    /// Everything that makes the tables in an empty store, if it was asked for and the store has tables.
    public var sql: String?
    /// The version of the tables that this library works on; 0 for a store without tables.
    public var version: UInt32

    public init(applied: [String], sql: String? = nil, version: UInt32) {
        self.applied = applied
        self.sql = sql
        self.version = version
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case applied
        case sql
        case version
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(applied, forKey: .applied)
        try container.encode(sql, forKey: .sql)
        try container.encode(version, forKey: .version)
    }
}

/// A model at a provider.
public struct ModelChoice: Codable, Hashable, Sendable {
    /// The provider's configured name.
    public var provider: String
    /// The model there.
    public var model: String

    public init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case provider
        case model
    }
}

/// The object whose budget a change moves.
public struct Owner: Codable, Hashable, Sendable {
    /// Whether it is an ad set or a campaign.
    public var level: OwnerLevel
    /// Its id on the platform.
    public var id: String

    public init(level: OwnerLevel, id: String) {
        self.level = level
        self.id = id
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case level
        case id
    }
}

/// The budget of one owner.
public struct OwnerAllocation: Codable, Hashable, Sendable {
    /// The ad set's or campaign's id.
    public var ownerId: String
    /// Where the budget sits.
    public var level: OwnerLevel
    /// The daily budget now, in minor units.
    public var currentMinor: Int64
    /// The proposed daily budget, in minor units.
    public var proposedMinor: Int64
    /// The owner's ads, by id; one that does not run has no share.
    public var ads: [AdShare]
    /// Why, in words, for a person.
    public var reason: String
    /// The probability that the best ad is one of its own. Like all that follows it is there with the sampler.
    public var probability: Millionths?
    /// The part of the proposed total that it gets: the probability that a unit of budget goes to one of its ads.
    public var propensity: Millionths?

    public init(
        ownerId: String,
        level: OwnerLevel,
        currentMinor: Int64,
        proposedMinor: Int64,
        ads: [AdShare],
        reason: String,
        probability: Millionths? = nil,
        propensity: Millionths? = nil
    ) {
        self.ownerId = ownerId
        self.level = level
        self.currentMinor = currentMinor
        self.proposedMinor = proposedMinor
        self.ads = ads
        self.reason = reason
        self.probability = probability
        self.propensity = propensity
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ownerId = "owner_id"
        case level
        case currentMinor = "current_minor"
        case proposedMinor = "proposed_minor"
        case ads
        case reason
        case probability
        case propensity
    }
}

/// An object that holds a daily budget, and its ads.
public struct OwnerBudget: Codable, Hashable, Sendable {
    /// The ad set's or campaign's id.
    public var ownerId: String
    /// Where the budget sits.
    public var level: OwnerLevel
    /// The daily budget now, in minor units.
    public var currentMinor: Int64
    /// The ads that the budget pays for, in any order.
    public var ads: [AdEvidence]
    /// The group of `Constraints::groups`] that it belongs to.
    public var group: String?
    /// Whether the platform is still learning how to deliver it: it keeps its budget then.
    public var learning: Bool?
    /// Its own greatest daily budget, in place of the constraints'.
    public var maxMinor: Int64?
    /// Its own least daily budget, in place of the constraints'.
    public var minMinor: Int64?

    public init(
        ownerId: String,
        level: OwnerLevel,
        currentMinor: Int64,
        ads: [AdEvidence],
        group: String? = nil,
        learning: Bool? = nil,
        maxMinor: Int64? = nil,
        minMinor: Int64? = nil
    ) {
        self.ownerId = ownerId
        self.level = level
        self.currentMinor = currentMinor
        self.ads = ads
        self.group = group
        self.learning = learning
        self.maxMinor = maxMinor
        self.minMinor = minMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ownerId = "owner_id"
        case level
        case currentMinor = "current_minor"
        case ads
        case group
        case learning
        case maxMinor = "max_minor"
        case minMinor = "min_minor"
    }
}

/// A budget owner as the platform showed it at one moment.
public struct OwnerState: Codable, Hashable, Sendable {
    /// Which object.
    public var owner: Owner
    /// The account it is in.
    public var accountId: String
    /// The campaign it is in; its own id for a campaign.
    public var campaignId: String
    /// Its name.
    public var name: String
    /// The account's currency.
    public var currency: Currency
    /// The daily budget; `None` where the object has none (a lifetime budget, or the budget is at the other level).
    public var dailyBudgetMinor: Int64?
    /// The budget for the object's whole life; `None` where it has none. No change moves it: it is no daily budget.
    public var lifetimeBudgetMinor: Int64?
    /// The bid, where one is set.
    public var bidMinor: Int64?
    /// Whether it is switched on.
    public var status: DeliveryStatus
    /// Whether the platform is still learning whom to show it to: an edit may begin that anew.
    public var learning: Bool
    /// When it was asked for, by the caller's clock: the value is at least as new as this.
    public var readAt: Timestamp

    public init(
        owner: Owner,
        accountId: String,
        campaignId: String,
        name: String,
        currency: Currency,
        dailyBudgetMinor: Int64? = nil,
        lifetimeBudgetMinor: Int64? = nil,
        bidMinor: Int64? = nil,
        status: DeliveryStatus,
        learning: Bool = false,
        readAt: Timestamp
    ) {
        self.owner = owner
        self.accountId = accountId
        self.campaignId = campaignId
        self.name = name
        self.currency = currency
        self.dailyBudgetMinor = dailyBudgetMinor
        self.lifetimeBudgetMinor = lifetimeBudgetMinor
        self.bidMinor = bidMinor
        self.status = status
        self.learning = learning
        self.readAt = readAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case owner
        case accountId = "account_id"
        case campaignId = "campaign_id"
        case name
        case currency
        case dailyBudgetMinor = "daily_budget_minor"
        case lifetimeBudgetMinor = "lifetime_budget_minor"
        case bidMinor = "bid_minor"
        case status
        case learning
        case readAt = "read_at"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        owner = try container.decode(Owner.self, forKey: .owner)
        accountId = try container.decode(String.self, forKey: .accountId)
        campaignId = try container.decode(String.self, forKey: .campaignId)
        name = try container.decode(String.self, forKey: .name)
        currency = try container.decode(Currency.self, forKey: .currency)
        dailyBudgetMinor = try container.decodeIfPresent(Int64.self, forKey: .dailyBudgetMinor)
        lifetimeBudgetMinor = try container.decodeIfPresent(Int64.self, forKey: .lifetimeBudgetMinor)
        bidMinor = try container.decodeIfPresent(Int64.self, forKey: .bidMinor)
        status = try container.decode(DeliveryStatus.self, forKey: .status)
        learning = try container.decodeIfPresent(Bool.self, forKey: .learning) ?? false
        readAt = try container.decode(Timestamp.self, forKey: .readAt)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(owner, forKey: .owner)
        try container.encode(accountId, forKey: .accountId)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(name, forKey: .name)
        try container.encode(currency, forKey: .currency)
        try container.encode(dailyBudgetMinor, forKey: .dailyBudgetMinor)
        try container.encode(lifetimeBudgetMinor, forKey: .lifetimeBudgetMinor)
        try container.encode(bidMinor, forKey: .bidMinor)
        try container.encode(status, forKey: .status)
        try container.encode(learning, forKey: .learning)
        try container.encode(readAt, forKey: .readAt)
    }
}
