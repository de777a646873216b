// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// One signed line of the revenue ledger: what an event changed.
public struct LedgerEntry: Codable, Hashable, Sendable {
    /// The event.
    public var event: KeyedHash
    /// When it happened.
    public var occurredAt: Timestamp
    /// The stage before it; `None` for a deal's first event.
    public var stageFrom: String?
    /// The stage after it.
    public var stageTo: String
    /// The value after it less the value before it, in minor units.
    public var deltaMinor: Int64

    public init(
        event: KeyedHash,
        occurredAt: Timestamp,
        stageFrom: String? = nil,
        stageTo: String,
        deltaMinor: Int64
    ) {
        self.event = event
        self.occurredAt = occurredAt
        self.stageFrom = stageFrom
        self.stageTo = stageTo
        self.deltaMinor = deltaMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case event
        case occurredAt = "occurred_at"
        case stageFrom = "stage_from"
        case stageTo = "stage_to"
        case deltaMinor = "delta_minor"
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

    public init(
        scope: LimitScope = .tenant,
        window: Window,
        amountNanoUsd: UInt64,
        hard: Bool,
        settledNanoUsd: UInt64,
        reservedNanoUsd: UInt64
    ) {
        self.scope = scope
        self.window = window
        self.amountNanoUsd = amountNanoUsd
        self.hard = hard
        self.settledNanoUsd = settledNanoUsd
        self.reservedNanoUsd = reservedNanoUsd
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case scope
        case window
        case amountNanoUsd = "amount_nano_usd"
        case hard
        case settledNanoUsd = "settled_nano_usd"
        case reservedNanoUsd = "reserved_nano_usd"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        scope = try container.decodeIfPresent(LimitScope.self, forKey: .scope) ?? LimitScope.tenant
        window = try container.decode(Window.self, forKey: .window)
        amountNanoUsd = try container.decode(UInt64.self, forKey: .amountNanoUsd)
        hard = try container.decode(Bool.self, forKey: .hard)
        settledNanoUsd = try container.decode(UInt64.self, forKey: .settledNanoUsd)
        reservedNanoUsd = try container.decode(UInt64.self, forKey: .reservedNanoUsd)
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
    /// The evidence as a JSON object: the candidates with layer and time, without anything that identifies a person.
    public var receipt: String

    public init(found: Attributed? = nil, anchor: Timestamp, ruleVersion: String, receipt: String) {
        self.found = found
        self.anchor = anchor
        self.ruleVersion = ruleVersion
        self.receipt = receipt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case found
        case anchor
        case ruleVersion = "rule_version"
        case receipt
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
        try container.encode(toolCalls, forKey: .toolCalls)
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

    public init(
        ownerId: String,
        level: OwnerLevel,
        currentMinor: Int64,
        proposedMinor: Int64,
        ads: [AdShare],
        reason: String
    ) {
        self.ownerId = ownerId
        self.level = level
        self.currentMinor = currentMinor
        self.proposedMinor = proposedMinor
        self.ads = ads
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ownerId = "owner_id"
        case level
        case currentMinor = "current_minor"
        case proposedMinor = "proposed_minor"
        case ads
        case reason
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

    public init(ownerId: String, level: OwnerLevel, currentMinor: Int64, ads: [AdEvidence]) {
        self.ownerId = ownerId
        self.level = level
        self.currentMinor = currentMinor
        self.ads = ads
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ownerId = "owner_id"
        case level
        case currentMinor = "current_minor"
        case ads
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
    /// The bid, where one is set.
    public var bidMinor: Int64?
    /// Whether it is switched on.
    public var status: DeliveryStatus
    /// When it was asked for, by the caller's clock: the value is at least as new as this.
    public var readAt: Timestamp

    public init(
        owner: Owner,
        accountId: String,
        campaignId: String,
        name: String,
        currency: Currency,
        dailyBudgetMinor: Int64? = nil,
        bidMinor: Int64? = nil,
        status: DeliveryStatus,
        readAt: Timestamp
    ) {
        self.owner = owner
        self.accountId = accountId
        self.campaignId = campaignId
        self.name = name
        self.currency = currency
        self.dailyBudgetMinor = dailyBudgetMinor
        self.bidMinor = bidMinor
        self.status = status
        self.readAt = readAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case owner
        case accountId = "account_id"
        case campaignId = "campaign_id"
        case name
        case currency
        case dailyBudgetMinor = "daily_budget_minor"
        case bidMinor = "bid_minor"
        case status
        case readAt = "read_at"
    }
}

/// How calls went. Those that the caller dropped, and requests that were refused before they began, do not count.
public struct Performance: Codable, Hashable, Sendable {
    /// Calls that came to an end.
    public var requestCount: UInt64
    /// Those that ended with an error.
    public var errorCount: UInt64
    /// The mean time from a call to its end, in seconds.
    public var averageResponseTime: Double
    /// Errors among the calls, in percent.
    public var errorRate: Double

    public init(requestCount: UInt64, errorCount: UInt64, averageResponseTime: Double, errorRate: Double) {
        self.requestCount = requestCount
        self.errorCount = errorCount
        self.averageResponseTime = averageResponseTime
        self.errorRate = errorRate
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case requestCount = "request_count"
        case errorCount = "error_count"
        case averageResponseTime = "average_response_time"
        case errorRate = "error_rate"
    }
}

/// What of a click is kept only with the consent of the person who clicked.
public struct Personal: Codable, Hashable, Sendable {
    /// The host's id of the click.
    public var clickId: String
    /// The hash of address, user agent and language: the key of layer 2.
    public var fingerprint: KeyedHash?
    /// The hash of address and user agent: the key of layer 3.
    public var address: KeyedHash?
    /// Address, user agent, language, URL and every unknown field, as a JSON object.
    public var raw: String

    public init(clickId: String, fingerprint: KeyedHash? = nil, address: KeyedHash? = nil, raw: String) {
        self.clickId = clickId
        self.fingerprint = fingerprint
        self.address = address
        self.raw = raw
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clickId = "click_id"
        case fingerprint
        case address
        case raw
    }
}

/// What the deals of an ad are expected to bring.
public struct Pipeline: Codable, Hashable, Sendable {
    /// Deals, lost ones included.
    public var deals: Int64
    /// What they are worth together, in minor units.
    public var valueMinor: Int64

    public init(deals: Int64, valueMinor: Int64) {
        self.deals = deals
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case deals
        case valueMinor = "value_minor"
    }
}

/// What would become of changes if they were applied now. Nothing is written, here or on the platform.
public struct Plan: Codable, Hashable, Sendable {
    /// One for each change, in the given order.
    public var changes: [PlannedChange]
    /// What these changes are approved by once they are queued: 64 hex digits, the same for the same changes in any order.
    public var digest: String

    public init(changes: [PlannedChange], digest: String) {
        self.changes = changes
        self.digest = digest
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case changes
        case digest
    }
}

/// What would become of one change.
public struct PlannedChange: Codable, Hashable, Sendable {
    /// The change.
    public var change: AdChange
    /// The verdict.
    public var outcome: PlannedOutcome

    public init(change: AdChange, outcome: PlannedOutcome) {
        self.change = change
        self.outcome = outcome
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case change
        case outcome
    }
}

/// What was spent at one provider.
public struct ProviderSpend: Codable, Hashable, Sendable {
    /// Answered calls.
    public var requests: UInt64
    /// Those whose price is not known.
    public var unpricedRequests: UInt64
    /// Tokens of prompts and answers.
    public var tokens: UInt64
    /// Dollars, for people.
    public var cost: Double
    /// Billionths of a dollar.
    public var costNanoUsd: UInt64

    public init(requests: UInt64, unpricedRequests: UInt64, tokens: UInt64, cost: Double, costNanoUsd: UInt64) {
        self.requests = requests
        self.unpricedRequests = unpricedRequests
        self.tokens = tokens
        self.cost = cost
        self.costNanoUsd = costNanoUsd
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case requests
        case unpricedRequests = "unpriced_requests"
        case tokens
        case cost
        case costNanoUsd = "cost_nano_usd"
    }
}

/// What a provider of the host's can do.
public struct ProviderTraits: Codable, Hashable, Sendable {
    /// The model that is asked when the request names none; the provider's name when absent.
    public var defaultModel: String?
    /// Whether it reads images.
    public var images: Bool
    /// Whether it takes a response format.
    public var responseFormat: Bool
    /// Whether it streams.
    public var streaming: Bool
    /// Whether it takes tools.
    public var tools: Bool

    public init(
        defaultModel: String? = nil,
        images: Bool = false,
        responseFormat: Bool = false,
        streaming: Bool = false,
        tools: Bool = false
    ) {
        self.defaultModel = defaultModel
        self.images = images
        self.responseFormat = responseFormat
        self.streaming = streaming
        self.tools = tools
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case defaultModel = "default_model"
        case images
        case responseFormat = "response_format"
        case streaming
        case tools
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        defaultModel = try container.decodeIfPresent(String.self, forKey: .defaultModel)
        images = try container.decodeIfPresent(Bool.self, forKey: .images) ?? false
        responseFormat = try container.decodeIfPresent(Bool.self, forKey: .responseFormat) ?? false
        streaming = try container.decodeIfPresent(Bool.self, forKey: .streaming) ?? false
        tools = try container.decodeIfPresent(Bool.self, forKey: .tools) ?? false
    }
}

/// An element of a batch that is no click.
public struct RejectedClick: Codable, Hashable, Sendable {
    /// Its place in the batch, from 0.
    public var index: UInt64
    /// The field, what is wrong with it, and the way out.
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

/// What the process uses; `None` where the platform does not tell.
public struct Resources: Codable, Hashable, Sendable {
    /// Memory that is resident, in MiB.
    public var memoryMb: Double?
    /// Percent of one processor, since the health was asked before; at first since the process started.
    public var cpuPercent: Double?
    /// Threads.
    public var threads: UInt32?

    public init(memoryMb: Double? = nil, cpuPercent: Double? = nil, threads: UInt32? = nil) {
        self.memoryMb = memoryMb
        self.cpuPercent = cpuPercent
        self.threads = threads
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case memoryMb = "memory_mb"
        case cpuPercent = "cpu_percent"
        case threads
    }
}

/// Sums over the deals that were put.
public struct RevenueTotals: Codable, Hashable, Sendable {
    /// Minor units by ad. Ads without a deal are absent.
    public var byAd: [String: Int64]
    /// Minor units of the deals without a match.
    public var unattributedMinor: Int64
    /// The deals by layer.
    public var matches: MatchCounts

    public init(byAd: [String: Int64], unattributedMinor: Int64, matches: MatchCounts) {
        self.byAd = byAd
        self.unattributedMinor = unattributedMinor
        self.matches = matches
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case byAd = "by_ad"
        case unattributedMinor = "unattributed_minor"
        case matches
    }
}

/// What the router decided, and why.
public struct RouteDecision: Codable, Hashable, Sendable {
    /// What the request was judged to be.
    public var complexity: Complexity
    /// How complex, 0 to 1.
    public var score: Double
    /// The models in the order in which they are asked.
    public var models: [ModelChoice]
    /// What chose them: `complexity`, `model` or `route`.
    public var policy: String
    /// Why, for a person.
    public var reason: String
    /// The probability with which this order was chosen, so that other policies can be evaluated on the log.
    public var propensity: Double

    public init(
        complexity: Complexity,
        score: Double,
        models: [ModelChoice],
        policy: String,
        reason: String,
        propensity: Double
    ) {
        self.complexity = complexity
        self.score = score
        self.models = models
        self.policy = policy
        self.reason = reason
        self.propensity = propensity
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case complexity
        case score
        case models
        case policy
        case reason
        case propensity
    }
}

/// What a tenant spent.
public struct Spend: Codable, Hashable, Sendable {
    /// From when it counts; everything that is kept when null.
    public var since: Timestamp?
    /// Answered calls. Cache hits are none.
    public var requests: UInt64
    /// Those whose price is not known; they count as free.
    public var unpricedRequests: UInt64
    /// Tokens of prompts and answers.
    public var tokens: UInt64
    /// Dollars, for people.
    public var cost: Double
    /// Billionths of a dollar.
    public var costNanoUsd: UInt64
    /// Billionths of a dollar that calls in flight hold.
    public var reservedNanoUsd: UInt64
    /// The same by provider.
    public var byProvider: [String: ProviderSpend]
    /// Where the tenant's own limits stand.
    public var limits: [LimitState]

    public init(
        since: Timestamp? = nil,
        requests: UInt64,
        unpricedRequests: UInt64,
        tokens: UInt64,
        cost: Double,
        costNanoUsd: UInt64,
        reservedNanoUsd: UInt64,
        byProvider: [String: ProviderSpend],
        limits: [LimitState]
    ) {
        self.since = since
        self.requests = requests
        self.unpricedRequests = unpricedRequests
        self.tokens = tokens
        self.cost = cost
        self.costNanoUsd = costNanoUsd
        self.reservedNanoUsd = reservedNanoUsd
        self.byProvider = byProvider
        self.limits = limits
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case since
        case requests
        case unpricedRequests = "unpriced_requests"
        case tokens
        case cost
        case costNanoUsd = "cost_nano_usd"
        case reservedNanoUsd = "reserved_nano_usd"
        case byProvider = "by_provider"
        case limits
    }
}

/// A deal's arrival in a pipeline stage.
public struct StageChange: Codable, Hashable, Sendable {
    /// The CRM's id of the deal.
    public var dealId: String
    /// The CRM's id of the stage.
    public var stage: String

    public init(dealId: String, stage: String) {
        self.dealId = dealId
        self.stage = stage
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dealId = "deal_id"
        case stage
    }
}

/// What a deal in a pipeline stage is expected to bring, in minor units of the account's currency.
public struct StageValues: Codable, Hashable, Sendable {
    /// A deal in any stage that is not listed below.
    public var leadMinor: Int64
    /// A deal in one of `appointment_stages`.
    public var appointmentMinor: Int64
    /// A deal in one of `closed_stages`.
    public var closedMinor: Int64
    /// The CRM's ids of the stages between the first talk and the contract.
    public var appointmentStages: [String]
    /// The CRM's ids of the stages of won deals.
    public var closedStages: [String]
    /// The CRM's ids of the stages of lost deals, which are worth nothing.
    public var lostStages: [String]

    public init(
        leadMinor: Int64 = 50000,
        appointmentMinor: Int64 = 150000,
        closedMinor: Int64 = 500000,
        appointmentStages: [String] = ["appointmentscheduled", "contractsent", "decisionmakerboughtin", "presentationscheduled", "qualifiedtobuy"],
        closedStages: [String] = ["closedwon"],
        lostStages: [String] = ["closedlost"]
    ) {
        self.leadMinor = leadMinor
        self.appointmentMinor = appointmentMinor
        self.closedMinor = closedMinor
        self.appointmentStages = appointmentStages
        self.closedStages = closedStages
        self.lostStages = lostStages
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case leadMinor = "lead_minor"
        case appointmentMinor = "appointment_minor"
        case closedMinor = "closed_minor"
        case appointmentStages = "appointment_stages"
        case closedStages = "closed_stages"
        case lostStages = "lost_stages"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        leadMinor = try container.decodeIfPresent(Int64.self, forKey: .leadMinor) ?? 50000
        appointmentMinor = try container.decodeIfPresent(Int64.self, forKey: .appointmentMinor) ?? 150000
        closedMinor = try container.decodeIfPresent(Int64.self, forKey: .closedMinor) ?? 500000
        appointmentStages = try container.decodeIfPresent([String].self, forKey: .appointmentStages) ?? ["appointmentscheduled", "contractsent", "decisionmakerboughtin", "presentationscheduled", "qualifiedtobuy"]
        closedStages = try container.decodeIfPresent([String].self, forKey: .closedStages) ?? ["closedwon"]
        lostStages = try container.decodeIfPresent([String].self, forKey: .lostStages) ?? ["closedlost"]
    }
}

/// What one step did.
public struct Step: Codable, Hashable, Sendable {
    /// The change afterwards.
    public var row: ChangeRow
    /// Whether it moved; `false` when another worker was first.
    public var moved: Bool

    public init(row: ChangeRow, moved: Bool) {
        self.row = row
        self.moved = moved
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case row
        case moved
    }
}

/// What one `tick` (ClosedLoop::tick) did.
public struct Tick: Codable, Hashable, Sendable {
    /// Deals that were worked on.
    public var deals: UInt64
    /// The budgets that are proposed.
    public var allocation: Allocation
    /// Steps of budget changes that were done.
    public var steps: UInt64
    /// When there is something to do again; nothing is when `None`.
    public var nextDue: Timestamp?

    public init(deals: UInt64, allocation: Allocation, steps: UInt64, nextDue: Timestamp? = nil) {
        self.deals = deals
        self.allocation = allocation
        self.steps = steps
        self.nextDue = nextDue
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case deals
        case allocation
        case steps
        case nextDue = "next_due"
    }
}

/// A number of tokens.
public struct TokenCount: Codable, Hashable, Sendable {
    /// How many.
    public var tokens: UInt64
    /// Whether it is exact; if not, it is an estimate (see `count_text`]).
    public var exact: Bool

    public init(tokens: UInt64, exact: Bool) {
        self.tokens = tokens
        self.exact = exact
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tokens
        case exact
    }
}

/// How the limit of an answer was sized.
public struct TokenOptimization: Codable, Hashable, Sendable {
    /// The limit before: the user's own, or the default.
    public var originalLimit: UInt32
    /// The limit after; never greater.
    public var optimizedLimit: UInt32
    /// What the prompt was judged to be.
    public var complexity: Complexity
    /// What was saved of the limit, in whole percent, rounded down.
    public var savingsPercent: UInt32

    public init(originalLimit: UInt32, optimizedLimit: UInt32, complexity: Complexity, savingsPercent: UInt32) {
        self.originalLimit = originalLimit
        self.optimizedLimit = optimizedLimit
        self.complexity = complexity
        self.savingsPercent = savingsPercent
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case originalLimit = "original_limit"
        case optimizedLimit = "optimized_limit"
        case complexity
        case savingsPercent = "savings_percent"
    }
}

/// What became of a batch of clicks.
public struct Tracked: Codable, Hashable, Sendable {
    /// Clicks that are stored now and were not before.
    public var inserted: UInt64
    /// Clicks whose key was already there; nothing was changed for them.
    public var duplicates: UInt64

    public init(inserted: UInt64, duplicates: UInt64) {
        self.inserted = inserted
        self.duplicates = duplicates
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case inserted
        case duplicates
    }
}

/// What became of a batch of clicks.
public struct TrackedClicks: Codable, Hashable, Sendable {
    /// Clicks that are stored now and were not before.
    public var inserted: UInt64
    /// Clicks that were there already.
    public var duplicates: UInt64
    /// Those that are no click.
    public var rejected: [RejectedClick]

    public init(inserted: UInt64, duplicates: UInt64, rejected: [RejectedClick]) {
        self.inserted = inserted
        self.duplicates = duplicates
        self.rejected = rejected
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case inserted
        case duplicates
        case rejected
    }
}

/// The tokens of one call, as OpenAI counts: the prompt's include the cached ones, the completion's the reasoning.
public struct Usage: Codable, Hashable, Sendable {
    /// Tokens of the prompt, cached ones included.
    public var promptTokens: UInt64
    /// Tokens of the answer, reasoning included.
    public var completionTokens: UInt64
    /// Both together, as the provider says.
    public var totalTokens: UInt64
    /// Every other field, as it came.
    public var additional: [String: JSONValue]

    public init(
        promptTokens: UInt64 = 0,
        completionTokens: UInt64 = 0,
        totalTokens: UInt64 = 0,
        additional: [String: JSONValue] = [:]
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.totalTokens = totalTokens
        self.additional = additional
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case totalTokens = "total_tokens"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        promptTokens = try container.decodeIfPresent(UInt64.self, forKey: .promptTokens) ?? 0
        completionTokens = try container.decodeIfPresent(UInt64.self, forKey: .completionTokens) ?? 0
        totalTokens = try container.decodeIfPresent(UInt64.self, forKey: .totalTokens) ?? 0
        additional = try decoder.fields(besides: CodingKeys.self)
    }

    public func encode(to encoder: Encoder) throws {
        try encoder.write(additional)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(promptTokens, forKey: .promptTokens)
        try container.encode(completionTokens, forKey: .completionTokens)
        try container.encode(totalTokens, forKey: .totalTokens)
    }
}

/// The UTM parameters of a click's URL, as they stood there.
public struct Utm: Codable, Hashable, Sendable {
    /// `utm_source`.
    public var source: String?
    /// `utm_medium`.
    public var medium: String?
    /// `utm_campaign`.
    public var campaign: String?
    /// `utm_content`.
    public var content: String?
    /// `utm_term`.
    public var term: String?

    public init(
        source: String? = nil,
        medium: String? = nil,
        campaign: String? = nil,
        content: String? = nil,
        term: String? = nil
    ) {
        self.source = source
        self.medium = medium
        self.campaign = campaign
        self.content = content
        self.term = term
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case source
        case medium
        case campaign
        case content
        case term
    }
}
