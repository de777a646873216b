// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// What kind of object it is.
public struct AdObjectKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// An ad.
    public static let ad = AdObjectKind(rawValue: "ad")
    /// An ad set.
    public static let adSet = AdObjectKind(rawValue: "ad_set")
    /// A campaign.
    public static let campaign = AdObjectKind(rawValue: "campaign")
    /// What an ad shows.
    public static let creative = AdObjectKind(rawValue: "creative")
    /// A video that a creative may show.
    public static let video = AdObjectKind(rawValue: "video")

    /// Those that this version knows. A later one may send others.
    public static let known: [AdObjectKind] = [
        .ad, .adSet, .campaign, .creative, .video,
    ]
}

/// Which touches a further conversion of the same journey is owed to.
public struct AfterConversion: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// All touches before it, those before an earlier conversion too.
    public static let keep = AfterConversion(rawValue: "keep")
    /// Those since the conversion before it; conversions without a touch between them share one path.
    public static let restart = AfterConversion(rawValue: "restart")

    /// Those that this version knows. A later one may send others.
    public static let known: [AfterConversion] = [
        .keep, .restart,
    ]
}

/// What became of an attempt.
public struct AttemptStatus: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The provider answered.
    public static let answered = AttemptStatus(rawValue: "answered")
    /// The provider was asked and failed.
    public static let failed = AttemptStatus(rawValue: "failed")
    /// It was not asked: its breaker is open, its rate is used up.
    public static let skipped = AttemptStatus(rawValue: "skipped")

    /// Those that this version knows. A later one may send others.
    public static let known: [AttemptStatus] = [
        .answered, .failed, .skipped,
    ]
}

/// What a row of the history tells.
public struct AuditKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Somebody approved the change; who is the row's actor, and the detail names the plan.
    public static let approved = AuditKind(rawValue: "approved")
    /// A guard refused the change, or it was withdrawn.
    public static let blocked = AuditKind(rawValue: "blocked")
    /// A write is about to be sent.
    public static let intent = AuditKind(rawValue: "intent")
    /// An attempt that was judged not applied was found to have taken effect.
    public static let late = AuditKind(rawValue: "late")
    /// What became of an intent; exactly one for each.
    public static let outcome = AuditKind(rawValue: "outcome")
    /// A person said what became of an attempt whose outcome was a conflict.
    public static let resolved = AuditKind(rawValue: "resolved")
    /// A person wants the change sent again.
    public static let retried = AuditKind(rawValue: "retried")

    /// Those that this version knows. A later one may send others.
    public static let known: [AuditKind] = [
        .approved, .blocked, .intent, .late, .outcome, .resolved, .retried,
    ]
}

/// Which way is better.
public struct Better: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// More is better.
    public static let higher = Better(rawValue: "higher")
    /// Less is better.
    public static let lower = Better(rawValue: "lower")

    /// Those that this version knows. A later one may send others.
    public static let known: [Better] = [
        .higher, .lower,
    ]
}

/// The state of a breaker, as it is shown.
public struct BreakerState: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Calls pass.
    public static let closed = BreakerState(rawValue: "closed")
    /// Calls are refused at once.
    public static let open = BreakerState(rawValue: "open")
    /// A few trial calls pass.
    public static let halfOpen = BreakerState(rawValue: "half_open")

    /// Those that this version knows. A later one may send others.
    public static let known: [BreakerState] = [
        .closed, .open, .halfOpen,
    ]
}

/// What became of a canary route's candidate.
public struct CanaryState: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It has no calls any more.
    public static let rolledBack = CanaryState(rawValue: "rolled_back")
    /// It has some.
    public static let staged = CanaryState(rawValue: "staged")
    /// It has all.
    public static let promoted = CanaryState(rawValue: "promoted")

    /// Those that this version knows. A later one may send others.
    public static let known: [CanaryState] = [
        .rolledBack, .staged, .promoted,
    ]
}

/// What a change moves. Its values are integers: minor units for money, `DeliveryStatus::code`] for a status.
public struct ChangeField: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The bid, in minor units.
    public static let bid = ChangeField(rawValue: "bid")
    /// The daily budget, in minor units.
    public static let budget = ChangeField(rawValue: "budget")
    /// Active (1) or paused (0).
    public static let status = ChangeField(rawValue: "status")

    /// Those that this version knows. A later one may send others.
    public static let known: [ChangeField] = [
        .bid, .budget, .status,
    ]
}

/// Where a change stands.
public struct ChangeStatus: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A guard refused it: with a retry time it is asked again then, without one it is over.
    public static let blocked = ChangeStatus(rawValue: "blocked")
    /// The intent is written, the request not yet sent.
    public static let claimed = ChangeStatus(rawValue: "claimed")
    /// The platform has the value.
    public static let completed = ChangeStatus(rawValue: "completed")
    /// The request is on its way, or what became of it is unknown.
    public static let executing = ChangeStatus(rawValue: "executing")
    /// The platform refused it.
    public static let failed = ChangeStatus(rawValue: "failed")
    /// It waits for its time.
    public static let pending = ChangeStatus(rawValue: "pending")

    /// Those that this version knows. A later one may send others.
    public static let known: [ChangeStatus] = [
        .blocked, .claimed, .completed, .executing, .failed, .pending,
    ]
}

/// Which of the candidates becomes the match, where no click id and no ad in a first URL decides.
public struct ChooseBy: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The latest click of the surest layer.
    public static let tier = ChooseBy(rawValue: "tier")
    /// The most probable click, where it is at least as probable as that there is none; by tier until a model is trained.
    public static let probability = ChooseBy(rawValue: "probability")

    /// Those that this version knows. A later one may send others.
    public static let known: [ChooseBy] = [
        .tier, .probability,
    ]
}

/// What the router estimates of a request. It decides the order of the models.
public struct Complexity: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A small model is enough.
    public static let simple = Complexity(rawValue: "simple")
    /// A strong model is needed.
    public static let complex = Complexity(rawValue: "complex")

    /// Those that this version knows. A later one may send others.
    public static let known: [Complexity] = [
        .simple, .complex,
    ]
}

/// How the conversions of a path are divided among its touches.
public struct CreditModel: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// All to the first touch.
    public static let first = CreditModel(rawValue: "first")
    /// All to the last touch.
    public static let last = CreditModel(rawValue: "last")
    /// All to the last touch whose channel is none of `direct_channels`; to the last touch where all are direct.
    public static let lastNonDirect = CreditModel(rawValue: "last_non_direct")
    /// The same to every touch.
    public static let linear = CreditModel(rawValue: "linear")
    /// The same to every channel of the path, however often it was touched.
    public static let linearPerChannel = CreditModel(rawValue: "linear_per_channel")
    /// By place: weights for the first touch, for all touches between together, and for the last one (a U by default).
    public static let position = CreditModel(rawValue: "position")
    /// A touch counts half as much for each `half_life_seconds` that it lies before the last one.
    public static let timeDecay = CreditModel(rawValue: "time_decay")
    /// The removal effect in the Markov chain of the paths, exactly: the share of conversions that would be lost if every walk that
    /// comes to the channel ended without one, computed by solving the chain's equations instead of by drawing walks, and scaled so
    /// that the channels share the total (Anderl et al. 2016). The chain remembers `order` touches; without `nulls` only the
    /// converting paths make it up. Value is divided by the value that would be lost; refunds (negative values) are divided by the
    /// refunds that would be.
    public static let markov = CreditModel(rawValue: "markov")
    /// The Shapley value of the game in which a set of channels wins the conversions of the paths inside it. For this game it has a
    /// closed form, the same share for every channel of the path (Zhao et al. 2018, arXiv 1804.05327), so any number of channels
    /// takes one pass.
    public static let shapley = CreditModel(rawValue: "shapley")

    /// Those that this version knows. A later one may send others.
    public static let known: [CreditModel] = [
        .first, .last, .lastNonDirect, .linear, .linearPerChannel, .position, .timeDecay, .markov, .shapley,
    ]
}

/// Where a deal stands.
public struct DealOutcome: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A lead that may still become money.
    public static let open = DealOutcome(rawValue: "open")
    /// It brought its value.
    public static let won = DealOutcome(rawValue: "won")
    /// It brings nothing.
    public static let lost = DealOutcome(rawValue: "lost")

    /// Those that this version knows. A later one may send others.
    public static let known: [DealOutcome] = [
        .open, .won, .lost,
    ]
}

/// What chooses for requests that name no model and that no policy decides.
public struct DefaultStrategy: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// `ai.order`, by how complex the request is.
    public static let complexity = DefaultStrategy(rawValue: "complexity")
    /// The default model of all providers that is expected to cost the least; of equal ones the first of `ai.order`.
    public static let cheapest = DefaultStrategy(rawValue: "cheapest")
    /// The default model of all providers that answers the fastest, as routes of this strategy choose.
    public static let lowestLatency = DefaultStrategy(rawValue: "lowest_latency")

    /// Those that this version knows. A later one may send others.
    public static let known: [DefaultStrategy] = [
        .complexity, .cheapest, .lowestLatency,
    ]
}

/// Whether an object is switched on, as its owner configured it. An active ad set in a paused campaign is active: it spends as
/// soon as the campaign does, and a total that is checked before a raise counts it.
public struct DeliveryStatus: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Switched on.
    public static let active = DeliveryStatus(rawValue: "active")
    /// Archived, deleted, or in a state that cannot be switched.
    public static let ended = DeliveryStatus(rawValue: "ended")
    /// Switched off.
    public static let paused = DeliveryStatus(rawValue: "paused")

    /// Those that this version knows. A later one may send others.
    public static let known: [DeliveryStatus] = [
        .active, .ended, .paused,
    ]
}

/// Whose ways a provider has.
public struct Dialect: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// OpenAI itself.
    public static let openai = Dialect(rawValue: "openai")
    /// Azure OpenAI: models are deployments of the user's own.
    public static let azure = Dialect(rawValue: "azure")
    /// Abacus.AI's RouteLLM API.
    public static let abacus = Dialect(rawValue: "abacus")
    /// OpenRouter.
    public static let openrouter = Dialect(rawValue: "openrouter")
    /// Groq.
    public static let groq = Dialect(rawValue: "groq")
    /// Mistral AI.
    public static let mistral = Dialect(rawValue: "mistral")
    /// DeepSeek.
    public static let deepseek = Dialect(rawValue: "deepseek")
    /// Ollama on a machine of the user's own.
    public static let ollama = Dialect(rawValue: "ollama")
    /// vLLM on a machine of the user's own.
    public static let vllm = Dialect(rawValue: "vllm")
    /// llama.cpp's server on a machine of the user's own.
    public static let llamaCpp = Dialect(rawValue: "llama_cpp")
    /// A model that the user runs, whatever serves it.
    public static let `internal` = Dialect(rawValue: "internal")
    /// Anthropic, by its Messages API.
    public static let anthropic = Dialect(rawValue: "anthropic")
    /// Any other.
    public static let compatible = Dialect(rawValue: "compatible")

    /// Those that this version knows. A later one may send others.
    public static let known: [Dialect] = [
        .openai, .azure, .abacus, .openrouter, .groq, .mistral, .deepseek, .ollama, .vllm, .llamaCpp, .`internal`, .anthropic, .compatible,
    ]
}

/// What an effect is measured in.
public struct EffectScale: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The arm's rate over the control's, less one: 0.1 is a tenth more.
    public static let relative = EffectScale(rawValue: "relative")
    /// The arm's mean less the control's, in the values' unit for each unit of the experiment.
    public static let difference = EffectScale(rawValue: "difference")

    /// Those that this version knows. A later one may send others.
    public static let known: [EffectScale] = [
        .relative, .difference,
    ]
}

/// Why a line of the ledger was written.
public struct EntryCause: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The deal went to another stage.
    public static let stage = EntryCause(rawValue: "stage")
    /// It went to another pipeline.
    public static let pipeline = EntryCause(rawValue: "pipeline")
    /// Its amount changed.
    public static let amount = EntryCause(rawValue: "amount")
    /// Its currency changed.
    public static let currency = EntryCause(rawValue: "currency")
    /// It was made.
    public static let created = EntryCause(rawValue: "created")
    /// It was deleted.
    public static let deleted = EntryCause(rawValue: "deleted")
    /// It was restored.
    public static let restored = EntryCause(rawValue: "restored")
    /// Deals were merged.
    public static let merged = EntryCause(rawValue: "merged")
    /// The customer got money back.
    public static let refund = EntryCause(rawValue: "refund")
    /// The stages got other values.
    public static let revalued = EntryCause(rawValue: "revalued")

    /// Those that this version knows. A later one may send others.
    public static let known: [EntryCause] = [
        .stage, .pipeline, .amount, .currency, .created, .deleted, .restored, .merged, .refund, .revalued,
    ]
}

/// How the value of a policy is estimated.
public struct Estimator: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The mean reward where the policy would have chosen the same. Without bias only where the log chose uniformly, or where the
    /// policy draws.
    public static let replay = Estimator(rawValue: "replay")
    /// The direct method: what a reward model expects of the policy's choices. Its interval knows nothing of the model's own error.
    public static let dm = Estimator(rawValue: "dm")
    /// Inverse propensity scoring.
    public static let ips = Estimator(rawValue: "ips")
    /// The same, over the sum of its weights: less variance for a small bias.
    public static let snips = Estimator(rawValue: "snips")
    /// Doubly robust: the direct method, corrected by the weighted errors of its model.
    public static let dr = Estimator(rawValue: "dr")

    /// Those that this version knows. A later one may send others.
    public static let known: [Estimator] = [
        .replay, .dm, .ips, .snips, .dr,
    ]
}

/// Where an experiment is.
public struct ExperimentPhase: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Units are assigned and counted.
    public static let running = ExperimentPhase(rawValue: "running")
    /// The winner has all units but the held-back ones, and is still watched.
    public static let promoted = ExperimentPhase(rawValue: "promoted")
    /// The winner turned out worse: the control has all units.
    public static let rolledBack = ExperimentPhase(rawValue: "rolled_back")
    /// It was ended: nothing is counted any more.
    public static let stopped = ExperimentPhase(rawValue: "stopped")

    /// Those that this version knows. A later one may send others.
    public static let known: [ExperimentPhase] = [
        .running, .promoted, .rolledBack, .stopped,
    ]
}

/// Whether a proposed policy may spend.
public struct GateVerdict: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Its lower bound is not below the current one's.
    public static let allow = GateVerdict(rawValue: "allow")
    /// Its lower bound is below the current one's.
    public static let refuse = GateVerdict(rawValue: "refuse")
    /// The log says too little of one of them.
    public static let tooThin = GateVerdict(rawValue: "too_thin")

    /// Those that this version knows. A later one may send others.
    public static let known: [GateVerdict] = [
        .allow, .refuse, .tooThin,
    ]
}

/// How something fares.
public struct HealthStatus: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It works.
    public static let healthy = HealthStatus(rawValue: "healthy")
    /// Of a client: a dependency is away. Of a check: it is being tried again.
    public static let degraded = HealthStatus(rawValue: "degraded")
    /// Of a client: the work cannot be done. Of a check: it does not work.
    public static let unhealthy = HealthStatus(rawValue: "unhealthy")

    /// Those that this version knows. A later one may send others.
    public static let known: [HealthStatus] = [
        .healthy, .degraded, .unhealthy,
    ]
}

/// What a person found out about a request.
public struct HumanVerdict: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It took effect.
    public static let applied = HumanVerdict(rawValue: "applied")
    /// It had no effect, and can have none any more.
    public static let notApplied = HumanVerdict(rawValue: "not_applied")

    /// Those that this version knows. A later one may send others.
    public static let known: [HumanVerdict] = [
        .applied, .notApplied,
    ]
}

/// How vectors are searched.
public struct IndexKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Every vector is compared: exact.
    public static let flat = IndexKind(rawValue: "flat")
    /// By a graph of near neighbours: approximate.
    public static let hnsw = IndexKind(rawValue: "hnsw")

    /// Those that this version knows. A later one may send others.
    public static let known: [IndexKind] = [
        .flat, .hnsw,
    ]
}

/// How a click was recognised, from the surest to the least sure.
public struct Layer: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// An equal click id, or an ad named by the first URL.
    public static let layer1 = Layer(rawValue: "layer1")
    /// An equal fingerprint.
    public static let layer2 = Layer(rawValue: "layer2")
    /// An equal address and user agent.
    public static let layer3 = Layer(rawValue: "layer3")

    /// Those that this version knows. A later one may send others.
    public static let known: [Layer] = [
        .layer1, .layer2, .layer3,
    ]
}

/// What a metric is of a unit.
public struct MetricKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It happens or it does not; twice is once.
    public static let binary = MetricKind(rawValue: "binary")
    /// The sum of the values of its events, in whole units as minor ones.
    public static let value = MetricKind(rawValue: "value")

    /// Those that this version knows. A later one may send others.
    public static let known: [MetricKind] = [
        .binary, .value,
    ]
}

/// What a request can need of a model.
public struct Need: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Reading images.
    public static let images = Need(rawValue: "images")
    /// Calling tools.
    public static let tools = Need(rawValue: "tools")
    /// Answering in a format.
    public static let responseFormat = Need(rawValue: "response_format")

    /// Those that this version knows. A later one may send others.
    public static let known: [Need] = [
        .images, .tools, .responseFormat,
    ]
}

/// What an address is, as far as the address itself tells.
public struct NetworkKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// One IPv4 address: of a home, an office, or a carrier that puts thousands behind it.
    public static let ipv4 = NetworkKind(rawValue: "ipv4")
    /// The first 64 bits of an IPv6 address: of one line, or one mobile device.
    public static let ipv6 = NetworkKind(rawValue: "ipv6")

    /// Those that this version knows. A later one may send others.
    public static let known: [NetworkKind] = [
        .ipv4, .ipv6,
    ]
}

/// Whether an answer is whole.
public struct Outcome: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The model said that it was done.
    public static let complete = Outcome(rawValue: "complete")
    /// It is whole, joined from the answers of two calls.
    public static let spliced = Outcome(rawValue: "spliced")
    /// It was cut: by a limit of tokens, by a filter, or without a reason given.
    public static let truncated = Outcome(rawValue: "truncated")
    /// It broke off with an error.
    public static let errored = Outcome(rawValue: "errored")

    /// Those that this version knows. A later one may send others.
    public static let known: [Outcome] = [
        .complete, .spliced, .truncated, .errored,
    ]
}

/// Where a budget sits. No platform has one at an ad.
public struct OwnerLevel: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// An ad set with a budget of its own.
    public static let adset = OwnerLevel(rawValue: "adset")
    /// A campaign that divides its budget among its ad sets.
    public static let campaign = OwnerLevel(rawValue: "campaign")

    /// Those that this version knows. A later one may send others.
    public static let known: [OwnerLevel] = [
        .adset, .campaign,
    ]
}

/// A number of requests with a name.
public struct RatePreset: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// 60 requests a minute.
    public static let standard = RatePreset(rawValue: "standard")
    /// 10 requests a minute.
    public static let expensive = RatePreset(rawValue: "expensive")
    /// 30 requests a minute.
    public static let ai = RatePreset(rawValue: "ai")

    /// Those that this version knows. A later one may send others.
    public static let known: [RatePreset] = [
        .standard, .expensive, .ai,
    ]
}

/// Why a change stands where it stands. The names are stable.
public struct Reason: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The target is above the account's ceiling for one owner.
    public static let aboveCeiling = Reason(rawValue: "above_ceiling")
    /// Too many changes of the account for now: the library's limit, or one that the platform's refusals taught.
    public static let rateLimitAccount = Reason(rawValue: "rate_limit_account")
    /// The account's daily total would be exceeded.
    public static let accountCap = Reason(rawValue: "account_cap")
    /// Its requests were lost too often; a person should look.
    public static let attemptsExhausted = Reason(rawValue: "attempts_exhausted")
    /// Nobody has approved it yet; it is asked again when it expires.
    public static let awaitingApproval = Reason(rawValue: "awaiting_approval")
    /// An earlier step of the same ramp has not taken effect yet.
    public static let awaitingStep = Reason(rawValue: "awaiting_step")
    /// A cut of the same allocation has not taken effect yet.
    public static let awaitingCuts = Reason(rawValue: "awaiting_cuts")
    /// The target is below the account's floor for one owner.
    public static let belowFloor = Reason(rawValue: "below_floor")
    /// Somebody withdrew it.
    public static let cancelled = Reason(rawValue: "cancelled")
    /// What became of its request cannot be told by reading; a person must look.
    public static let conflict = Reason(rawValue: "conflict")
    /// The platform shows another value than the decision was made on.
    public static let drifted = Reason(rawValue: "drifted")
    /// Somebody else edited the object after the decision: people's edits win.
    public static let edited = Reason(rawValue: "edited")
    /// Its time has passed.
    public static let expired = Reason(rawValue: "expired")
    /// Another change of the same owner is on its way.
    public static let inFlight = Reason(rawValue: "in_flight")
    /// A kill switch is on.
    public static let killSwitch = Reason(rawValue: "kill_switch")
    /// Its request took effect after the verdict that it had not.
    public static let landedLate = Reason(rawValue: "landed_late")
    /// The object is in the platform's learning phase, which a change would start anew.
    public static let learningPhase = Reason(rawValue: "learning_phase")
    /// Its request had no effect; it may be sent again.
    public static let notApplied = Reason(rawValue: "not_applied")
    /// Its intent was never sent.
    public static let notSent = Reason(rawValue: "not_sent")
    /// The platform refused the request as it stands.
    public static let platformRejected = Reason(rawValue: "platform_rejected")
    /// The campaign has had its changes for this hour.
    public static let rateLimitCampaign = Reason(rawValue: "rate_limit_campaign")
    /// The ad set has had its budget changes for this hour.
    public static let rateLimitOwner = Reason(rawValue: "rate_limit_owner")
    /// Reading the platform showed that it took effect.
    public static let reconciled = Reason(rawValue: "reconciled")
    /// A person found that it took effect.
    public static let resolved = Reason(rawValue: "resolved")
    /// What was read of the platform is too old, or lacks the owner.
    public static let staleSnapshot = Reason(rawValue: "stale_snapshot")
    /// A newer change of the same field took its place.
    public static let superseded = Reason(rawValue: "superseded")
    /// The platform asks to slow down.
    public static let throttled = Reason(rawValue: "throttled")
    /// The credentials are missing, wrong or without the permission.
    public static let unauthorized = Reason(rawValue: "unauthorized")
    /// Its request got no answer; what became of it is found out by reading.
    public static let unknown = Reason(rawValue: "unknown")
    /// The platform could not be reached.
    public static let unreachable = Reason(rawValue: "unreachable")
    /// It would move the value further within the window than the limit allows.
    public static let velocity = Reason(rawValue: "velocity")
    /// The object has a lifetime budget where the change sets a daily one.
    public static let wrongBudgetType = Reason(rawValue: "wrong_budget_type")
    /// The platform shows the account in another currency.
    public static let wrongCurrency = Reason(rawValue: "wrong_currency")
    /// The object is in another account or campaign, does not exist, or has no such field.
    public static let wrongObject = Reason(rawValue: "wrong_object")

    /// Those that this version knows. A later one may send others.
    public static let known: [Reason] = [
        .aboveCeiling, .rateLimitAccount, .accountCap, .attemptsExhausted, .awaitingApproval, .awaitingStep, .awaitingCuts, .belowFloor, .cancelled, .conflict, .drifted, .edited, .expired, .inFlight, .killSwitch, .landedLate, .learningPhase, .notApplied, .notSent, .platformRejected, .rateLimitCampaign, .rateLimitOwner, .reconciled, .resolved, .staleSnapshot, .superseded, .throttled, .unauthorized, .unknown, .unreachable, .velocity, .wrongBudgetType, .wrongCurrency, .wrongObject,
    ]
}

/// By what revenue is set beside spend.
public struct RoasDimension: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The ad.
    public static let ad = RoasDimension(rawValue: "ad")
    /// The ad set.
    public static let adset = RoasDimension(rawValue: "adset")
    /// The campaign.
    public static let campaign = RoasDimension(rawValue: "campaign")
    /// The click's `utm_term`.
    public static let keyword = RoasDimension(rawValue: "keyword")
    /// The click's `utm_content`.
    public static let content = RoasDimension(rawValue: "content")

    /// Those that this version knows. A later one may send others.
    public static let known: [RoasDimension] = [
        .ad, .adset, .campaign, .keyword, .content,
    ]
}

/// What an actor may decide.
public struct Role: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Approves plans.
    public static let approver = Role(rawValue: "approver")
    /// Says what became of a request, sends it again, and switches a kill switch off.
    public static let `operator` = Role(rawValue: "operator")

    /// Those that this version knows. A later one may send others.
    public static let known: [Role] = [
        .approver, .`operator`,
    ]
}

/// How P(best) and mean shares are computed. Both answer the same question of the same posteriors.
public struct ScoringMethod: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// As integrals: no noise, and quick.
    public static let quadrature = ScoringMethod(rawValue: "quadrature")
    /// From as many seeded draws as the request says.
    public static let draws = ScoringMethod(rawValue: "draws")

    /// Those that this version knows. A later one may send others.
    public static let known: [ScoringMethod] = [
        .quadrature, .draws,
    ]
}

/// What an ad's share of the total is.
public struct ShareBy: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Its probability to be the best: Thompson sampling, the least regret where more money brings in proportion more.
    public static let best = ShareBy(rawValue: "best")
    /// The mean of its part in the sum of all scores: for ads that bring less and less for more money.
    public static let mean = ShareBy(rawValue: "mean")

    /// Those that this version knows. A later one may send others.
    public static let known: [ShareBy] = [
        .best, .mean,
    ]
}

/// Which signatures of webhooks are accepted.
public struct Signatures: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Version 3 only: it covers the address and the time.
    public static let v3 = Signatures(rawValue: "v3")
    /// Also versions 1 and 2 where there is no version 3. They carry no time: whoever saw such a delivery once can send it again for
    /// ever.
    public static let v1V2V3 = Signatures(rawValue: "v1_v2_v3")

    /// Those that this version knows. A later one may send others.
    public static let known: [Signatures] = [
        .v3, .v1V2V3,
    ]
}

/// A span of the calendar.
public struct Window: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A minute.
    public static let minute = Window(rawValue: "minute")
    /// An hour.
    public static let hour = Window(rawValue: "hour")
    /// A day.
    public static let day = Window(rawValue: "day")
    /// A calendar month.
    public static let month = Window(rawValue: "month")

    /// Those that this version knows. A later one may send others.
    public static let known: [Window] = [
        .minute, .hour, .day, .month,
    ]
}

/// What went wrong.
public struct ErrorKind: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The outcome of a write is unknown: it was sent, and no answer tells whether it took effect.
    public static let ambiguous = ErrorKind(rawValue: "ambiguous")
    /// The call was cancelled by the caller.
    public static let cancelled = ErrorKind(rawValue: "cancelled")
    /// The configuration is wrong; nothing was started.
    public static let configInvalid = ErrorKind(rawValue: "config_invalid")
    /// What is stored contradicts itself or the request.
    public static let conflict = ErrorKind(rawValue: "conflict")
    /// A content filter refused the request or the answer.
    public static let contentFiltered = ErrorKind(rawValue: "content_filtered")
    /// The prompt does not fit the model's context window.
    public static let contextTooLong = ErrorKind(rawValue: "context_too_long")
    /// A stored file or row cannot be read back as what it should be.
    public static let corrupt = ErrorKind(rawValue: "corrupt")
    /// An argument is wrong; the message names the field.
    public static let invalidInput = ErrorKind(rawValue: "invalid_input")
    /// A limit that the user set refuses the call.
    public static let limitExceeded = ErrorKind(rawValue: "limit_exceeded")
    /// The object does not exist.
    public static let notFound = ErrorKind(rawValue: "not_found")
    /// The other side refused the request as it stands.
    public static let rejected = ErrorKind(rawValue: "rejected")
    /// The other side asks to slow down.
    public static let throttled = ErrorKind(rawValue: "throttled")
    /// No answer came in time.
    public static let timeout = ErrorKind(rawValue: "timeout")
    /// The credentials are missing, wrong or without the permission.
    public static let unauthorized = ErrorKind(rawValue: "unauthorized")
    /// A dependency is away or broken.
    public static let unavailable = ErrorKind(rawValue: "unavailable")
    /// A defect of this library.
    public static let unexpected = ErrorKind(rawValue: "unexpected")
    /// The backend has no such ability.
    public static let unsupported = ErrorKind(rawValue: "unsupported")

    /// Those that this version knows. A later one may send others.
    public static let known: [ErrorKind] = [
        .ambiguous, .cancelled, .configInvalid, .conflict, .contentFiltered, .contextTooLong, .corrupt, .invalidInput, .limitExceeded, .notFound, .rejected, .throttled, .timeout, .unauthorized, .unavailable, .unexpected, .unsupported,
    ]
}
