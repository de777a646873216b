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

/// Whether a unit is held out.
public struct HoldoutUnit: Codable, Hashable, Sendable {
    /// The unit's id.
    public var unitId: String
    /// Whether it is held out: it must not be treated.
    public var heldOut: Bool
    /// Where it lies of 0 to 999,999: below `holdout_ppm` it is held out. A larger holdout has all units of a smaller one.
    public var bucket: UInt32

    public init(unitId: String, heldOut: Bool, bucket: UInt32) {
        self.unitId = unitId
        self.heldOut = heldOut
        self.bucket = bucket
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case unitId = "unit_id"
        case heldOut = "held_out"
        case bucket
    }
}

/// What treatment adds to what comes anyway.
public struct Incrementality: Codable, Hashable, Sendable {
    /// Whether an effect is shown: the interval is there and leaves 0 out.
    public var conclusive: Bool
    /// Why not, or what is shown; in words.
    public var reasons: [String]
    /// What attributed conversions or value have to be multiplied with: the part that would not have come without the treatment. Null
    /// where the treated group brought nothing.
    public var multiplier: Double?
    /// The lower end of its interval; null where it has none.
    public var lower: Double?
    /// The upper end of its interval; null where it has none.
    public var upper: Double?
    /// Conversions, or minor units, a treated unit.
    public var treatedMean: Double
    /// The same of a unit that was held out.
    public var holdoutMean: Double

    public init(
        conclusive: Bool,
        reasons: [String],
        multiplier: Double? = nil,
        lower: Double? = nil,
        upper: Double? = nil,
        treatedMean: Double,
        holdoutMean: Double
    ) {
        self.conclusive = conclusive
        self.reasons = reasons
        self.multiplier = multiplier
        self.lower = lower
        self.upper = upper
        self.treatedMean = treatedMean
        self.holdoutMean = holdoutMean
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case conclusive
        case reasons
        case multiplier
        case lower
        case upper
        case treatedMean = "treated_mean"
        case holdoutMean = "holdout_mean"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(conclusive, forKey: .conclusive)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(multiplier, forKey: .multiplier)
        try container.encode(lower, forKey: .lower)
        try container.encode(upper, forKey: .upper)
        try container.encode(treatedMean, forKey: .treatedMean)
        try container.encode(holdoutMean, forKey: .holdoutMean)
    }
}

/// How much there is, and how it is searched.
public struct IndexStats: Codable, Hashable, Sendable {
    /// How many vectors there are.
    public var vectorCount: UInt64
    /// How many numbers each has.
    public var dimensions: UInt32
    /// How they are searched.
    public var kind: IndexKind
    /// How many are in the graph; the others are compared one by one.
    public var graphCount: UInt64
    /// How many candidates a search of the graph looks at. It follows from what searching for new vectors found.
    public var graphBreadth: UInt32
    /// The bytes of vectors and graph in memory.
    public var memoryBytes: UInt64
    /// The number of the state that was persisted last, or loaded; 0 when there is none.
    public var generationSeq: UInt64
    /// Whether something changed since.
    public var unsaved: Bool

    public init(
        vectorCount: UInt64,
        dimensions: UInt32,
        kind: IndexKind,
        graphCount: UInt64,
        graphBreadth: UInt32,
        memoryBytes: UInt64,
        generationSeq: UInt64,
        unsaved: Bool
    ) {
        self.vectorCount = vectorCount
        self.dimensions = dimensions
        self.kind = kind
        self.graphCount = graphCount
        self.graphBreadth = graphBreadth
        self.memoryBytes = memoryBytes
        self.generationSeq = generationSeq
        self.unsaved = unsaved
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case vectorCount = "vector_count"
        case dimensions
        case kind
        case graphCount = "graph_count"
        case graphBreadth = "graph_breadth"
        case memoryBytes = "memory_bytes"
        case generationSeq = "generation_seq"
        case unsaved
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

/// One decision that was made and what came of it: a row of the log that a policy is evaluated on. Of an auction, an impression
/// or a visit it is what was shown. Of budgets it is a unit of money: a row for each ad and day, with the ad's share as
/// `propensity`, what a minor unit of its spend brought as `reward`, its spend as `weight`, and the day as `unit`.
public struct LoggedDecision: Codable, Hashable, Sendable {
    /// What was chosen: an ad's id.
    public var action: String
    /// The probability with which it was chosen: above 0, at most 1.
    public var propensity: Double
    /// What came of it, in whatever unit the answer is to have: 1 or 0 for a click, minor units for revenue.
    public var reward: Double
    /// The situation, where policies depend on one; empty where they do not.
    public var context: String
    /// The caller's prediction of the reward of every action here. Without it a mean an action, fitted on other rows, stands in.
    public var predicted: [String: Double]?
    /// Rows of the same unit (a day, a person) may depend on each other, and are one observation to the intervals. Each row is its
    /// own by default.
    public var unit: String?
    /// How much the decision counts: 1 by default.
    public var weight: Double?

    public init(
        action: String,
        propensity: Double,
        reward: Double,
        context: String = "",
        predicted: [String: Double]? = nil,
        unit: String? = nil,
        weight: Double? = nil
    ) {
        self.action = action
        self.propensity = propensity
        self.reward = reward
        self.context = context
        self.predicted = predicted
        self.unit = unit
        self.weight = weight
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case action
        case propensity
        case reward
        case context
        case predicted
        case unit
        case weight
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        action = try container.decode(String.self, forKey: .action)
        propensity = try container.decode(Double.self, forKey: .propensity)
        reward = try container.decode(Double.self, forKey: .reward)
        context = try container.decodeIfPresent(String.self, forKey: .context) ?? ""
        predicted = try container.decodeIfPresent([String: Double].self, forKey: .predicted)
        unit = try container.decodeIfPresent(String.self, forKey: .unit)
        weight = try container.decodeIfPresent(Double.self, forKey: .weight)
    }
}

/// A prediction, written down before its truth is known. It has a `probability` of something that happens or not, or a `value`
/// with the ends of an interval.
public struct LoggedPrediction: Codable, Hashable, Sendable {
    /// Names the prediction: the same id twice is one prediction.
    public var predictionId: String
    /// What predicted, as `ctr-3`: scores are asked for by this.
    public var model: String
    /// How much of the truths the interval is meant to hold: 0.95 by default.
    public var confidence: Double?
    /// The lower end of the interval of the value.
    public var lower: Double?
    /// The probability that it happens: 0 to 1.
    public var probability: Double?
    /// The upper end of the interval of the value.
    public var upper: Double?
    /// The predicted value.
    public var value: Double?

    public init(
        predictionId: String,
        model: String,
        confidence: Double? = nil,
        lower: Double? = nil,
        probability: Double? = nil,
        upper: Double? = nil,
        value: Double? = nil
    ) {
        self.predictionId = predictionId
        self.model = model
        self.confidence = confidence
        self.lower = lower
        self.probability = probability
        self.upper = upper
        self.value = value
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case predictionId = "prediction_id"
        case model
        case confidence
        case lower
        case probability
        case upper
        case value
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

/// What a policy would have brought, and how sure that is.
public struct OffPolicyEvaluation: Codable, Hashable, Sendable {
    /// The estimator that decides.
    public var estimator: Estimator
    /// The estimated mean reward under the policy, in the unit of the rewards.
    public var value: Double
    /// The lower end of its interval; null when nothing can be concluded.
    public var lower: Double?
    /// The upper end of its interval; null when nothing can be concluded.
    public var upper: Double?
    /// Whether the log says enough of this policy.
    public var conclusive: Bool
    /// Why nothing can be concluded, and what else to know; in words.
    public var reasons: [String]
    /// What every estimator says. Those of an evaluation that is not conclusive are no basis for a decision.
    public var estimates: [PolicyEstimate]
    /// What the log itself brought: the mean reward of its rows with its interval.
    public var logged: PolicyEstimate
    /// The rows of the log.
    public var rowCount: UInt64
    /// The units that the rows belong to.
    public var unitCount: UInt64
    /// Kish's effective sample size: how many rows of the policy's own this log is worth.
    public var effectiveRows: Double
    /// How many rewards of equal size this policy's rewards are worth.
    public var effectiveRewards: Double
    /// The mean importance weight, which is 1 but for chance where the propensities are those that chose.
    public var meanWeight: Double
    /// The largest importance weight.
    public var largestWeight: Double
    /// Rows whose importance weight was clipped.
    public var clippedCount: UInt64
    /// The actions that the policy may choose in a context in which the log never shows them, by name.
    public var unsupported: [String]
    /// How much of what the policy would choose that is: 0 to 1.
    public var unsupportedShare: Double

    public init(
        estimator: Estimator,
        value: Double,
        lower: Double? = nil,
        upper: Double? = nil,
        conclusive: Bool,
        reasons: [String],
        estimates: [PolicyEstimate],
        logged: PolicyEstimate,
        rowCount: UInt64,
        unitCount: UInt64,
        effectiveRows: Double,
        effectiveRewards: Double,
        meanWeight: Double,
        largestWeight: Double,
        clippedCount: UInt64,
        unsupported: [String],
        unsupportedShare: Double
    ) {
        self.estimator = estimator
        self.value = value
        self.lower = lower
        self.upper = upper
        self.conclusive = conclusive
        self.reasons = reasons
        self.estimates = estimates
        self.logged = logged
        self.rowCount = rowCount
        self.unitCount = unitCount
        self.effectiveRows = effectiveRows
        self.effectiveRewards = effectiveRewards
        self.meanWeight = meanWeight
        self.largestWeight = largestWeight
        self.clippedCount = clippedCount
        self.unsupported = unsupported
        self.unsupportedShare = unsupportedShare
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case estimator
        case value
        case lower
        case upper
        case conclusive
        case reasons
        case estimates
        case logged
        case rowCount = "row_count"
        case unitCount = "unit_count"
        case effectiveRows = "effective_rows"
        case effectiveRewards = "effective_rewards"
        case meanWeight = "mean_weight"
        case largestWeight = "largest_weight"
        case clippedCount = "clipped_count"
        case unsupported
        case unsupportedShare = "unsupported_share"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(estimator, forKey: .estimator)
        try container.encode(value, forKey: .value)
        try container.encode(lower, forKey: .lower)
        try container.encode(upper, forKey: .upper)
        try container.encode(conclusive, forKey: .conclusive)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(estimates, forKey: .estimates)
        try container.encode(logged, forKey: .logged)
        try container.encode(rowCount, forKey: .rowCount)
        try container.encode(unitCount, forKey: .unitCount)
        try container.encode(effectiveRows, forKey: .effectiveRows)
        try container.encode(effectiveRewards, forKey: .effectiveRewards)
        try container.encode(meanWeight, forKey: .meanWeight)
        try container.encode(largestWeight, forKey: .largestWeight)
        try container.encode(clippedCount, forKey: .clippedCount)
        try container.encode(unsupported, forKey: .unsupported)
        try container.encode(unsupportedShare, forKey: .unsupportedShare)
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
