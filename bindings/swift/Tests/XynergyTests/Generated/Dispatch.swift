// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

import Foundation
import Xynergy

protocol HasAreas {
    var ai: AIArea { get }
    var attribution: AttributionArea { get }
    var hubspot: HubSpotArea { get }
    var webhooks: WebhooksArea { get }
    var allocation: AllocationArea { get }
    var experiments: ExperimentsArea { get }
    var winners: WinnersArea { get }
    var closedLoop: ClosedLoopArea { get }
    var execution: ExecutionArea { get }
    var ads: AdsArea { get }
    var insights: InsightsArea { get }
    func health(timeoutMs: UInt64?, requestId: String?) async throws -> Health
    func migrate(printSql: Bool, timeoutMs: UInt64?, requestId: String?) async throws -> Migration
    func tick(timeoutMs: UInt64?, requestId: String?) async throws -> RunReport
    func metrics(timeoutMs: UInt64?, requestId: String?) async throws -> String
}

extension Client: HasAreas {}
extension Scope: HasAreas {}

func call(_ target: any HasAreas, _ method: String, _ args: JSONValue, timeoutMs: UInt64?) async throws -> JSONValue {
    switch method {
    case "health":
        return try JSONValue(encoding: try await target.health(timeoutMs: timeoutMs, requestId: nil))
    case "migrate":
        struct Given: Decodable {
            let printSql: Bool?

            enum CodingKeys: String, CodingKey {
                case printSql = "print_sql"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.migrate(printSql: given.printSql ?? false, timeoutMs: timeoutMs, requestId: nil))
    case "tick":
        return try JSONValue(encoding: try await target.tick(timeoutMs: timeoutMs, requestId: nil))
    case "metrics":
        return try JSONValue(encoding: try await target.metrics(timeoutMs: timeoutMs, requestId: nil))
    case "ai.generate":
        struct Given: Decodable {
            let prompt: String
            let maxTokens: UInt32?
            let temperature: Double?
            let tags: [String]?
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.generate(given.prompt, maxTokens: given.maxTokens, temperature: given.temperature, tags: given.tags ?? [], cache: given.cache, key: given.key, session: given.session, timeoutMs: timeoutMs, requestId: nil))
    case "ai.chat":
        struct Given: Decodable {
            let request: ChatRequest

            enum CodingKeys: String, CodingKey {
                case request
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.chat(given.request, timeoutMs: timeoutMs, requestId: nil))
    case "ai.embed":
        struct Given: Decodable {
            let input: [String]
            let model: String?
            let dimensions: UInt32?
            let tags: [String]?
            let key: String?

            enum CodingKeys: String, CodingKey {
                case input
                case model
                case dimensions
                case tags
                case key
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.embed(given.input, model: given.model, dimensions: given.dimensions, tags: given.tags ?? [], key: given.key, timeoutMs: timeoutMs, requestId: nil))
    case "ai.route":
        struct Given: Decodable {
            let request: PromptOrRequest

            enum CodingKeys: String, CodingKey {
                case request
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.route(given.request, timeoutMs: timeoutMs, requestId: nil))
    case "ai.count_tokens":
        struct Given: Decodable {
            let request: PromptOrRequest
            let model: String?

            enum CodingKeys: String, CodingKey {
                case request
                case model
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.countTokens(given.request, model: given.model, timeoutMs: timeoutMs, requestId: nil))
    case "ai.optimize_tokens":
        struct Given: Decodable {
            let prompt: String
            let defaultLimit: UInt32?
            let userLimit: UInt32?

            enum CodingKeys: String, CodingKey {
                case prompt
                case defaultLimit = "default_limit"
                case userLimit = "user_limit"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.optimizeTokens(given.prompt, defaultLimit: given.defaultLimit, userLimit: given.userLimit, timeoutMs: timeoutMs, requestId: nil))
    case "ai.spend":
        struct Given: Decodable {
            let since: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.spend(since: given.since, timeoutMs: timeoutMs, requestId: nil))
    case "ai.set_limit":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        try await target.ai.setLimit(scope: given.scope, window: given.window, amountNanoUsd: given.amountNanoUsd, hard: given.hard, zone: given.zone, timeoutMs: timeoutMs, requestId: nil)
        return .null
    case "ai.remove_limit":
        struct Given: Decodable {
            let scope: LimitScope
            let window: Window

            enum CodingKeys: String, CodingKey {
                case scope
                case window
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.removeLimit(scope: given.scope, window: given.window, timeoutMs: timeoutMs, requestId: nil))
    case "ai.reload_prices":
        return try JSONValue(encoding: try await target.ai.reloadPrices(timeoutMs: timeoutMs, requestId: nil))
    case "ai.cache_stats":
        return try JSONValue(encoding: try await target.ai.cacheStats(timeoutMs: timeoutMs, requestId: nil))
    case "ai.cache_invalidate":
        struct Given: Decodable {
            let pattern: String?

            enum CodingKeys: String, CodingKey {
                case pattern
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ai.cacheInvalidate(pattern: given.pattern, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.track_click":
        struct Given: Decodable {
            let click: [String: JSONValue]

            enum CodingKeys: String, CodingKey {
                case click
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.trackClick(given.click, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.track_clicks":
        struct Given: Decodable {
            let clicks: [JSONValue]
            let source: String?

            enum CodingKeys: String, CodingKey {
                case clicks
                case source
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.trackClicks(given.clicks, source: given.source, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.count_clicks":
        struct Given: Decodable {
            let source: String?

            enum CodingKeys: String, CodingKey {
                case source
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.countClicks(source: given.source, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.totals":
        return try JSONValue(encoding: try await target.attribution.totals(timeoutMs: timeoutMs, requestId: nil))
    case "attribution.deals":
        struct Given: Decodable {
            let asOf: Timestamp?

            enum CodingKeys: String, CodingKey {
                case asOf = "as_of"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.deals(asOf: given.asOf, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.stages":
        return try JSONValue(encoding: try await target.attribution.stages(timeoutMs: timeoutMs, requestId: nil))
    case "attribution.clicks_by_ad":
        struct Given: Decodable {
            let since: Timestamp?
            let until: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
                case until
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.clicksByAd(since: given.since, until: given.until, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.erase":
        struct Given: Decodable {
            let subject: ErasureSubject

            enum CodingKeys: String, CodingKey {
                case subject
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.erase(given.subject, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.prune":
        return try JSONValue(encoding: try await target.attribution.prune(timeoutMs: timeoutMs, requestId: nil))
    case "attribution.credit":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.credit(paths: given.paths, model: given.model, lookbackDays: given.lookbackDays, lookbackSteps: given.lookbackSteps, directChannels: given.directChannels, weights: given.weights, halfLifeSeconds: given.halfLifeSeconds, order: given.order, nulls: given.nulls, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.paths":
        struct Given: Decodable {
            let journeys: [Journey]
            let afterConversion: AfterConversion?

            enum CodingKeys: String, CodingKey {
                case journeys
                case afterConversion = "after_conversion"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.paths(given.journeys, afterConversion: given.afterConversion, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.train":
        struct Given: Decodable {
            let leastMasked: UInt32?

            enum CodingKeys: String, CodingKey {
                case leastMasked = "least_masked"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.train(leastMasked: given.leastMasked, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.explain":
        struct Given: Decodable {
            let dealId: String

            enum CodingKeys: String, CodingKey {
                case dealId = "deal_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.explain(given.dealId, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.verify_receipt":
        struct Given: Decodable {
            let receipt: String

            enum CodingKeys: String, CodingKey {
                case receipt
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.verifyReceipt(given.receipt, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.synthetic_revenue":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.syntheticRevenue(given.stageTo, stageFrom: given.stageFrom, pipeline: given.pipeline, amount: given.amount, currency: given.currency, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.revalue":
        struct Given: Decodable {
            let cut: Timestamp

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.revalue(given.cut, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.stage_values":
        struct Given: Decodable {
            let cut: Timestamp?

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.stageValues(cut: given.cut, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.show_values":
        struct Given: Decodable {
            let cut: Timestamp?

            enum CodingKeys: String, CodingKey {
                case cut
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.showValues(cut: given.cut, timeoutMs: timeoutMs, requestId: nil))
    case "attribution.roas":
        struct Given: Decodable {
            let by: RoasDimension
            let spend: [AdSpend]?
            let since: Timestamp?
            let until: Timestamp?

            enum CodingKeys: String, CodingKey {
                case by
                case spend
                case since
                case until
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.attribution.roas(given.by, spend: given.spend ?? [], since: given.since, until: given.until, timeoutMs: timeoutMs, requestId: nil))
    case "hubspot.accept":
        struct Given: Decodable {
            let method: String
            let url: String
            let headers: [String: String]
            let body: RawBytes
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.hubspot.accept(method: given.method, url: given.url, headers: given.headers, body: given.body.data, receivedAt: given.receivedAt, source: given.source, timeoutMs: timeoutMs, requestId: nil))
    case "hubspot.process":
        struct Given: Decodable {
            let ads: [String: AdParents]?
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case limit
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.hubspot.process(ads: given.ads ?? [:], limit: given.limit, timeoutMs: timeoutMs, requestId: nil))
    case "hubspot.count_events":
        struct Given: Decodable {
            let source: String?

            enum CodingKeys: String, CodingKey {
                case source
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.hubspot.countEvents(source: given.source, timeoutMs: timeoutMs, requestId: nil))
    case "webhooks.accept":
        struct Given: Decodable {
            let headers: [String: String]
            let body: RawBytes
            let receivedAt: Timestamp?
            let source: String?

            enum CodingKeys: String, CodingKey {
                case headers
                case body
                case receivedAt = "received_at"
                case source
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.webhooks.accept(headers: given.headers, body: given.body.data, receivedAt: given.receivedAt, source: given.source, timeoutMs: timeoutMs, requestId: nil))
    case "webhooks.process":
        struct Given: Decodable {
            let ads: [String: AdParents]?
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case limit
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.webhooks.process(ads: given.ads ?? [:], limit: given.limit, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.pipeline":
        return try JSONValue(encoding: try await target.allocation.pipeline(timeoutMs: timeoutMs, requestId: nil))
    case "allocation.select":
        struct Given: Decodable {
            let allocationId: String
            let request: AllocationRequest

            enum CodingKeys: String, CodingKey {
                case allocationId = "allocation_id"
                case request
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.select(allocationId: given.allocationId, request: given.request, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.get":
        struct Given: Decodable {
            let allocationId: String

            enum CodingKeys: String, CodingKey {
                case allocationId = "allocation_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.get(given.allocationId, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.propose":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.propose(allocationId: given.allocationId, accountId: given.accountId, currency: given.currency, allocation: given.allocation, campaigns: given.campaigns, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.observe":
        struct Given: Decodable {
            let observation: AdObservation

            enum CodingKeys: String, CodingKey {
                case observation
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.observe(given.observation, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.feedback":
        struct Given: Decodable {
            let feedback: DealFeedback

            enum CodingKeys: String, CodingKey {
                case feedback
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.feedback(given.feedback, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.learn":
        struct Given: Decodable {
            let observations: [AdObservation]?
            let feedback: [DealFeedback]?

            enum CodingKeys: String, CodingKey {
                case observations
                case feedback
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.learn(observations: given.observations ?? [], feedback: given.feedback ?? [], timeoutMs: timeoutMs, requestId: nil))
    case "allocation.state":
        return try JSONValue(encoding: try await target.allocation.state(timeoutMs: timeoutMs, requestId: nil))
    case "allocation.merge":
        struct Given: Decodable {
            let state: SamplerState

            enum CodingKeys: String, CodingKey {
                case state
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.merge(given.state, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.posteriors":
        struct Given: Decodable {
            let sampler: SamplerOptions?

            enum CodingKeys: String, CodingKey {
                case sampler
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.posteriors(sampler: given.sampler, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.probability_best":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.probabilityBest(given.ads, method: given.method, seed: given.seed, draws: given.draws, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.log":
        struct Given: Decodable {
            let since: Timestamp?

            enum CodingKeys: String, CodingKey {
                case since
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.log(since: given.since, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.evaluate":
        struct Given: Decodable {
            let log: [LoggedDecision]
            let policy: TargetPolicy
            let options: EvaluationOptions?

            enum CodingKeys: String, CodingKey {
                case log
                case policy
                case options
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.evaluate(log: given.log, policy: given.policy, options: given.options, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.gate":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.gate(log: given.log, proposed: given.proposed, current: given.current, options: given.options, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.holdout":
        struct Given: Decodable {
            let unitIds: [String]
            let key: String
            let holdoutPpm: UInt32

            enum CodingKeys: String, CodingKey {
                case unitIds = "unit_ids"
                case key
                case holdoutPpm = "holdout_ppm"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.holdout(unitIds: given.unitIds, key: given.key, holdoutPpm: given.holdoutPpm, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.incrementality":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.incrementality(treated: given.treated, holdout: given.holdout, attributed: given.attributed, confidence: given.confidence, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.log_predictions":
        struct Given: Decodable {
            let predictions: [LoggedPrediction]

            enum CodingKeys: String, CodingKey {
                case predictions
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.logPredictions(given.predictions, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.score_predictions":
        struct Given: Decodable {
            let truths: [PredictionTruth]

            enum CodingKeys: String, CodingKey {
                case truths
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.scorePredictions(given.truths, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.prediction_scores":
        struct Given: Decodable {
            let model: String?

            enum CodingKeys: String, CodingKey {
                case model
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.predictionScores(model: given.model, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.train_ctr":
        struct Given: Decodable {
            let rows: [CtrRow]
            let options: CtrOptions?
            let fromVersion: UInt64?

            enum CodingKeys: String, CodingKey {
                case rows
                case options
                case fromVersion = "from_version"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.trainCtr(given.rows, options: given.options, fromVersion: given.fromVersion, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.ctr_models":
        return try JSONValue(encoding: try await target.allocation.ctrModels(timeoutMs: timeoutMs, requestId: nil))
    case "allocation.activate_ctr":
        struct Given: Decodable {
            let version: UInt64?

            enum CodingKeys: String, CodingKey {
                case version
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.activateCtr(version: given.version, timeoutMs: timeoutMs, requestId: nil))
    case "allocation.predict_ctr":
        struct Given: Decodable {
            let ads: [CtrAd]
            let version: UInt64?

            enum CodingKeys: String, CodingKey {
                case ads
                case version
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.allocation.predictCtr(given.ads, version: given.version, timeoutMs: timeoutMs, requestId: nil))
    case "experiments.start":
        struct Given: Decodable {
            let spec: ExperimentSpec

            enum CodingKeys: String, CodingKey {
                case spec
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.experiments.start(given.spec, timeoutMs: timeoutMs, requestId: nil))
    case "experiments.assign":
        struct Given: Decodable {
            let experimentId: String
            let unitIds: [String]

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case unitIds = "unit_ids"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.experiments.assign(experimentId: given.experimentId, unitIds: given.unitIds, timeoutMs: timeoutMs, requestId: nil))
    case "experiments.record":
        struct Given: Decodable {
            let experimentId: String
            let events: [ExperimentEvent]

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case events
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.experiments.record(experimentId: given.experimentId, events: given.events, timeoutMs: timeoutMs, requestId: nil))
    case "experiments.status":
        struct Given: Decodable {
            let experimentId: String

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.experiments.status(given.experimentId, timeoutMs: timeoutMs, requestId: nil))
    case "experiments.stop":
        struct Given: Decodable {
            let experimentId: String
            let promote: String?

            enum CodingKeys: String, CodingKey {
                case experimentId = "experiment_id"
                case promote
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.experiments.stop(given.experimentId, promote: given.promote, timeoutMs: timeoutMs, requestId: nil))
    case "winners.add":
        struct Given: Decodable {
            let adId: String
            let embedding: [Float]
            let metadata: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
                case embedding
                case metadata
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.add(adId: given.adId, embedding: given.embedding, metadata: given.metadata, timeoutMs: timeoutMs, requestId: nil))
    case "winners.add_many":
        struct Given: Decodable {
            let winners: [Winner]

            enum CodingKeys: String, CodingKey {
                case winners
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.addMany(given.winners, timeoutMs: timeoutMs, requestId: nil))
    case "winners.find_similar":
        struct Given: Decodable {
            let embedding: [Float]
            let k: UInt32
            let filter: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case embedding
                case k
                case filter
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.findSimilar(embedding: given.embedding, k: given.k, filter: given.filter, timeoutMs: timeoutMs, requestId: nil))
    case "winners.find_similar_many":
        struct Given: Decodable {
            let embeddings: [[Float]]
            let k: UInt32
            let filter: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case embeddings
                case k
                case filter
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.findSimilarMany(embeddings: given.embeddings, k: given.k, filter: given.filter, timeoutMs: timeoutMs, requestId: nil))
    case "winners.get":
        struct Given: Decodable {
            let adId: String

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.get(given.adId, timeoutMs: timeoutMs, requestId: nil))
    case "winners.remove":
        struct Given: Decodable {
            let adId: String

            enum CodingKeys: String, CodingKey {
                case adId = "ad_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.remove(given.adId, timeoutMs: timeoutMs, requestId: nil))
    case "winners.stats":
        return try JSONValue(encoding: try await target.winners.stats(timeoutMs: timeoutMs, requestId: nil))
    case "winners.persist":
        return try JSONValue(encoding: try await target.winners.persist(timeoutMs: timeoutMs, requestId: nil))
    case "winners.import_file":
        struct Given: Decodable {
            let path: String

            enum CodingKeys: String, CodingKey {
                case path
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.winners.importFile(given.path, timeoutMs: timeoutMs, requestId: nil))
    case "closed_loop.tick":
        struct Given: Decodable {
            let account: AdAccount
            let allocationId: String
            let seed: UInt64

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case seed
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.closedLoop.tick(account: given.account, allocationId: given.allocationId, seed: given.seed, timeoutMs: timeoutMs, requestId: nil))
    case "closed_loop.process":
        struct Given: Decodable {
            let account: AdAccount
            let limit: UInt64?

            enum CodingKeys: String, CodingKey {
                case account
                case limit
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.closedLoop.process(given.account, limit: given.limit, timeoutMs: timeoutMs, requestId: nil))
    case "closed_loop.allocate":
        struct Given: Decodable {
            let account: AdAccount
            let allocationId: String
            let seed: UInt64

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case seed
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.closedLoop.allocate(account: given.account, allocationId: given.allocationId, seed: given.seed, timeoutMs: timeoutMs, requestId: nil))
    case "closed_loop.changes":
        struct Given: Decodable {
            let account: AdAccount
            let allocationId: String
            let allocation: Allocation

            enum CodingKeys: String, CodingKey {
                case account
                case allocationId = "allocation_id"
                case allocation
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.closedLoop.changes(account: given.account, allocationId: given.allocationId, allocation: given.allocation, timeoutMs: timeoutMs, requestId: nil))
    case "execution.owners":
        struct Given: Decodable {
            let accountId: String

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.owners(given.accountId, timeoutMs: timeoutMs, requestId: nil))
    case "execution.plan":
        struct Given: Decodable {
            let changes: [AdChange]
            let askPlatform: Bool?
            let ramp: Bool?

            enum CodingKeys: String, CodingKey {
                case changes
                case askPlatform = "ask_platform"
                case ramp
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.plan(given.changes, askPlatform: given.askPlatform ?? false, ramp: given.ramp ?? false, timeoutMs: timeoutMs, requestId: nil))
    case "execution.queue":
        struct Given: Decodable {
            let changes: [AdChange]
            let ramp: Bool?

            enum CodingKeys: String, CodingKey {
                case changes
                case ramp
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.queue(given.changes, ramp: given.ramp ?? false, timeoutMs: timeoutMs, requestId: nil))
    case "execution.approve":
        struct Given: Decodable {
            let planDigest: String

            enum CodingKeys: String, CodingKey {
                case planDigest = "plan_digest"
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.approve(given.planDigest, timeoutMs: timeoutMs, requestId: nil))
    case "execution.run_once":
        return try JSONValue(encoding: try await target.execution.runOnce(timeoutMs: timeoutMs, requestId: nil))
    case "execution.run":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.run(workers: given.workers, pollMs: given.pollMs, reconcileMs: given.reconcileMs, forMs: given.forMs, timeoutMs: timeoutMs, requestId: nil))
    case "execution.tick":
        struct Given: Decodable {
            let workers: UInt64?

            enum CodingKeys: String, CodingKey {
                case workers
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.tick(workers: given.workers, timeoutMs: timeoutMs, requestId: nil))
    case "execution.reconcile":
        return try JSONValue(encoding: try await target.execution.reconcile(timeoutMs: timeoutMs, requestId: nil))
    case "execution.retry":
        struct Given: Decodable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.retry(given.id, timeoutMs: timeoutMs, requestId: nil))
    case "execution.resolve":
        struct Given: Decodable {
            let id: ChangeId
            let verdict: HumanVerdict
            let note: String

            enum CodingKeys: String, CodingKey {
                case id
                case verdict
                case note
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.resolve(id: given.id, verdict: given.verdict, note: given.note, timeoutMs: timeoutMs, requestId: nil))
    case "execution.backlog":
        return try JSONValue(encoding: try await target.execution.backlog(timeoutMs: timeoutMs, requestId: nil))
    case "execution.drain":
        try await target.execution.drain(timeoutMs: timeoutMs, requestId: nil)
        return .null
    case "execution.next_due":
        return try JSONValue(encoding: try await target.execution.nextDue(timeoutMs: timeoutMs, requestId: nil))
    case "execution.get":
        struct Given: Decodable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.get(given.id, timeoutMs: timeoutMs, requestId: nil))
    case "execution.list":
        struct Given: Decodable {
            let accountId: String?
            let allocationId: String?
            let status: ChangeStatus?
            let reason: Reason?
            let needsHuman: Bool?
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.list(accountId: given.accountId, allocationId: given.allocationId, status: given.status, reason: given.reason, needsHuman: given.needsHuman ?? false, after: given.after, limit: given.limit, timeoutMs: timeoutMs, requestId: nil))
    case "execution.history":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.history(given.accountId, changeId: given.changeId, afterSeq: given.afterSeq, limit: given.limit, timeoutMs: timeoutMs, requestId: nil))
    case "execution.cancel":
        struct Given: Decodable {
            let id: ChangeId

            enum CodingKeys: String, CodingKey {
                case id
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.execution.cancel(given.id, timeoutMs: timeoutMs, requestId: nil))
    case "execution.set_limits":
        struct Given: Decodable {
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
        let given = try written(args, as: Given.self)
        try await target.execution.setLimits(accountId: given.accountId, currency: given.currency, totalDailyMinor: given.totalDailyMinor, minMinor: given.minMinor, maxMinor: given.maxMinor, timeoutMs: timeoutMs, requestId: nil)
        return .null
    case "execution.kill":
        struct Given: Decodable {
            let scope: KillScope
            let on: Bool

            enum CodingKeys: String, CodingKey {
                case scope
                case on
            }
        }
        let given = try written(args, as: Given.self)
        try await target.execution.kill(scope: given.scope, on: given.on, timeoutMs: timeoutMs, requestId: nil)
        return .null
    case "execution.kills":
        return try JSONValue(encoding: try await target.execution.kills(timeoutMs: timeoutMs, requestId: nil))
    case "execution.verify_audit":
        return try JSONValue(encoding: try await target.execution.verifyAudit(timeoutMs: timeoutMs, requestId: nil))
    case "ads.create":
        struct Given: Decodable {
            let kind: AdObjectKind
            let accountId: String
            let name: String
            let fields: [String: JSONValue]?
            let key: String?

            enum CodingKeys: String, CodingKey {
                case kind
                case accountId = "account_id"
                case name
                case fields
                case key
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ads.create(kind: given.kind, accountId: given.accountId, name: given.name, fields: given.fields ?? [:], key: given.key, timeoutMs: timeoutMs, requestId: nil))
    case "ads.get":
        struct Given: Decodable {
            let kind: AdObjectKind
            let id: String
            let fields: [String]?

            enum CodingKeys: String, CodingKey {
                case kind
                case id
                case fields
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ads.get(kind: given.kind, id: given.id, fields: given.fields ?? [], timeoutMs: timeoutMs, requestId: nil))
    case "ads.update":
        struct Given: Decodable {
            let kind: AdObjectKind
            let id: String
            let name: String?
            let fields: [String: JSONValue]?

            enum CodingKeys: String, CodingKey {
                case kind
                case id
                case name
                case fields
            }
        }
        let given = try written(args, as: Given.self)
        try await target.ads.update(kind: given.kind, id: given.id, name: given.name, fields: given.fields ?? [:], timeoutMs: timeoutMs, requestId: nil)
        return .null
    case "ads.list":
        struct Given: Decodable {
            let kind: AdObjectKind
            let accountId: String
            let parentId: String?
            let fields: [String]?
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
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.ads.list(kind: given.kind, accountId: given.accountId, parentId: given.parentId, fields: given.fields ?? [], limit: given.limit, after: given.after, timeoutMs: timeoutMs, requestId: nil))
    case "insights.sync":
        struct Given: Decodable {
            let accountId: String
            let since: Timestamp

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case since
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.insights.sync(accountId: given.accountId, since: given.since, timeoutMs: timeoutMs, requestId: nil))
    case "insights.totals":
        struct Given: Decodable {
            let accountId: String
            let since: Timestamp
            let until: Timestamp

            enum CodingKeys: String, CodingKey {
                case accountId = "account_id"
                case since
                case until
            }
        }
        let given = try written(args, as: Given.self)
        return try JSONValue(encoding: try await target.insights.totals(accountId: given.accountId, since: given.since, until: given.until, timeoutMs: timeoutMs, requestId: nil))
    default: throw Unwritten(what: method)
    }
}
