// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

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

/// What was written.
public struct Persisted: Codable, Hashable, Sendable {
    /// The number of this state: one more at each write.
    public var generationSeq: UInt64
    /// How many vectors are in it.
    public var vectorCount: UInt64
    /// The file of the vectors, which FAISS reads as well.
    public var vectorsFile: String

    public init(generationSeq: UInt64, vectorCount: UInt64, vectorsFile: String) {
        self.generationSeq = generationSeq
        self.vectorCount = vectorCount
        self.vectorsFile = vectorsFile
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case generationSeq = "generation_seq"
        case vectorCount = "vector_count"
        case vectorsFile = "vectors_file"
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
    /// What is compared of the device, where that is kept.
    public var device: Device?
    /// Address, user agent, language, URL and every unknown field, as a JSON object.
    public var raw: String

    public init(
        clickId: String,
        fingerprint: KeyedHash? = nil,
        address: KeyedHash? = nil,
        device: Device? = nil,
        raw: String
    ) {
        self.clickId = clickId
        self.fingerprint = fingerprint
        self.address = address
        self.device = device
        self.raw = raw
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clickId = "click_id"
        case fingerprint
        case address
        case device
        case raw
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(clickId, forKey: .clickId)
        try container.encode(fingerprint, forKey: .fingerprint)
        try container.encode(address, forKey: .address)
        try container.encode(device, forKey: .device)
        try container.encode(raw, forKey: .raw)
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

/// What one estimator makes of the log, in the unit of the rewards a decision.
public struct PolicyEstimate: Codable, Hashable, Sendable {
    /// The estimator.
    public var estimator: Estimator
    /// The estimated mean reward under the policy.
    public var value: Double
    /// The lower end of its interval.
    public var lower: Double
    /// The upper end of its interval.
    public var upper: Double

    public init(estimator: Estimator, value: Double, lower: Double, upper: Double) {
        self.estimator = estimator
        self.value = value
        self.lower = lower
        self.upper = upper
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case estimator
        case value
        case lower
        case upper
    }
}

/// The weights of `CreditModel::Position`]: whole numbers, of which only the proportions matter.
public struct PositionWeights: Codable, Hashable, Sendable {
    /// Of the first touch.
    public var first: UInt32
    /// Of all touches between, together.
    public var between: UInt32
    /// Of the last touch.
    public var last: UInt32

    public init(first: UInt32, between: UInt32, last: UInt32) {
        self.first = first
        self.between = between
        self.last = last
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case first
        case between
        case last
    }
}

/// What is believed of an ad.
public struct PosteriorSummary: Codable, Hashable, Sendable {
    /// Clicks an impression.
    public var clickThrough: ClickThrough
    /// What a unit of spend brings back; nothing while no ad has brought anything.
    public var returned: ReturnOnSpend?

    public init(clickThrough: ClickThrough, returned: ReturnOnSpend? = nil) {
        self.clickThrough = clickThrough
        self.returned = returned
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clickThrough = "click_through"
        case returned
    }
}

/// What is believed of every ad of a state.
public struct Posteriors: Codable, Hashable, Sendable {
    /// The day as of which it is believed.
    public var day: Day
    /// How long half of the deals take from click to close, in days.
    public var medianDelayDays: Ratio
    /// By ad.
    public var ads: [String: PosteriorSummary]

    public init(day: Day, medianDelayDays: Ratio, ads: [String: PosteriorSummary]) {
        self.day = day
        self.medianDelayDays = medianDelayDays
        self.ads = ads
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case day
        case medianDelayDays = "median_delay_days"
        case ads
    }
}

/// How good predictions were.
public struct PredictionScores: Codable, Hashable, Sendable {
    /// Predictions whose truth is not known yet.
    public var openCount: UInt64
    /// Probabilities whose truth is known.
    public var probabilityCount: UInt64
    /// The mean logarithmic loss of the probabilities, in nats; null without any.
    public var logLoss: Double?
    /// The logarithmic loss of always saying the share that came true: a model without skill has this one or more.
    public var baseLogLoss: Double?
    /// The mean squared error of the probabilities.
    public var brier: Double?
    /// The mean distance of predicted from observed, over tenths of the predictions in their order.
    public var calibrationError: Double?
    /// Tenths of the predictions from the lowest to the highest probability.
    public var calibration: [CalibrationBin]
    /// Values whose truth is known.
    public var valueCount: UInt64
    /// The mean distance of value and truth.
    public var meanAbsoluteError: Double?
    /// The mean of value less truth.
    public var bias: Double?
    /// Values with an interval whose truth is known.
    public var intervalCount: UInt64
    /// The share of these truths that lay within.
    public var coverage: Double?
    /// The share that was meant to.
    public var intendedCoverage: Double?

    public init(
        openCount: UInt64,
        probabilityCount: UInt64,
        logLoss: Double? = nil,
        baseLogLoss: Double? = nil,
        brier: Double? = nil,
        calibrationError: Double? = nil,
        calibration: [CalibrationBin],
        valueCount: UInt64,
        meanAbsoluteError: Double? = nil,
        bias: Double? = nil,
        intervalCount: UInt64,
        coverage: Double? = nil,
        intendedCoverage: Double? = nil
    ) {
        self.openCount = openCount
        self.probabilityCount = probabilityCount
        self.logLoss = logLoss
        self.baseLogLoss = baseLogLoss
        self.brier = brier
        self.calibrationError = calibrationError
        self.calibration = calibration
        self.valueCount = valueCount
        self.meanAbsoluteError = meanAbsoluteError
        self.bias = bias
        self.intervalCount = intervalCount
        self.coverage = coverage
        self.intendedCoverage = intendedCoverage
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case openCount = "open_count"
        case probabilityCount = "probability_count"
        case logLoss = "log_loss"
        case baseLogLoss = "base_log_loss"
        case brier
        case calibrationError = "calibration_error"
        case calibration
        case valueCount = "value_count"
        case meanAbsoluteError = "mean_absolute_error"
        case bias
        case intervalCount = "interval_count"
        case coverage
        case intendedCoverage = "intended_coverage"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(openCount, forKey: .openCount)
        try container.encode(probabilityCount, forKey: .probabilityCount)
        try container.encode(logLoss, forKey: .logLoss)
        try container.encode(baseLogLoss, forKey: .baseLogLoss)
        try container.encode(brier, forKey: .brier)
        try container.encode(calibrationError, forKey: .calibrationError)
        try container.encode(calibration, forKey: .calibration)
        try container.encode(valueCount, forKey: .valueCount)
        try container.encode(meanAbsoluteError, forKey: .meanAbsoluteError)
        try container.encode(bias, forKey: .bias)
        try container.encode(intervalCount, forKey: .intervalCount)
        try container.encode(coverage, forKey: .coverage)
        try container.encode(intendedCoverage, forKey: .intendedCoverage)
    }
}

/// What came true of a prediction.
public struct PredictionTruth: Codable, Hashable, Sendable {
    /// The prediction's id.
    public var predictionId: String
    /// 1 or 0 for whether it happened, else the true value.
    public var truth: Double

    public init(predictionId: String, truth: Double) {
        self.predictionId = predictionId
        self.truth = truth
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case predictionId = "prediction_id"
        case truth
    }
}

/// What became of predictions, or of their truths.
public struct PredictionsLogged: Codable, Hashable, Sendable {
    /// Those that are new.
    public var recordedCount: UInt64
    /// Those that were there.
    public var duplicateCount: UInt64
    /// Ids of truths without a prediction.
    public var unknown: [String]

    public init(recordedCount: UInt64, duplicateCount: UInt64, unknown: [String]) {
        self.recordedCount = recordedCount
        self.duplicateCount = duplicateCount
        self.unknown = unknown
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case recordedCount = "recorded_count"
        case duplicateCount = "duplicate_count"
        case unknown
    }
}

/// What a price list held.
public struct PriceReport: Codable, Hashable, Sendable {
    /// The models whose prices are known by it.
    public var models: UInt64
    /// The entries that were passed over.
    public var skipped: [SkippedPrice]

    public init(models: UInt64, skipped: [SkippedPrice]) {
        self.models = models
        self.skipped = skipped
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case models
        case skipped
    }
}

/// What came of the work on stored events.
public struct Processed: Codable, Hashable, Sendable {
    /// Deals that were booked.
    public var deals: UInt64
    /// Deals that could not be, and wait for their next attempt. They are kept, and stop no other.
    public var failed: [FailedDeal]
    /// Contacts that were forgotten.
    public var forgotten: UInt64
    /// When a deal that failed is due again; nothing waits when `None`.
    public var nextDue: Timestamp?

    public init(deals: UInt64, failed: [FailedDeal], forgotten: UInt64, nextDue: Timestamp? = nil) {
        self.deals = deals
        self.failed = failed
        self.forgotten = forgotten
        self.nextDue = nextDue
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case deals
        case failed
        case forgotten
        case nextDue = "next_due"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(deals, forKey: .deals)
        try container.encode(failed, forKey: .failed)
        try container.encode(forgotten, forKey: .forgotten)
        try container.encode(nextDue, forKey: .nextDue)
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

/// What `ClickStore::prune`] removed.
public struct Pruned: Codable, Hashable, Sendable {
    /// Clicks that are only counted now.
    public var clicks: UInt64

    public init(clicks: UInt64) {
        self.clicks = clicks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clicks
    }
}

/// What `Attribution::prune`] did.
public struct Pruning: Codable, Hashable, Sendable {
    /// Clicks before this moment are forgotten: the start of a day (UTC).
    public var before: Timestamp
    /// How many clicks were forgotten by this call; they are only counted now.
    public var clicks: UInt64
    /// How many keys were thrown away by this call: what was hashed under them can be computed by nobody any more.
    public var destroyedKeys: UInt64

    public init(before: Timestamp, clicks: UInt64, destroyedKeys: UInt64) {
        self.before = before
        self.clicks = clicks
        self.destroyedKeys = destroyedKeys
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case before
        case clicks
        case destroyedKeys = "destroyed_keys"
    }
}

/// One step on the way to a target that is further away than one window allows.
public struct RampStep: Codable, Hashable, Sendable {
    /// The ramp: the id of its first step.
    public var id: ChangeId
    /// Which step, from 1.
    public var step: UInt32
    /// How many there are.
    public var steps: UInt32
    /// Where the last one arrives.
    public var target: Int64

    public init(id: ChangeId, step: UInt32, steps: UInt32, target: Int64) {
        self.id = id
        self.step = step
        self.steps = steps
        self.target = target
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case step
        case steps
        case target
    }
}

/// Whether a receipt is as it was sealed.
public struct ReceiptCheck: Codable, Hashable, Sendable {
    /// Whether its bytes are those that were sealed, and what it lists leads to what it says was chosen.
    public var verified: Bool
    /// What is wrong with it.
    public var problem: String?

    public init(verified: Bool, problem: String? = nil) {
        self.verified = verified
        self.problem = problem
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case verified
        case problem
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(verified, forKey: .verified)
        try container.encode(problem, forKey: .problem)
    }
}

/// What an on-demand reconciliation found.
public struct Reconciled: Codable, Hashable, Sendable {
    /// Unknown requests that got their verdict.
    public var settled: UInt64
    /// Those that are still unknown: they may still land, or the platform could not be read.
    public var unknown: UInt64
    /// Requests that had been judged not applied and were found to have landed late.
    public var late: UInt64

    public init(settled: UInt64, unknown: UInt64, late: UInt64) {
        self.settled = settled
        self.unknown = unknown
        self.late = late
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case settled
        case unknown
        case late
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(memoryMb, forKey: .memoryMb)
        try container.encode(cpuPercent, forKey: .cpuPercent)
        try container.encode(threads, forKey: .threads)
    }
}

/// A return on spend: minor units a minor unit, what is still to come of it included. The interval is that of the ad beside the
/// pool, whose own rate is taken as known.
public struct ReturnOnSpend: Codable, Hashable, Sendable {
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

/// What a unit of spend is expected to bring, beside the pool's.
public struct ReturnPrior: Codable, Hashable, Sendable {
    /// How many times as many deals as the pool's, for its click-through: 0.001 to 1,000.
    public var factor: Double
    /// How many deals this counts for: above 0, at most 10,000.
    public var deals: Double

    public init(factor: Double, deals: Double) {
        self.factor = factor
        self.deals = deals
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case factor
        case deals
    }
}

/// Other values of the stages from a time on: learned from the events up to then, applied to every deal by an entry of its own.
public struct Revaluation: Codable, Hashable, Sendable {
    /// Events up to this time count, and the values hold after it.
    public var cut: Timestamp
    /// When it was asked for.
    public var recordedAt: Timestamp
    /// How many events that concern deals had happened up to the cut when the values were learned. A late event makes it more: the
    /// values are learned anew.
    public var eventsSeen: UInt64
    /// The values, as JSON.
    public var stageTable: String

    public init(cut: Timestamp, recordedAt: Timestamp, eventsSeen: UInt64, stageTable: String) {
        self.cut = cut
        self.recordedAt = recordedAt
        self.eventsSeen = eventsSeen
        self.stageTable = stageTable
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cut
        case recordedAt = "recorded_at"
        case eventsSeen = "events_seen"
        case stageTable = "stage_table"
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

/// What the ads brought beside what they cost.
public struct Roas: Codable, Hashable, Sendable {
    /// By what.
    public var by: RoasDimension
    /// One row for each value of it, in byte order.
    public var rows: [RoasRow]
    /// What deals are worth whose click is not known, or does not tell this dimension; in minor units.
    public var unassignedValueMinor: Int64
    /// What was spent on ads that do not tell it.
    public var unassignedSpendMinor: Int64
    /// Deals whose amount or stage could not be counted as it stands; see their `problem`.
    public var problemDeals: UInt64

    public init(
        by: RoasDimension,
        rows: [RoasRow],
        unassignedValueMinor: Int64,
        unassignedSpendMinor: Int64,
        problemDeals: UInt64
    ) {
        self.by = by
        self.rows = rows
        self.unassignedValueMinor = unassignedValueMinor
        self.unassignedSpendMinor = unassignedSpendMinor
        self.problemDeals = problemDeals
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case by
        case rows
        case unassignedValueMinor = "unassigned_value_minor"
        case unassignedSpendMinor = "unassigned_spend_minor"
        case problemDeals = "problem_deals"
    }
}

/// One ad, ad set, campaign, keyword or content.
public struct RoasRow: Codable, Hashable, Sendable {
    /// Which.
    public var id: String
    /// Its deals, those that are worth nothing included.
    public var deals: UInt64
    /// Those that are worth something.
    public var valuedDeals: UInt64
    /// What they are worth, in minor units.
    public var valueMinor: Int64
    /// What it cost, in minor units.
    public var spendMinor: Int64
    /// `value_minor` of `spend_minor`, in millionths; `None` where nothing was spent.
    public var roasMillionths: Int64?
    /// The lower end of its interval: the return that a run of the same ads would have in the mean is inside in at least 95 of 100
    /// cases. `None` where nothing was spent or no deal at all is worth anything yet.
    public var lowMillionths: Int64?
    /// The upper end.
    public var highMillionths: Int64?

    public init(
        id: String,
        deals: UInt64,
        valuedDeals: UInt64,
        valueMinor: Int64,
        spendMinor: Int64,
        roasMillionths: Int64? = nil,
        lowMillionths: Int64? = nil,
        highMillionths: Int64? = nil
    ) {
        self.id = id
        self.deals = deals
        self.valuedDeals = valuedDeals
        self.valueMinor = valueMinor
        self.spendMinor = spendMinor
        self.roasMillionths = roasMillionths
        self.lowMillionths = lowMillionths
        self.highMillionths = highMillionths
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case deals
        case valuedDeals = "valued_deals"
        case valueMinor = "value_minor"
        case spendMinor = "spend_minor"
        case roasMillionths = "roas_millionths"
        case lowMillionths = "low_millionths"
        case highMillionths = "high_millionths"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(deals, forKey: .deals)
        try container.encode(valuedDeals, forKey: .valuedDeals)
        try container.encode(valueMinor, forKey: .valueMinor)
        try container.encode(spendMinor, forKey: .spendMinor)
        try container.encode(roasMillionths, forKey: .roasMillionths)
        try container.encode(lowMillionths, forKey: .lowMillionths)
        try container.encode(highMillionths, forKey: .highMillionths)
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
    /// What chose them: `complexity` for `ai.order`, `model` for one that the request or a policy names, `route` for a list, or the
    /// strategy of the route, as `weighted`.
    public var policy: String
    /// Why, for a person.
    public var reason: String
    /// The probability with which the first of the models was chosen to be the first, so that other policies can be evaluated on the
    /// log. Below 1 where it was drawn.
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

/// What a run did.
public struct RunReport: Codable, Hashable, Sendable {
    /// Steps that were taken.
    public var steps: UInt64
    /// Changes that were completed.
    public var completed: UInt64
    /// Steps after which a change was blocked.
    public var blocked: UInt64
    /// Changes that failed.
    public var failed: UInt64
    /// Steps that left a request unknown.
    public var unknown: UInt64
    /// Steps that another worker was ahead of.
    public var passedBy: UInt64
    /// Requests that were found to have landed late.
    public var late: UInt64
    /// Errors of the store, after each of which the run went on.
    public var errors: UInt64

    public init(
        steps: UInt64,
        completed: UInt64,
        blocked: UInt64,
        failed: UInt64,
        unknown: UInt64,
        passedBy: UInt64,
        late: UInt64,
        errors: UInt64
    ) {
        self.steps = steps
        self.completed = completed
        self.blocked = blocked
        self.failed = failed
        self.unknown = unknown
        self.passedBy = passedBy
        self.late = late
        self.errors = errors
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case steps
        case completed
        case blocked
        case failed
        case unknown
        case passedBy = "passed_by"
        case late
        case errors
    }
}

/// How the sampler learns from its state. Everything has a default.
public struct SamplerOptions: Codable, Hashable, Sendable {
    /// The day that it is: evidence of later days is not known yet. Today in UTC when it is not given.
    public var day: Day?
    /// What evidence is worth a day later, for drift: 0.97 unless given. 1 forgets nothing.
    public var discount: Millionths
    /// How long half of the deals are expected to take from click to close, in days, before deals are known: 21 unless given. What is
    /// learned from the closed deals takes over.
    public var expectedDelayDays: UInt32
    /// How long half of the deals take, in days, where it is known and shall not be learned.
    public var medianDelayDays: UInt32?
    /// How P(best) and mean shares are computed.
    public var method: ScoringMethod
    /// What an ad's share of the total is.
    public var shareBy: ShareBy

    public init(
        day: Day? = nil,
        discount: Millionths = "0.970000",
        expectedDelayDays: UInt32 = 21,
        medianDelayDays: UInt32? = nil,
        method: ScoringMethod = .quadrature,
        shareBy: ShareBy = .best
    ) {
        self.day = day
        self.discount = discount
        self.expectedDelayDays = expectedDelayDays
        self.medianDelayDays = medianDelayDays
        self.method = method
        self.shareBy = shareBy
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case day
        case discount
        case expectedDelayDays = "expected_delay_days"
        case medianDelayDays = "median_delay_days"
        case method
        case shareBy = "share_by"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        day = try container.decodeIfPresent(Day.self, forKey: .day)
        discount = try container.decodeIfPresent(Millionths.self, forKey: .discount) ?? "0.970000"
        expectedDelayDays = try container.decodeIfPresent(UInt32.self, forKey: .expectedDelayDays) ?? 21
        medianDelayDays = try container.decodeIfPresent(UInt32.self, forKey: .medianDelayDays)
        method = try container.decodeIfPresent(ScoringMethod.self, forKey: .method) ?? ScoringMethod.quadrature
        shareBy = try container.decodeIfPresent(ShareBy.self, forKey: .shareBy) ?? ShareBy.best
    }
}

/// Everything that the sampler learned of one tenant's ads. A join-semilattice: every event is folded in by a maximum, so that
/// events and replicas may come in any order, twice, and by any way, and end in the same bytes of JSON. All numbers are integers;
/// what is concluded from them is `learn` (super::learn)'s.
public struct SamplerState: Codable, Hashable, Sendable {
    /// What is known of each ad, by its id.
    public var ads: [String: AdState]

    public init(ads: [String: AdState]) {
        self.ads = ads
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ads
    }
}

/// The values of the stages for people.
public struct ShownValues: Codable, Hashable, Sendable {
    /// A table as text, its columns aligned.
    public var table: String
    /// A picture: the configured and the learned value of each stage, and below it the values by age where there are any.
    public var svg: String

    public init(table: String, svg: String) {
        self.table = table
        self.svg = svg
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case table
        case svg
    }
}

/// A winner that is near what was asked for.
public struct SimilarWinner: Codable, Hashable, Sendable {
    /// The ad.
    public var adId: String
    /// The cosine of the angle between the two embeddings: 1 is the same direction, 0 has nothing in common, -1 is the opposite.
    public var similarity: Float
    /// What is known of it.
    public var metadata: [String: JSONValue]

    public init(adId: String, similarity: Float, metadata: [String: JSONValue]) {
        self.adId = adId
        self.similarity = similarity
        self.metadata = metadata
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case similarity
        case metadata
    }
}

/// An entry of a price list that has no price which chat can be counted by.
public struct SkippedPrice: Codable, Hashable, Sendable {
    /// Its name.
    public var model: String
    /// Why it is passed over.
    public var reason: String

    public init(model: String, reason: String) {
        self.model = model
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model
        case reason
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
    public var byProvider: [String: SpendTotal]
    /// By `PROVIDER/MODEL`.
    public var byModel: [String: SpendTotal]
    /// By tag. A call with several counts under each; one without counts under none.
    public var byTag: [String: SpendTotal]
    /// By the caller's key. A call without one counts under none.
    public var byKey: [String: SpendTotal]
    /// By day in UTC, as `2026-03-01`.
    public var byDay: [String: SpendTotal]
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
        byProvider: [String: SpendTotal],
        byModel: [String: SpendTotal],
        byTag: [String: SpendTotal],
        byKey: [String: SpendTotal],
        byDay: [String: SpendTotal],
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
        self.byModel = byModel
        self.byTag = byTag
        self.byKey = byKey
        self.byDay = byDay
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
        case byModel = "by_model"
        case byTag = "by_tag"
        case byKey = "by_key"
        case byDay = "by_day"
        case limits
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(since, forKey: .since)
        try container.encode(requests, forKey: .requests)
        try container.encode(unpricedRequests, forKey: .unpricedRequests)
        try container.encode(tokens, forKey: .tokens)
        try container.encode(cost, forKey: .cost)
        try container.encode(costNanoUsd, forKey: .costNanoUsd)
        try container.encode(reservedNanoUsd, forKey: .reservedNanoUsd)
        try container.encode(byProvider, forKey: .byProvider)
        try container.encode(byModel, forKey: .byModel)
        try container.encode(byTag, forKey: .byTag)
        try container.encode(byKey, forKey: .byKey)
        try container.encode(byDay, forKey: .byDay)
        try container.encode(limits, forKey: .limits)
    }
}

/// Calls, and what they came to.
public struct SpendTotal: Codable, Hashable, Sendable {
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

/// What a stage is worth.
public struct StageRow: Codable, Hashable, Sendable {
    /// The pipeline, when it is a configured one.
    public var pipeline: String?
    /// The CRM's id of the stage.
    public var stage: String
    /// The configured value, in minor units.
    public var defaultMinor: Int64
    /// The value: that of `prior_deals` at the configured one and of the closed deals at what they brought, in the mean; to the
    /// nearest minor unit, halves up.
    public var valueMinor: Int64
    /// How probably a deal in it is won, in millionths, shrunk in the same way.
    public var probabilityMillionths: Int64
    /// Closed deals that were in it.
    public var closedDeals: UInt64
    /// Those of them that were won.
    public var wonDeals: UInt64
    /// What they brought together, in minor units.
    public var realisedMinor: Int64
    /// What became of the deals by their age in it; empty until there are enough closed deals, and for stages that end a deal.
    public var ages: [AgeRow]

    public init(
        pipeline: String? = nil,
        stage: String,
        defaultMinor: Int64,
        valueMinor: Int64,
        probabilityMillionths: Int64,
        closedDeals: UInt64,
        wonDeals: UInt64,
        realisedMinor: Int64,
        ages: [AgeRow]
    ) {
        self.pipeline = pipeline
        self.stage = stage
        self.defaultMinor = defaultMinor
        self.valueMinor = valueMinor
        self.probabilityMillionths = probabilityMillionths
        self.closedDeals = closedDeals
        self.wonDeals = wonDeals
        self.realisedMinor = realisedMinor
        self.ages = ages
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case pipeline
        case stage
        case defaultMinor = "default_minor"
        case valueMinor = "value_minor"
        case probabilityMillionths = "probability_millionths"
        case closedDeals = "closed_deals"
        case wonDeals = "won_deals"
        case realisedMinor = "realised_minor"
        case ages
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(stage, forKey: .stage)
        try container.encode(defaultMinor, forKey: .defaultMinor)
        try container.encode(valueMinor, forKey: .valueMinor)
        try container.encode(probabilityMillionths, forKey: .probabilityMillionths)
        try container.encode(closedDeals, forKey: .closedDeals)
        try container.encode(wonDeals, forKey: .wonDeals)
        try container.encode(realisedMinor, forKey: .realisedMinor)
        try container.encode(ages, forKey: .ages)
    }
}

/// What the stages are worth, as learned from the events up to a time.
public struct StageTable: Codable, Hashable, Sendable {
    /// Events up to this time were counted.
    public var cut: Timestamp
    /// Deals that were won or lost by then.
    public var closedDeals: UInt64
    /// So many deals at its configured value does each stage begin with.
    public var priorDeals: UInt64
    /// The stages, by pipeline and id.
    public var rows: [StageRow]

    public init(cut: Timestamp, closedDeals: UInt64, priorDeals: UInt64, rows: [StageRow]) {
        self.cut = cut
        self.closedDeals = closedDeals
        self.priorDeals = priorDeals
        self.rows = rows
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cut
        case closedDeals = "closed_deals"
        case priorDeals = "prior_deals"
        case rows
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

/// What a deal in a stage is worth.
public struct StageWorth: Codable, Hashable, Sendable {
    /// The stage before.
    public var stageFrom: String?
    /// The stage after.
    public var stageTo: String
    /// What the deal is worth in `stage_to`, in minor units.
    public var syntheticValueMinor: Int64
    /// What the move changes: that less what it was worth in `stage_from`, in minor units.
    public var deltaMinor: Int64
    /// How much of the value rests on closed deals instead of the configuration, in thousandths: `n / (n0 + n)`.
    public var confidencePermille: UInt16
    /// How probably a deal that has just come into `stage_to` is won, in millionths.
    public var probabilityMillionths: Int64
    /// What the configuration lacks: a pipeline or a stage.
    public var problem: String?

    public init(
        stageFrom: String? = nil,
        stageTo: String,
        syntheticValueMinor: Int64,
        deltaMinor: Int64,
        confidencePermille: UInt16,
        probabilityMillionths: Int64,
        problem: String? = nil
    ) {
        self.stageFrom = stageFrom
        self.stageTo = stageTo
        self.syntheticValueMinor = syntheticValueMinor
        self.deltaMinor = deltaMinor
        self.confidencePermille = confidencePermille
        self.probabilityMillionths = probabilityMillionths
        self.problem = problem
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case stageFrom = "stage_from"
        case stageTo = "stage_to"
        case syntheticValueMinor = "synthetic_value_minor"
        case deltaMinor = "delta_minor"
        case confidencePermille = "confidence_permille"
        case probabilityMillionths = "probability_millionths"
        case problem
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(stageFrom, forKey: .stageFrom)
        try container.encode(stageTo, forKey: .stageTo)
        try container.encode(syntheticValueMinor, forKey: .syntheticValueMinor)
        try container.encode(deltaMinor, forKey: .deltaMinor)
        try container.encode(confidencePermille, forKey: .confidencePermille)
        try container.encode(probabilityMillionths, forKey: .probabilityMillionths)
        try container.encode(problem, forKey: .problem)
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

/// With which probability a policy chooses which action.
public struct TargetPolicy: Codable, Hashable, Sendable {
    /// The probability of each action where `contexts` says nothing else; they sum to one.
    public var actions: [String: Double]
    /// The probability of each action in a context, by context; they sum to one in each.
    public var contexts: [String: [String: Double]]

    public init(actions: [String: Double] = [:], contexts: [String: [String: Double]] = [:]) {
        self.actions = actions
        self.contexts = contexts
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case actions
        case contexts
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        actions = try container.decodeIfPresent([String: Double].self, forKey: .actions) ?? [:]
        contexts = try container.decodeIfPresent([String: [String: Double]].self, forKey: .contexts) ?? [:]
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if !actions.isEmpty { try container.encode(actions, forKey: .actions) }
        if !contexts.isEmpty { try container.encode(contexts, forKey: .contexts) }
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(deals, forKey: .deals)
        try container.encode(allocation, forKey: .allocation)
        try container.encode(steps, forKey: .steps)
        try container.encode(nextDue, forKey: .nextDue)
    }
}

/// A number of tokens.
public struct TokenCount: Codable, Hashable, Sendable {
    /// How many.
    public var tokens: UInt64
    /// Whether the provider counts the same. False for models whose encoding is not public, and for tools, formats, unknown images
    /// and other things whose price is not published.
    public var exact: Bool
    /// By how much, in percent, it may be off; 0 when exact. Most counts are within it.
    public var errorPercent: UInt32
    /// How the texts were counted: `cl100k_base`, `o200k_base`, or the name of a tokenizer that the host gave. None for an estimate.
    public var encoding: String?

    public init(tokens: UInt64, exact: Bool, errorPercent: UInt32, encoding: String? = nil) {
        self.tokens = tokens
        self.exact = exact
        self.errorPercent = errorPercent
        self.encoding = encoding
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tokens
        case exact
        case errorPercent = "error_percent"
        case encoding
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

/// The touches before conversions, or before none. Equal paths may be given once with their counts added up, or one by one.
public struct TouchPath: Codable, Hashable, Sendable {
    /// The channel of each touch, in their order.
    public var channels: [String]
    /// The time of each touch, or nothing. They may be out of order: touches are put in the order of their times.
    public var times: [Timestamp]?
    /// When the conversions happened: touches after it do not count, and the lookback goes back from it. Without it both is the time
    /// of the last touch.
    public var at: Timestamp?
    /// How many conversions came of it.
    public var conversions: UInt64
    /// What these conversions are worth together, in minor units; negative for refunds.
    public var valueMinor: Int64
    /// How many times the path was gone without a conversion.
    public var nulls: UInt64

    public init(
        channels: [String],
        times: [Timestamp]? = nil,
        at: Timestamp? = nil,
        conversions: UInt64 = 0,
        valueMinor: Int64 = 0,
        nulls: UInt64 = 0
    ) {
        self.channels = channels
        self.times = times
        self.at = at
        self.conversions = conversions
        self.valueMinor = valueMinor
        self.nulls = nulls
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case channels
        case times
        case at
        case conversions
        case valueMinor = "value_minor"
        case nulls
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        channels = try container.decode([String].self, forKey: .channels)
        times = try container.decodeIfPresent([Timestamp].self, forKey: .times)
        at = try container.decodeIfPresent(Timestamp.self, forKey: .at)
        conversions = try container.decodeIfPresent(UInt64.self, forKey: .conversions) ?? 0
        valueMinor = try container.decodeIfPresent(Int64.self, forKey: .valueMinor) ?? 0
        nulls = try container.decodeIfPresent(UInt64.self, forKey: .nulls) ?? 0
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(channels, forKey: .channels)
        try container.encode(times, forKey: .times)
        try container.encode(at, forKey: .at)
        try container.encode(conversions, forKey: .conversions)
        try container.encode(valueMinor, forKey: .valueMinor)
        try container.encode(nulls, forKey: .nulls)
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
    /// Clicks of known bots, which are not stored.
    public var bots: UInt64
    /// Those that are no click.
    public var rejected: [RejectedClick]

    public init(inserted: UInt64, duplicates: UInt64, bots: UInt64, rejected: [RejectedClick]) {
        self.inserted = inserted
        self.duplicates = duplicates
        self.bots = bots
        self.rejected = rejected
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case inserted
        case duplicates
        case bots
        case rejected
    }
}

/// What a training found.
public struct Trained: Codable, Hashable, Sendable {
    /// The model's name: matches that it judged tell it.
    public var modelVersion: String
    /// The conversions with a consented device that it learnt from.
    public var conversions: UInt64
    /// Those of them whose click is known by its id; it was hidden to judge what is found without it.
    public var masked: UInt64
    /// How the two ways to choose do on masked conversions that the judging model had not seen.
    public var judged: Gain

    public init(modelVersion: String, conversions: UInt64, masked: UInt64, judged: Gain) {
        self.modelVersion = modelVersion
        self.conversions = conversions
        self.masked = masked
        self.judged = judged
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case modelVersion = "model_version"
        case conversions
        case masked
        case judged
    }
}

/// What a unit gets.
public struct UnitAssignment: Codable, Hashable, Sendable {
    /// The arm.
    public var armId: String
    /// Whether the unit is part of a comparison.
    public var counted: Bool

    public init(armId: String, counted: Bool) {
        self.armId = armId
        self.counted = counted
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case armId = "arm_id"
        case counted
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

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(source, forKey: .source)
        try container.encode(medium, forKey: .medium)
        try container.encode(campaign, forKey: .campaign)
        try container.encode(content, forKey: .content)
        try container.encode(term, forKey: .term)
    }
}

/// An ad that won, with the embedding of its creative.
public struct Winner: Codable, Hashable, Sendable {
    /// The ad: 1 to 256 bytes.
    public var adId: String
    /// The embedding of its creative. Only its direction counts: it is kept, and given back, at length 1.
    public var embedding: [Float]
    /// What is known of it, at most 16 kB: filters ask for it.
    public var metadata: [String: JSONValue]

    public init(adId: String, embedding: [Float], metadata: [String: JSONValue] = [:]) {
        self.adId = adId
        self.embedding = embedding
        self.metadata = metadata
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case adId = "ad_id"
        case embedding
        case metadata
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        adId = try container.decode(String.self, forKey: .adId)
        embedding = try container.decode([Float].self, forKey: .embedding)
        metadata = try container.decodeIfPresent([String: JSONValue].self, forKey: .metadata) ?? [:]
    }
}
