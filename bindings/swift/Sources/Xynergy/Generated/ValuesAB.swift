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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accountId, forKey: .accountId)
        try container.encode(currency, forKey: .currency)
        try container.encode(minimumDailyMinor, forKey: .minimumDailyMinor)
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(at, forKey: .at)
        try container.encode(field, forKey: .field)
        try container.encode(before, forKey: .before)
        try container.encode(after, forKey: .after)
        try container.encode(own, forKey: .own)
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
    /// Which step of a ramp it is, where its target is reached in several.
    public var ramp: RampStep?

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
        expiresAt: Timestamp? = nil,
        ramp: RampStep? = nil
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
        self.ramp = ramp
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
        case ramp
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
        ramp = try container.decodeIfPresent(RampStep.self, forKey: .ramp)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(accountId, forKey: .accountId)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(owner, forKey: .owner)
        try container.encode(field, forKey: .field)
        try container.encode(expectedFrom, forKey: .expectedFrom)
        try container.encode(target, forKey: .target)
        try container.encode(currency, forKey: .currency)
        try container.encode(allocationId, forKey: .allocationId)
        try container.encode(causationId, forKey: .causationId)
        try container.encode(reason, forKey: .reason)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encode(ramp, forKey: .ramp)
    }
}

/// How often an ad was clicked on a day. It counts clicks that were erased or pruned since.
public struct AdClicks: Codable, Hashable, Sendable {
    /// The day's first moment, UTC.
    public var day: Timestamp
    /// The ad.
    public var adId: String
    /// The ad's ad set.
    public var adsetId: String
    /// The ad set's campaign.
    public var campaignId: String
    /// The clicks.
    public var clicks: UInt64

    public init(day: Timestamp, adId: String, adsetId: String, campaignId: String, clicks: UInt64) {
        self.day = day
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.clicks = clicks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case day
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case clicks
    }
}

/// An ad, and what it did over the period that the request looks at. Figures that are left out are 0.
public struct AdEvidence: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// Whether the ad runs. One that does not still informs the pool, and gets no share.
    public var active: Bool
    /// How often it was clicked; at most the impressions.
    public var clicks: Int64
    /// The deals attributed to it, lost ones included.
    public var deals: Int64
    /// How often it was shown.
    public var impressions: Int64
    /// What is expected of it before it has evidence; only with `AllocationRequest::sampler`].
    public var prior: AdPrior?
    /// What was spent on it, in minor units.
    public var spendMinor: Int64
    /// What these deals are worth at their stages, in minor units.
    public var valueMinor: Int64

    public init(
        adId: String,
        active: Bool,
        clicks: Int64 = 0,
        deals: Int64 = 0,
        impressions: Int64 = 0,
        prior: AdPrior? = nil,
        spendMinor: Int64 = 0,
        valueMinor: Int64 = 0
    ) {
        self.adId = adId
        self.active = active
        self.clicks = clicks
        self.deals = deals
        self.impressions = impressions
        self.prior = prior
        self.spendMinor = spendMinor
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case active
        case clicks
        case deals
        case impressions
        case prior
        case spendMinor = "spend_minor"
        case valueMinor = "value_minor"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        adId = try container.decode(String.self, forKey: .adId)
        active = try container.decode(Bool.self, forKey: .active)
        clicks = try container.decodeIfPresent(Int64.self, forKey: .clicks) ?? 0
        deals = try container.decodeIfPresent(Int64.self, forKey: .deals) ?? 0
        impressions = try container.decodeIfPresent(Int64.self, forKey: .impressions) ?? 0
        prior = try container.decodeIfPresent(AdPrior.self, forKey: .prior)
        spendMinor = try container.decodeIfPresent(Int64.self, forKey: .spendMinor) ?? 0
        valueMinor = try container.decodeIfPresent(Int64.self, forKey: .valueMinor) ?? 0
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

/// An object of an ad account.
public struct AdObject: Codable, Hashable, Sendable {
    /// What it is.
    public var kind: AdObjectKind
    /// Its id on the platform.
    public var id: String
    /// The account it is in; empty where the platform does not say.
    public var accountId: String
    /// Its name.
    public var name: String
    /// Whether it is switched on, as it is configured; `None` for what cannot be.
    public var status: DeliveryStatus?
    /// The other fields that were asked for or set, by the platform's names.
    public var fields: [String: JSONValue]

    public init(
        kind: AdObjectKind,
        id: String,
        accountId: String = "",
        name: String = "",
        status: DeliveryStatus? = nil,
        fields: [String: JSONValue] = [:]
    ) {
        self.kind = kind
        self.id = id
        self.accountId = accountId
        self.name = name
        self.status = status
        self.fields = fields
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind
        case id
        case accountId = "account_id"
        case name
        case status
        case fields
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(AdObjectKind.self, forKey: .kind)
        id = try container.decode(String.self, forKey: .id)
        accountId = try container.decodeIfPresent(String.self, forKey: .accountId) ?? ""
        name = try container.decodeIfPresent(String.self, forKey: .name) ?? ""
        status = try container.decodeIfPresent(DeliveryStatus.self, forKey: .status)
        fields = try container.decodeIfPresent([String: JSONValue].self, forKey: .fields) ?? [:]
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(id, forKey: .id)
        try container.encode(accountId, forKey: .accountId)
        try container.encode(name, forKey: .name)
        try container.encode(status, forKey: .status)
        try container.encode(fields, forKey: .fields)
    }
}

/// One page of objects.
public struct AdObjectPage: Codable, Hashable, Sendable {
    /// The objects.
    public var objects: [AdObject]
    /// What to give as `after` for the next page; `None` on the last one.
    public var next: String?

    public init(objects: [AdObject], next: String? = nil) {
        self.objects = objects
        self.next = next
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case objects
        case next
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(objects, forKey: .objects)
        try container.encode(next, forKey: .next)
    }
}

/// What an ad platform reports of one ad and one day: totals, not increments. Platforms correct their figures for days. Of
/// several reports of one day that of the latest `observed_at` counts, whatever order they arrive in, and giving one again
/// changes nothing.
public struct AdObservation: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// The day of the figures.
    public var day: Day
    /// How often it was shown that day.
    public var impressions: Int64
    /// How often it was clicked that day; at most the impressions.
    public var clicks: Int64
    /// What was spent on it that day, in minor units.
    public var spendMinor: Int64
    /// When the figures were read; now when it is not given.
    public var observedAt: Timestamp?

    public init(
        adId: String,
        day: Day,
        impressions: Int64,
        clicks: Int64,
        spendMinor: Int64,
        observedAt: Timestamp? = nil
    ) {
        self.adId = adId
        self.day = day
        self.impressions = impressions
        self.clicks = clicks
        self.spendMinor = spendMinor
        self.observedAt = observedAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case day
        case impressions
        case clicks
        case spendMinor = "spend_minor"
        case observedAt = "observed_at"
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

/// What is expected of an ad before it has evidence of its own, from winners like it or from a model. What is left out is as in
/// the pool.
public struct AdPrior: Codable, Hashable, Sendable {
    /// The click-through.
    public var clickThrough: BetaPrior?
    /// The return.
    public var returned: ReturnPrior?

    public init(clickThrough: BetaPrior? = nil, returned: ReturnPrior? = nil) {
        self.clickThrough = clickThrough
        self.returned = returned
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clickThrough = "click_through"
        case returned
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
    /// What is believed of it.
    public var posterior: PosteriorSummary?
    /// The probability that a unit of the proposed budgets goes to it, for the evaluation of later policies: its owner's part of the
    /// proposed total, divided among the owner's ads by their shares. The propensities of all ads sum to one. Like the posterior it
    /// is there with the sampler.
    public var propensity: Millionths?

    public init(
        adId: String,
        share: Millionths,
        probability: Millionths,
        posterior: PosteriorSummary? = nil,
        propensity: Millionths? = nil
    ) {
        self.adId = adId
        self.share = share
        self.probability = probability
        self.posterior = posterior
        self.propensity = propensity
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case share
        case probability
        case posterior
        case propensity
    }
}

/// What some of the ads cost. What is not known may be left out: the cost then counts in no row of that dimension.
public struct AdSpend: Codable, Hashable, Sendable {
    /// The ad.
    public var adId: String?
    /// The ad set.
    public var adsetId: String?
    /// The campaign.
    public var campaignId: String?
    /// The content, as it stands in `utm_content`.
    public var content: String?
    /// The keyword, as it stands in `utm_term`.
    public var keyword: String?
    /// What it cost, in minor units of the base currency.
    public var spendMinor: Int64

    public init(
        adId: String? = nil,
        adsetId: String? = nil,
        campaignId: String? = nil,
        content: String? = nil,
        keyword: String? = nil,
        spendMinor: Int64 = 0
    ) {
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.content = content
        self.keyword = keyword
        self.spendMinor = spendMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case content
        case keyword
        case spendMinor = "spend_minor"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        adId = try container.decodeIfPresent(String.self, forKey: .adId)
        adsetId = try container.decodeIfPresent(String.self, forKey: .adsetId)
        campaignId = try container.decodeIfPresent(String.self, forKey: .campaignId)
        content = try container.decodeIfPresent(String.self, forKey: .content)
        keyword = try container.decodeIfPresent(String.self, forKey: .keyword)
        spendMinor = try container.decodeIfPresent(Int64.self, forKey: .spendMinor) ?? 0
    }
}

/// What is known of one ad.
public struct AdState: Codable, Hashable, Sendable {
    /// Its figures by day.
    public var days: [String: DayFigures]
    /// Its deals, by the deal's id or else the event's.
    public var deals: [String: DealRecord]
    /// The first day that is remembered; what is older is forgotten, and not taken in again.
    public var since: Day?

    public init(days: [String: DayFigures] = [:], deals: [String: DealRecord] = [:], since: Day? = nil) {
        self.days = days
        self.deals = deals
        self.since = since
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case days
        case deals
        case since
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        days = try container.decodeIfPresent([String: DayFigures].self, forKey: .days) ?? [:]
        deals = try container.decodeIfPresent([String: DealRecord].self, forKey: .deals) ?? [:]
        since = try container.decodeIfPresent(Day.self, forKey: .since)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if !days.isEmpty { try container.encode(days, forKey: .days) }
        if !deals.isEmpty { try container.encode(deals, forKey: .deals) }
        try container.encodeIfPresent(since, forKey: .since)
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

/// What became of entries that were added.
public struct Added: Codable, Hashable, Sendable {
    /// How many ids were not there before.
    public var inserted: UInt64
    /// How many were there and are replaced.
    public var replacedCount: UInt64

    public init(inserted: UInt64, replacedCount: UInt64) {
        self.inserted = inserted
        self.replacedCount = replacedCount
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case inserted
        case replacedCount = "replaced_count"
    }
}

/// What became of the deals that reached an age in a stage, counted from their first coming into it.
public struct AgeRow: Codable, Hashable, Sendable {
    /// The age at which the bucket begins, in days; it ends 7 days later, the last one never.
    public var fromDays: UInt32
    /// Deals that were neither won nor lost when they reached it.
    public var atRisk: UInt64
    /// Those that were won in it.
    public var won: UInt64
    /// Those that were lost in it.
    public var lost: UInt64
    /// `won` of `at_risk`, in millionths.
    public var wonHazardMillionths: Int64
    /// `lost` of `at_risk`, in millionths.
    public var lostHazardMillionths: Int64
    /// The share that is won by the end of the bucket, in millionths: the cumulative incidence by Aalen and Johansen. With the two
    /// below it is exactly one million, by largest remainder.
    public var wonByMillionths: Int64
    /// The share that is lost by then.
    public var lostByMillionths: Int64
    /// The share that is open then.
    public var openMillionths: Int64
    /// What the value of the stage is multiplied by at this age, in millionths: how probably a deal that is still open is won, beside
    /// one that has just come, shrunk to one by `prior_deals`.
    public var factorMillionths: Int64
    /// The value of the stage at this age, in minor units.
    public var valueMinor: Int64

    public init(
        fromDays: UInt32,
        atRisk: UInt64,
        won: UInt64,
        lost: UInt64,
        wonHazardMillionths: Int64,
        lostHazardMillionths: Int64,
        wonByMillionths: Int64,
        lostByMillionths: Int64,
        openMillionths: Int64,
        factorMillionths: Int64,
        valueMinor: Int64
    ) {
        self.fromDays = fromDays
        self.atRisk = atRisk
        self.won = won
        self.lost = lost
        self.wonHazardMillionths = wonHazardMillionths
        self.lostHazardMillionths = lostHazardMillionths
        self.wonByMillionths = wonByMillionths
        self.lostByMillionths = lostByMillionths
        self.openMillionths = openMillionths
        self.factorMillionths = factorMillionths
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case fromDays = "from_days"
        case atRisk = "at_risk"
        case won
        case lost
        case wonHazardMillionths = "won_hazard_millionths"
        case lostHazardMillionths = "lost_hazard_millionths"
        case wonByMillionths = "won_by_millionths"
        case lostByMillionths = "lost_by_millionths"
        case openMillionths = "open_millionths"
        case factorMillionths = "factor_millionths"
        case valueMinor = "value_minor"
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

/// One ad in one allocation, as the evaluation of other policies reads it: what could have been done, with what probability.
public struct AllocationLogRow: Codable, Hashable, Sendable {
    /// The allocation.
    public var decisionId: String
    /// When it was made.
    public var decidedAt: Timestamp
    /// The ad: the action.
    public var adId: String
    /// The object whose budget it draws on.
    public var ownerId: String
    /// The probability with which a unit of the budgets went to the ad under the policy that was in force.
    public var propensity: Millionths
    /// The probability that it is the best ad, as was believed then.
    public var probability: Millionths
    /// The owner's proposed daily budget, in minor units.
    public var budgetMinor: Int64
    /// What came of it, in minor units, where that is known: not when the allocation is made.
    public var rewardMinor: Int64?

    public init(
        decisionId: String,
        decidedAt: Timestamp,
        adId: String,
        ownerId: String,
        propensity: Millionths,
        probability: Millionths,
        budgetMinor: Int64,
        rewardMinor: Int64? = nil
    ) {
        self.decisionId = decisionId
        self.decidedAt = decidedAt
        self.adId = adId
        self.ownerId = ownerId
        self.propensity = propensity
        self.probability = probability
        self.budgetMinor = budgetMinor
        self.rewardMinor = rewardMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case decisionId = "decision_id"
        case decidedAt = "decided_at"
        case adId = "ad_id"
        case ownerId = "owner_id"
        case propensity
        case probability
        case budgetMinor = "budget_minor"
        case rewardMinor = "reward_minor"
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
    /// Learns from what was observed and fed back, and not from figures in the request. The ads' figures are left out then.
    public var sampler: SamplerOptions?

    public init(
        currency: Currency,
        owners: [OwnerBudget],
        constraints: Constraints,
        seed: UInt64,
        draws: UInt32,
        sampler: SamplerOptions? = nil
    ) {
        self.currency = currency
        self.owners = owners
        self.constraints = constraints
        self.seed = seed
        self.draws = draws
        self.sampler = sampler
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case currency
        case owners
        case constraints
        case seed
        case draws
        case sampler
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(digest, forKey: .digest)
        try container.encode(approvedBy, forKey: .approvedBy)
        try container.encode(approvedAt, forKey: .approvedAt)
    }
}

/// Where an arm stands.
public struct ArmStatus: Codable, Hashable, Sendable {
    /// The arm's id.
    public var armId: String
    /// Its units.
    public var unitCount: UInt64
    /// Its units that have the metric.
    public var havingCount: UInt64
    /// The mean of the metric over its units; null without units.
    public var mean: Double?
    /// How it differs from the control; null for the control itself.
    public var effect: Effect?
    /// Whether it is better than the control.
    public var better: Bool
    /// Whether it is worse than the control.
    public var worse: Bool
    /// What each guardrail says.
    public var guardrails: [GuardrailStatus]
    /// The guardrails that are worse, by name.
    public var breached: [String]

    public init(
        armId: String,
        unitCount: UInt64,
        havingCount: UInt64,
        mean: Double? = nil,
        effect: Effect? = nil,
        better: Bool,
        worse: Bool,
        guardrails: [GuardrailStatus],
        breached: [String]
    ) {
        self.armId = armId
        self.unitCount = unitCount
        self.havingCount = havingCount
        self.mean = mean
        self.effect = effect
        self.better = better
        self.worse = worse
        self.guardrails = guardrails
        self.breached = breached
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case armId = "arm_id"
        case unitCount = "unit_count"
        case havingCount = "having_count"
        case mean
        case effect
        case better
        case worse
        case guardrails
        case breached
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(armId, forKey: .armId)
        try container.encode(unitCount, forKey: .unitCount)
        try container.encode(havingCount, forKey: .havingCount)
        try container.encode(mean, forKey: .mean)
        try container.encode(effect, forKey: .effect)
        try container.encode(better, forKey: .better)
        try container.encode(worse, forKey: .worse)
        try container.encode(guardrails, forKey: .guardrails)
        try container.encode(breached, forKey: .breached)
    }
}

/// The clicks of some networks in a time.
public struct Around: Codable, Hashable, Sendable {
    /// The newest of them, newest first, each once per network.
    public var clicks: [Candidate]
    /// How many there are.
    public var total: UInt64

    public init(clicks: [Candidate], total: UInt64) {
        self.clicks = clicks
        self.total = total
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clicks
        case total
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
    /// The click's `utm_term`.
    public var keyword: String?
    /// The click's `utm_content`, or that of the first URL which named the ad.
    public var content: String?

    public init(
        layer: Layer,
        clickId: String? = nil,
        adId: String,
        adsetId: String? = nil,
        campaignId: String? = nil,
        keyword: String? = nil,
        content: String? = nil
    ) {
        self.layer = layer
        self.clickId = clickId
        self.adId = adId
        self.adsetId = adsetId
        self.campaignId = campaignId
        self.keyword = keyword
        self.content = content
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case layer
        case clickId = "click_id"
        case adId = "ad_id"
        case adsetId = "adset_id"
        case campaignId = "campaign_id"
        case keyword
        case content
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(clickId, forKey: .clickId)
        try container.encode(adId, forKey: .adId)
        try container.encode(adsetId, forKey: .adsetId)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(keyword, forKey: .keyword)
        try container.encode(content, forKey: .content)
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rows, forKey: .rows)
        try container.encode(chainOk, forKey: .chainOk)
        try container.encode(firstBad, forKey: .firstBad)
        try container.encode(openIntents, forKey: .openIntents)
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(tenantId, forKey: .tenantId)
        try container.encode(accountId, forKey: .accountId)
        try container.encode(seq, forKey: .seq)
        try container.encode(kind, forKey: .kind)
        try container.encode(changeId, forKey: .changeId)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(campaignId, forKey: .campaignId)
        try container.encode(owner, forKey: .owner)
        try container.encode(field, forKey: .field)
        try container.encode(fromValue, forKey: .fromValue)
        try container.encode(toValue, forKey: .toValue)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(retryAt, forKey: .retryAt)
        try container.encode(detail, forKey: .detail)
        try container.encode(durationMs, forKey: .durationMs)
        try container.encode(allocationId, forKey: .allocationId)
        try container.encode(causationId, forKey: .causationId)
        try container.encode(purpose, forKey: .purpose)
        try container.encode(actor, forKey: .actor)
        try container.encode(requestId, forKey: .requestId)
        try container.encode(at, forKey: .at)
        try container.encode(prevHash, forKey: .prevHash)
        try container.encode(hash, forKey: .hash)
    }
}

/// What is still to be done for a tenant.
public struct Backlog: Codable, Hashable, Sendable {
    /// How many changes that are not over stand where, by status and then reason.
    public var open: [BacklogCount]
    /// How many wait for a person's verdict or retry.
    public var needsHuman: UInt64
    /// When the oldest one that is due was due; it may lie ahead.
    public var oldestDue: Timestamp?

    public init(open: [BacklogCount], needsHuman: UInt64, oldestDue: Timestamp? = nil) {
        self.open = open
        self.needsHuman = needsHuman
        self.oldestDue = oldestDue
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case open
        case needsHuman = "needs_human"
        case oldestDue = "oldest_due"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(open, forKey: .open)
        try container.encode(needsHuman, forKey: .needsHuman)
        try container.encode(oldestDue, forKey: .oldestDue)
    }
}

/// How many changes stand somewhere.
public struct BacklogCount: Codable, Hashable, Sendable {
    /// Their status.
    public var status: ChangeStatus
    /// Their reason.
    public var reason: Reason?
    /// How many.
    public var count: UInt64

    public init(status: ChangeStatus, reason: Reason? = nil, count: UInt64) {
        self.status = status
        self.reason = reason
        self.count = count
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case status
        case reason
        case count
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(count, forKey: .count)
    }
}

/// How probable it is that an ad is the best.
public struct BestProbability: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// The probability. Those of all ads sum to one.
    public var probability: Millionths
    /// The mean of its part in the sum of all.
    public var meanShare: Millionths

    public init(adId: String, probability: Millionths, meanShare: Millionths) {
        self.adId = adId
        self.probability = probability
        self.meanShare = meanShare
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case probability
        case meanShare = "mean_share"
    }
}

/// An ad by its click-through alone.
public struct BetaAd: Codable, Hashable, Sendable {
    /// The ad's id.
    public var adId: String
    /// What is believed of its click-through.
    public var clickThrough: BetaPrior

    public init(adId: String, clickThrough: BetaPrior) {
        self.adId = adId
        self.clickThrough = clickThrough
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case clickThrough = "click_through"
    }
}

/// A Beta distribution: as of `alpha` clicks and `beta` impressions without one.
public struct BetaPrior: Codable, Hashable, Sendable {
    /// Above 0, at most 10^12.
    public var alpha: Double
    /// At least 1, at most 10^12.
    public var beta: Double

    public init(alpha: Double, beta: Double) {
        self.alpha = alpha
        self.beta = beta
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case alpha
        case beta
    }
}
