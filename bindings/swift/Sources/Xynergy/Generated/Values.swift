// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// What a delivery held.
public struct Accepted: Codable, Hashable, Sendable {
    /// Events that are stored now and were not before.
    public var events: UInt64
    /// Events that were stored already.
    public var duplicates: UInt64
    /// Elements of the body that are no event.
    public var skipped: [EventProblem]

    public init(events: UInt64, duplicates: UInt64, skipped: [EventProblem]) {
        self.events = events
        self.duplicates = duplicates
        self.skipped = skipped
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case events
        case duplicates
        case skipped
    }
}

/// An account as the platform showed it.
public struct AccountState: Codable, Hashable, Sendable {
    /// Its id.
    public var accountId: String
    /// Its currency.
    public var currency: Currency
    /// The least daily budget that the platform accepts in that currency, where it says so.
    public var minimumDailyMinor: Int64?

    public init(accountId: String, currency: Currency, minimumDailyMinor: Int64? = nil) {
        self.accountId = accountId
        self.currency = currency
        self.minimumDailyMinor = minimumDailyMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accountId = "account_id"
        case currency
        case minimumDailyMinor = "minimum_daily_minor"
    }
}

/// One entry of the platform's log of edits.
public struct Activity: Codable, Hashable, Sendable {
    /// When, by the platform's clock and in its precision.
    public var at: Timestamp
    /// What was edited.
    public var field: ChangeField
    /// The value before, where the log shows it.
    public var before: Int64?
    /// The value after, where the log shows it.
    public var after: Int64?
    /// Whether this library's application did it.
    public var own: Bool

    public init(at: Timestamp, field: ChangeField, before: Int64? = nil, after: Int64? = nil, own: Bool) {
        self.at = at
        self.field = field
        self.before = before
        self.after = after
        self.own = own
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case at
        case field
        case before
        case after
        case own
    }
}

/// An ad with its figures over one period, the same for all ads.
public struct Ad: Codable, Hashable, Sendable {
    /// The ad.
    public var adId: String
    /// Its ad set.
    public var adsetId: String
    /// Its campaign.
    public var campaignId: String
    /// Which of the two owns its budget.
    public var level: OwnerLevel
    /// Whether it may be delivered; one that may not gets no share.
    public var active: Bool
    /// How often it was shown.
    public var impressions: Int64
    /// How often it was clicked.
    public var clicks: Int64
    /// What it cost, in minor units.
    public var spendMinor: Int64

    public init(
        adId: String,
        adsetId: String,
        campaignId: String,
        level: OwnerLevel,
        active: Bool,
        impressions: Int64,
        clicks: Int64,
        spendMinor: Int64
    ) {
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.level = level
        self.active = active
        self.impressions = impressions
        self.clicks = clicks
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case level
        case active
        case impressions
        case clicks
        case spendMinor = "spend_minor"
    }
}

/// An ad account as the loop sees it: its ads with what they brought, and the bounds of its budgets.
public struct AdAccount: Codable, Hashable, Sendable {
    /// The ad platform's id of the account.
    public var accountId: String
    /// The currency of every amount.
    public var currency: Currency
    /// The ads whose owners' budgets are to be allocated.
    public var ads: [Ad]
    /// The bounds of the next budgets, in minor units a day.
    public var constraints: Constraints

    public init(accountId: String, currency: Currency, ads: [Ad], constraints: Constraints) {
        self.accountId = accountId
        self.currency = currency
        self.ads = ads
        self.constraints = constraints
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accountId = "account_id"
        case currency
        case ads
        case constraints
    }
}

/// A wish to move one field of one owner from what it was seen at to a target.
public struct AdChange: Codable, Hashable, Sendable {
    /// Its key. Queueing the same id again changes nothing.
    public var id: ChangeId
    /// The ad account.
    public var accountId: String
    /// The campaign that the owner is, or is in.
    public var campaignId: String
    /// The object to change.
    public var owner: Owner
    /// What to change.
    public var field: ChangeField
    /// The value that the decision was made on. If the platform shows another one, the change is not applied.
    public var expectedFrom: Int64
    /// The value to set.
    public var target: Int64
    /// The currency of both values.
    public var currency: Currency
    /// The allocation it belongs to: its raises wait for its cuts.
    public var allocationId: String?
    /// The event or request that caused it.
    public var causationId: String?
    /// Why, in words, for the audit trail.
    public var reason: String
    /// After this time it is not applied any more; by default the policy's `expires_after_ms` from queueing.
    public var expiresAt: Timestamp?

    public init(
        id: ChangeId,
        accountId: String,
        campaignId: String,
        owner: Owner,
        field: ChangeField,
        expectedFrom: Int64,
        target: Int64,
        currency: Currency,
        allocationId: String? = nil,
        causationId: String? = nil,
        reason: String = "",
        expiresAt: Timestamp? = nil
    ) {
        self.id = id
        self.accountId = accountId
        self.campaignId = campaignId
        self.owner = owner
        self.field = field
        self.expectedFrom = expectedFrom
        self.target = target
        self.currency = currency
        self.allocationId = allocationId
        self.causationId = causationId
        self.reason = reason
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case accountId = "account_id"
        case campaignId = "campaign_id"
        case owner
        case field
        case expectedFrom = "expected_from"
        case target
        case currency
        case allocationId = "allocation_id"
        case causationId = "causation_id"
        case reason
        case expiresAt = "expires_at"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(ChangeId.self, forKey: .id)
        accountId = try container.decode(String.self, forKey: .accountId)
        campaignId = try container.decode(String.self, forKey: .campaignId)
        owner = try container.decode(Owner.self, forKey: .owner)
        field = try container.decode(ChangeField.self, forKey: .field)
        expectedFrom = try container.decode(Int64.self, forKey: .expectedFrom)
        target = try container.decode(Int64.self, forKey: .target)
        currency = try container.decode(Currency.self, forKey: .currency)
        allocationId = try container.decodeIfPresent(String.self, forKey: .allocationId)
        causationId = try container.decodeIfPresent(String.self, forKey: .causationId)
        reason = try container.decodeIfPresent(String.self, forKey: .reason) ?? ""
        expiresAt = try container.decodeIfPresent(Timestamp.self, forKey: .expiresAt)
    }
}

/// What one ad did over the period that the request looks at.
public struct AdEvidence: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// Whether the ad runs. One that does not still informs the pool, and gets no share.
    public var active: Bool
    /// How often it was shown.
    public var impressions: Int64
    /// How often it was clicked; at most the impressions.
    public var clicks: Int64
    /// What was spent on it, in minor units.
    public var spendMinor: Int64
    /// The deals attributed to it, lost ones included.
    public var deals: Int64
    /// What these deals are worth at their stages, in minor units.
    public var valueMinor: Int64

    public init(
        adId: String,
        active: Bool,
        impressions: Int64,
        clicks: Int64,
        spendMinor: Int64,
        deals: Int64,
        valueMinor: Int64
    ) {
        self.adId = adId
        self.active = active
        self.impressions = impressions
        self.clicks = clicks
        self.spendMinor = spendMinor
        self.deals = deals
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case active
        case impressions
        case clicks
        case spendMinor = "spend_minor"
        case deals
        case valueMinor = "value_minor"
    }
}

/// What one ad did over a range of days.
public struct AdInsight: Codable, Hashable, Sendable {
    /// The ad.
    public var adId: String
    /// Its ad set.
    public var adsetId: String
    /// Its campaign.
    public var campaignId: String
    /// How often it was shown.
    public var impressions: Int64
    /// How often it was clicked.
    public var clicks: Int64
    /// What it cost, in minor units of the account's currency.
    public var spendMinor: Int64

    public init(
        adId: String,
        adsetId: String,
        campaignId: String,
        impressions: Int64,
        clicks: Int64,
        spendMinor: Int64
    ) {
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.impressions = impressions
        self.clicks = clicks
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case impressions
        case clicks
        case spendMinor = "spend_minor"
    }
}

/// Where an ad hangs.
public struct AdParents: Codable, Hashable, Sendable {
    /// Its ad set.
    public var adsetId: String?
    /// Its campaign.
    public var campaignId: String?

    public init(adsetId: String? = nil, campaignId: String? = nil) {
        self.adsetId = adsetId
        self.campaignId = campaignId
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
    }
}

/// What one ad's evidence contributes.
public struct AdShare: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// Its part of the total before the constraints, exploration included. The shares of all ads sum to one.
    public var share: Millionths
    /// The probability that it is the best ad. The probabilities of all ads sum to one.
    public var probability: Millionths

    public init(adId: String, share: Millionths, probability: Millionths) {
        self.adId = adId
        self.share = share
        self.probability = probability
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case share
        case probability
    }
}

/// One absolute write of one field.
public struct AdWrite: Codable, Hashable, Sendable {
    /// Which object.
    public var owner: Owner
    /// What to set.
    public var field: ChangeField
    /// To which value.
    public var value: Int64
    /// The change that it executes, for the platform's and the host's logs.
    public var changeId: ChangeId
    /// Which of the change's attempts, from 1.
    public var attempt: UInt32

    public init(owner: Owner, field: ChangeField, value: Int64, changeId: ChangeId, attempt: UInt32) {
        self.owner = owner
        self.field = field
        self.value = value
        self.changeId = changeId
        self.attempt = attempt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case owner
        case field
        case value
        case changeId = "change_id"
        case attempt
    }
}

/// The budgets that the evidence speaks for, within the constraints.
public struct Allocation: Codable, Hashable, Sendable {
    /// One row an owner that has an active ad, by owner id.
    public var rows: [OwnerAllocation]
    /// The owners without an active ad, by id: their budgets stay, and are not part of the total.
    public var leftOut: [String]
    /// The total that was asked for, in minor units.
    public var totalMinor: Int64
    /// What the proposed budgets sum to, in minor units. It differs from the total where steps and limits do not reach it.
    public var proposedTotalMinor: Int64

    public init(rows: [OwnerAllocation], leftOut: [String], totalMinor: Int64, proposedTotalMinor: Int64) {
        self.rows = rows
        self.leftOut = leftOut
        self.totalMinor = totalMinor
        self.proposedTotalMinor = proposedTotalMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case rows
        case leftOut = "left_out"
        case totalMinor = "total_minor"
        case proposedTotalMinor = "proposed_total_minor"
    }
}

/// What an allocation is computed from.
public struct AllocationRequest: Codable, Hashable, Sendable {
    /// The currency of every amount, for the reasons in words.
    public var currency: Currency
    /// The objects that hold a budget, in any order.
    public var owners: [OwnerBudget]
    /// The limits of the new budgets.
    public var constraints: Constraints
    /// The seed of the draws.
    public var seed: UInt64
    /// How many draws: 1 to 10,000,000, usually `DEFAULT_DRAWS`].
    public var draws: UInt32

    public init(currency: Currency, owners: [OwnerBudget], constraints: Constraints, seed: UInt64, draws: UInt32) {
        self.currency = currency
        self.owners = owners
        self.constraints = constraints
        self.seed = seed
        self.draws = draws
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case currency
        case owners
        case constraints
        case seed
        case draws
    }
}

/// What became of a batch of events.
public struct Appended: Codable, Hashable, Sendable {
    /// Events that are stored now and were not before.
    public var inserted: UInt64
    /// Events that were already there.
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

/// The approval that a change needs before it may be sent, and whose it got.
public struct Approval: Codable, Hashable, Sendable {
    /// The digest of the changes that it was queued with: what is approved together.
    public var digest: String
    /// Who approved it; `None` while it waits.
    public var approvedBy: String?
    /// When; `None` while it waits.
    public var approvedAt: Timestamp?

    public init(digest: String, approvedBy: String? = nil, approvedAt: Timestamp? = nil) {
        self.digest = digest
        self.approvedBy = approvedBy
        self.approvedAt = approvedAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case digest
        case approvedBy = "approved_by"
        case approvedAt = "approved_at"
    }
}

/// One try of one provider.
public struct Attempt: Codable, Hashable, Sendable {
    /// The provider.
    public var provider: String
    /// The model.
    public var model: String
    /// What became of it.
    public var status: AttemptStatus
    /// Real time until the answer, or the first piece of a stream, in milliseconds.
    public var latencyMs: UInt64
    /// The kind of the error, as `throttled`.
    public var error: String?
    /// Why, in a few words; never text of the provider's.
    public var reason: String?

    public init(
        provider: String,
        model: String,
        status: AttemptStatus,
        latencyMs: UInt64 = 0,
        error: String? = nil,
        reason: String? = nil
    ) {
        self.provider = provider
        self.model = model
        self.status = status
        self.latencyMs = latencyMs
        self.error = error
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case provider
        case model
        case status
        case latencyMs = "latency_ms"
        case error
        case reason
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        provider = try container.decode(String.self, forKey: .provider)
        model = try container.decode(String.self, forKey: .model)
        status = try container.decode(AttemptStatus.self, forKey: .status)
        latencyMs = try container.decodeIfPresent(UInt64.self, forKey: .latencyMs) ?? 0
        error = try container.decodeIfPresent(String.self, forKey: .error)
        reason = try container.decodeIfPresent(String.self, forKey: .reason)
    }
}

/// The ad that a deal is attributed to, and why.
public struct Attributed: Codable, Hashable, Sendable {
    /// How.
    public var layer: Layer
    /// The click, as `Click::id` (crate::store::Click::id) shows it; `None` when the first URL named the ad.
    public var clickId: String?
    /// The ad.
    public var adId: String
    /// The ad's ad set, where it is known.
    public var adsetId: String?
    /// The ad set's campaign, where it is known.
    public var campaignId: String?

    public init(
        layer: Layer,
        clickId: String? = nil,
        adId: String,
        adsetId: String? = nil,
        campaignId: String? = nil
    ) {
        self.layer = layer
        self.clickId = clickId
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case layer
        case clickId = "click_id"
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
    }
}

/// What the verification of a history found.
public struct AuditReport: Codable, Hashable, Sendable {
    /// Rows read.
    public var rows: UInt64
    /// Whether every account's history is whole: no gap, no row altered, none cut off, one outcome an intent.
    public var chainOk: Bool
    /// The first row that is wrong, as `account#seq: what`.
    public var firstBad: String?
    /// Intents that have no outcome yet: 0 when nothing is in flight.
    public var openIntents: UInt64

    public init(rows: UInt64, chainOk: Bool, firstBad: String? = nil, openIntents: UInt64) {
        self.rows = rows
        self.chainOk = chainOk
        self.firstBad = firstBad
        self.openIntents = openIntents
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case rows
        case chainOk = "chain_ok"
        case firstBad = "first_bad"
        case openIntents = "open_intents"
    }
}

/// One row of an account's history: append-only, without gaps, each row sealed with the one before.
public struct AuditRow: Codable, Hashable, Sendable {
    /// Whose it is.
    public var tenantId: TenantId
    /// The ad account.
    public var accountId: String
    /// 1, 2, 3 ... within the account.
    public var seq: UInt64
    /// What it tells.
    public var kind: AuditKind
    /// The change.
    public var changeId: ChangeId
    /// Which of its attempts; 0 before the first.
    public var attempt: UInt32
    /// The campaign.
    public var campaignId: String
    /// The object.
    public var owner: Owner
    /// The field.
    public var field: ChangeField
    /// The value before: as observed, or as expected where it was not read.
    public var fromValue: Int64
    /// The value to set.
    public var toValue: Int64
    /// Where the change stands with this row.
    public var status: ChangeStatus
    /// Why.
    public var reason: Reason?
    /// When it is asked again.
    public var retryAt: Timestamp?
    /// What the platform said.
    public var detail: String?
    /// How long the write took, in milliseconds.
    public var durationMs: UInt64?
    /// The allocation it belongs to.
    public var allocationId: String?
    /// The event or request that caused the change.
    public var causationId: String?
    /// Why the change was wanted.
    public var purpose: String
    /// Who asked.
    public var actor: String?
    /// The caller's request id.
    public var requestId: String
    /// When.
    public var at: Timestamp
    /// The hash of the row before; zeros for the first.
    public var prevHash: String
    /// The SHA-256 of `prev_hash` and this row's canonical bytes, in hex.
    public var hash: String

    public init(
        tenantId: TenantId,
        accountId: String,
        seq: UInt64,
        kind: AuditKind,
        changeId: ChangeId,
        attempt: UInt32,
        campaignId: String,
        owner: Owner,
        field: ChangeField,
        fromValue: Int64,
        toValue: Int64,
        status: ChangeStatus,
        reason: Reason? = nil,
        retryAt: Timestamp? = nil,
        detail: String? = nil,
        durationMs: UInt64? = nil,
        allocationId: String? = nil,
        causationId: String? = nil,
        purpose: String,
        actor: String? = nil,
        requestId: String,
        at: Timestamp,
        prevHash: String,
        hash: String
    ) {
        self.tenantId = tenantId
        self.accountId = accountId
        self.seq = seq
        self.kind = kind
        self.changeId = changeId
        self.attempt = attempt
        self.campaignId = campaignId
        self.owner = owner
        self.field = field
        self.fromValue = fromValue
        self.toValue = toValue
        self.status = status
        self.reason = reason
        self.retryAt = retryAt
        self.detail = detail
        self.durationMs = durationMs
        self.allocationId = allocationId
        self.causationId = causationId
        self.purpose = purpose
        self.actor = actor
        self.requestId = requestId
        self.at = at
        self.prevHash = prevHash
        self.hash = hash
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tenantId = "tenant_id"
        case accountId = "account_id"
        case seq
        case kind
        case changeId = "change_id"
        case attempt
        case campaignId = "campaign_id"
        case owner
        case field
        case fromValue = "from_value"
        case toValue = "to_value"
        case status
        case reason
        case retryAt = "retry_at"
        case detail
        case durationMs = "duration_ms"
        case allocationId = "allocation_id"
        case causationId = "causation_id"
        case purpose
        case actor
        case requestId = "request_id"
        case at
        case prevHash = "prev_hash"
        case hash
    }
}

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
}

/// What a caller tells this library about one call. No provider sees it.
public struct CallOptions: Codable, Hashable, Sendable {
    /// False neither reads nor fills the cache.
    public var cache: Bool?
    /// Whether the library sizes the limit of the answer. Not with tools or a response format.
    public var optimizeTokens: Bool?
    /// Names under which the spend is counted and limited.
    public var tags: [String]

    public init(cache: Bool? = nil, optimizeTokens: Bool? = nil, tags: [String] = []) {
        self.cache = cache
        self.optimizeTokens = optimizeTokens
        self.tags = tags
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cache
        case optimizeTokens = "optimize_tokens"
        case tags
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        cache = try container.decodeIfPresent(Bool.self, forKey: .cache)
        optimizeTokens = try container.decodeIfPresent(Bool.self, forKey: .optimizeTokens)
        tags = try container.decodeIfPresent([String].self, forKey: .tags) ?? []
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
    /// What chose the model: `complexity`, `model`, `route`, or `cache`.
    public var routedVia: String
    /// Every attempt, in order.
    public var attempts: [Attempt]
    /// Whether a limit of ours had cut a first answer and the model was asked again without it.
    public var continued: Bool?
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
        tokenOptimization = try container.decodeIfPresent(TokenOptimization.self, forKey: .tokenOptimization)
        usageEstimated = try container.decodeIfPresent(Bool.self, forKey: .usageEstimated)
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

    public init(
        matched: KeyedHash,
        at: Timestamp,
        id: String,
        key: KeyedHash,
        adId: String,
        adsetId: String,
        campaignId: String
    ) {
        self.matched = matched
        self.at = at
        self.id = id
        self.key = key
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case matched
        case at
        case id
        case key
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
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
        case observedFrom = "observed_from"
        case sentValue = "sent_value"
        case intentAt = "intent_at"
        case leaseUntil = "lease_until"
        case detail
        case approval
        case queuedAt = "queued_at"
        case updatedAt = "updated_at"
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
        try container.encode(tools, forKey: .tools)
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
        try container.encodeIfPresent(finishReason, forKey: .finishReason)
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
        try container.encodeIfPresent(finishReason, forKey: .finishReason)
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
}

/// The limits of the new budgets. A single change is limited to a fifth of the present budget besides.
public struct Constraints: Codable, Hashable, Sendable {
    /// What the new daily budgets of owners with active ads sum to, in minor units.
    public var totalDailyMinor: Int64
    /// The least daily budget of an owner, in minor units.
    public var minMinor: Int64
    /// The greatest daily budget of an owner, in minor units.
    public var maxMinor: Int64

    public init(totalDailyMinor: Int64, minMinor: Int64, maxMinor: Int64) {
        self.totalDailyMinor = totalDailyMinor
        self.minMinor = minMinor
        self.maxMinor = maxMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case totalDailyMinor = "total_daily_minor"
        case minMinor = "min_minor"
        case maxMinor = "max_minor"
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

/// A change that a CRM reported.
public struct CrmEvent: Codable, Hashable, Sendable {
    /// What makes the event one, over everything but the delivery: a further event of the same key is a duplicate.
    public var key: KeyedHash
    /// When it happened, by the CRM's clock.
    public var occurredAt: Timestamp
    /// The CRM's id of the event. It orders events of the same time and need not be unique.
    public var eventId: String
    /// The move of a deal, when it is one.
    public var stageChange: StageChange?
    /// The event as the CRM sent it, every unknown field included: a JSON object.
    public var raw: String

    public init(key: KeyedHash, occurredAt: Timestamp, eventId: String, stageChange: StageChange? = nil, raw: String) {
        self.key = key
        self.occurredAt = occurredAt
        self.eventId = eventId
        self.stageChange = stageChange
        self.raw = raw
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case key
        case occurredAt = "occurred_at"
        case eventId = "event_id"
        case stageChange = "stage_change"
        case raw
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

/// What a deal is worth and whom it is due to: the fold of its events.
public struct DealRevenue: Codable, Hashable, Sendable {
    /// The CRM's id of the deal.
    public var dealId: String
    /// The stage after all events.
    public var stage: String
    /// The value of that stage in minor units: the sum of the entries.
    public var valueMinor: Int64
    /// The ledger in the order of the events.
    public var entries: [LedgerEntry]
    /// The click behind it.
    public var matched: Match
    /// How many stage events were folded, at least one.
    public var eventsSeen: UInt64

    public init(
        dealId: String,
        stage: String,
        valueMinor: Int64,
        entries: [LedgerEntry],
        matched: Match,
        eventsSeen: UInt64
    ) {
        self.dealId = dealId
        self.stage = stage
        self.valueMinor = valueMinor
        self.entries = entries
        self.matched = matched
        self.eventsSeen = eventsSeen
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dealId = "deal_id"
        case stage
        case valueMinor = "value_minor"
        case entries
        case matched
        case eventsSeen = "events_seen"
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
        try container.encode(toolCalls, forKey: .toolCalls)
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
}

/// How a client and what it depends on fare now.
public struct Health: Codable, Hashable, Sendable {
    /// What answers.
    public var service: String
    /// All checks together.
    public var status: HealthStatus
    /// Each check by its name: `store`, `cache`, `ai.PROVIDER`, `crm`, `ad_platform`.
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
    /// The kind of the error, as `ErrorKind::as_str` (crate::ErrorKind::as_str) names it.
    public var error: String?
    /// Consecutive faults that a breaker has counted.
    public var failureCount: UInt32?
    /// For a person: what is wrong, or what was not asked.
    public var message: String?
    /// The state of a breaker.
    public var state: BreakerState?

    public init(
        error: String? = nil,
        failureCount: UInt32? = nil,
        message: String? = nil,
        state: BreakerState? = nil
    ) {
        self.error = error
        self.failureCount = failureCount
        self.message = message
        self.state = state
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case error
        case failureCount = "failure_count"
        case message
        case state
    }
}
