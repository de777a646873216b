// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// How AI requests are routed, cached and paid for.
public struct AiConfig: Codable, Hashable, Sendable {
    /// When a failing model is left alone.
    public var breaker: BreakerConfig
    /// The cache of answers.
    public var cache: CacheConfig
    /// How many calls may be in flight.
    public var concurrency: ConcurrencyConfig
    /// How texts are embedded.
    public var embeddings: EmbeddingsConfig
    /// Who is asked where every model of a list fails alike.
    public var fallbacks: FallbackConfig
    /// Second calls beside slow ones.
    public var hedge: HedgeConfig
    /// Spend limits that hold for every tenant.
    public var limits: [SpendLimitConfig]
    /// The greatest prompt, in bytes of text.
    public var maxPromptBytes: UInt64
    /// In which order the providers are asked.
    public var order: OrderConfig
    /// Which requests without a model go to which route. The first policy that matches decides.
    public var policies: [PolicyConfig]
    /// A price list in the format of LiteLLM's `model_prices_and_context_window.json`, read at the first call and when asked to. It
    /// goes before the embedded table, and after `ai.providers.NAME.price`.
    public var priceFile: String?
    /// The providers by name. One that has the name of a dialect, as `openai` or `mistral`, brings its defaults.
    public var providers: [String: ProviderConfig]
    /// How many requests and tokens a minute a tenant may send; unlimited when absent. Cache hits do not count.
    public var rateLimit: RateLimit?
    /// Retries of temporary faults.
    public var retry: RetryConfig
    /// Named routes, asked for as `model`: each an ordered list of `PROVIDER` or `PROVIDER/MODEL`, or a table with a strategy.
    public var routes: [String: RouteConfig]
    /// For how long an API key is kept before it is read anew where it is found, in seconds; 0 reads it at each call. A key that a
    /// provider refuses is read anew at once.
    public var secretsTtlSeconds: UInt64
    /// What chooses for requests that name no model and that no policy is for.
    public var strategy: DefaultStrategy
    /// Deadlines.
    public var timeouts: TimeoutConfig
    /// How limits of answers are sized.
    public var tokens: TokenConfig

    public init(
        breaker: BreakerConfig = BreakerConfig(),
        cache: CacheConfig = CacheConfig(),
        concurrency: ConcurrencyConfig = ConcurrencyConfig(),
        embeddings: EmbeddingsConfig = EmbeddingsConfig(),
        fallbacks: FallbackConfig = FallbackConfig(),
        hedge: HedgeConfig = HedgeConfig(),
        limits: [SpendLimitConfig] = [],
        maxPromptBytes: UInt64 = 4194304,
        order: OrderConfig = OrderConfig(),
        policies: [PolicyConfig] = [],
        priceFile: String? = nil,
        providers: [String: ProviderConfig] = [:],
        rateLimit: RateLimit? = nil,
        retry: RetryConfig = RetryConfig(),
        routes: [String: RouteConfig] = [:],
        secretsTtlSeconds: UInt64 = 300,
        strategy: DefaultStrategy = .complexity,
        timeouts: TimeoutConfig = TimeoutConfig(),
        tokens: TokenConfig = TokenConfig()
    ) {
        self.breaker = breaker
        self.cache = cache
        self.concurrency = concurrency
        self.embeddings = embeddings
        self.fallbacks = fallbacks
        self.hedge = hedge
        self.limits = limits
        self.maxPromptBytes = maxPromptBytes
        self.order = order
        self.policies = policies
        self.priceFile = priceFile
        self.providers = providers
        self.rateLimit = rateLimit
        self.retry = retry
        self.routes = routes
        self.secretsTtlSeconds = secretsTtlSeconds
        self.strategy = strategy
        self.timeouts = timeouts
        self.tokens = tokens
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case breaker
        case cache
        case concurrency
        case embeddings
        case fallbacks
        case hedge
        case limits
        case maxPromptBytes = "max_prompt_bytes"
        case order
        case policies
        case priceFile = "price_file"
        case providers
        case rateLimit = "rate_limit"
        case retry
        case routes
        case secretsTtlSeconds = "secrets_ttl_seconds"
        case strategy
        case timeouts
        case tokens
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        breaker = try container.decodeIfPresent(BreakerConfig.self, forKey: .breaker) ?? BreakerConfig()
        cache = try container.decodeIfPresent(CacheConfig.self, forKey: .cache) ?? CacheConfig()
        concurrency = try container.decodeIfPresent(ConcurrencyConfig.self, forKey: .concurrency) ?? ConcurrencyConfig()
        embeddings = try container.decodeIfPresent(EmbeddingsConfig.self, forKey: .embeddings) ?? EmbeddingsConfig()
        fallbacks = try container.decodeIfPresent(FallbackConfig.self, forKey: .fallbacks) ?? FallbackConfig()
        hedge = try container.decodeIfPresent(HedgeConfig.self, forKey: .hedge) ?? HedgeConfig()
        limits = try container.decodeIfPresent([SpendLimitConfig].self, forKey: .limits) ?? []
        maxPromptBytes = try container.decodeIfPresent(UInt64.self, forKey: .maxPromptBytes) ?? 4194304
        order = try container.decodeIfPresent(OrderConfig.self, forKey: .order) ?? OrderConfig()
        policies = try container.decodeIfPresent([PolicyConfig].self, forKey: .policies) ?? []
        priceFile = try container.decodeIfPresent(String.self, forKey: .priceFile)
        providers = try container.decodeIfPresent([String: ProviderConfig].self, forKey: .providers) ?? [:]
        rateLimit = try container.decodeIfPresent(RateLimit.self, forKey: .rateLimit)
        retry = try container.decodeIfPresent(RetryConfig.self, forKey: .retry) ?? RetryConfig()
        routes = try container.decodeIfPresent([String: RouteConfig].self, forKey: .routes) ?? [:]
        secretsTtlSeconds = try container.decodeIfPresent(UInt64.self, forKey: .secretsTtlSeconds) ?? 300
        strategy = try container.decodeIfPresent(DefaultStrategy.self, forKey: .strategy) ?? DefaultStrategy.complexity
        timeouts = try container.decodeIfPresent(TimeoutConfig.self, forKey: .timeouts) ?? TimeoutConfig()
        tokens = try container.decodeIfPresent(TokenConfig.self, forKey: .tokens) ?? TokenConfig()
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(breaker, forKey: .breaker)
        try container.encode(cache, forKey: .cache)
        try container.encode(concurrency, forKey: .concurrency)
        try container.encode(embeddings, forKey: .embeddings)
        try container.encode(fallbacks, forKey: .fallbacks)
        try container.encode(hedge, forKey: .hedge)
        if !limits.isEmpty { try container.encode(limits, forKey: .limits) }
        try container.encode(maxPromptBytes, forKey: .maxPromptBytes)
        try container.encode(order, forKey: .order)
        if !policies.isEmpty { try container.encode(policies, forKey: .policies) }
        try container.encodeIfPresent(priceFile, forKey: .priceFile)
        if !providers.isEmpty { try container.encode(providers, forKey: .providers) }
        try container.encodeIfPresent(rateLimit, forKey: .rateLimit)
        try container.encode(retry, forKey: .retry)
        if !routes.isEmpty { try container.encode(routes, forKey: .routes) }
        try container.encode(secretsTtlSeconds, forKey: .secretsTtlSeconds)
        try container.encode(strategy, forKey: .strategy)
        try container.encode(timeouts, forKey: .timeouts)
        try container.encode(tokens, forKey: .tokens)
    }
}

/// What budgets are drawn from.
public struct AllocationConfig: Codable, Hashable, Sendable {
    /// Where the creatives that won are kept, and how large their embeddings are.
    public var winners: WinnersConfig

    public init(winners: WinnersConfig = WinnersConfig()) {
        self.winners = winners
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case winners
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        winners = try container.decodeIfPresent(WinnersConfig.self, forKey: .winners) ?? WinnersConfig()
    }
}

/// Clicks, matching and stage values.
public struct AttributionConfig: Codable, Hashable, Sendable {
    /// Which candidate becomes the match where no click id decides: `tier` (the latest of the surest layer) or `probability` (the
    /// likeliest, once `attribution.train` has made a model).
    public var chooseBy: ChooseBy
    /// How clicks are read, and what of them is evidence.
    public var clicks: ClickRules
    /// The CRM's names of the contact properties that are read.
    public var contactProperties: ContactProperties
    /// The currency of every value, and what others are worth in it.
    public var currencies: Currencies
    /// A secret of every hash of something that identifies: 64 hex digits. Without one, all there is of the keys is kept in the
    /// store; give one if whoever reads the store must not be able to test addresses.
    public var identityKey: SecretRef?
    /// The keys under which what identifies is hashed.
    public var keys: ClickKeysConfig
    /// Which layers of matching are used: 1 by click id, 2 by fingerprint, 3 by address and user agent. What is not used is neither
    /// computed, stored nor matched. All when absent; in the Swift package on Apple platforms layer 1 alone.
    public var layers: Layers?
    /// The CRM's pipelines whose stages have a probability or a value of their own; `stages` holds for all others.
    public var pipelines: [Pipeline]
    /// How long clicks are kept.
    public var retention: RetentionConfig
    /// What a deal is worth by its stage.
    public var stages: StageValues
    /// Whether a deal whose amount is known is worth that amount times the probability of its stage, instead of the value of the
    /// stage.
    public var useAmounts: Bool
    /// How far before a conversion its click may lie.
    public var windows: Windows

    public init(
        chooseBy: ChooseBy = .tier,
        clicks: ClickRules = ClickRules(),
        contactProperties: ContactProperties = ContactProperties(),
        currencies: Currencies = Currencies(),
        identityKey: SecretRef? = nil,
        keys: ClickKeysConfig = ClickKeysConfig(),
        layers: Layers? = nil,
        pipelines: [Pipeline] = [],
        retention: RetentionConfig = RetentionConfig(),
        stages: StageValues = StageValues(),
        useAmounts: Bool = false,
        windows: Windows = Windows()
    ) {
        self.chooseBy = chooseBy
        self.clicks = clicks
        self.contactProperties = contactProperties
        self.currencies = currencies
        self.identityKey = identityKey
        self.keys = keys
        self.layers = layers
        self.pipelines = pipelines
        self.retention = retention
        self.stages = stages
        self.useAmounts = useAmounts
        self.windows = windows
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case chooseBy = "choose_by"
        case clicks
        case contactProperties = "contact_properties"
        case currencies
        case identityKey = "identity_key"
        case keys
        case layers
        case pipelines
        case retention
        case stages
        case useAmounts = "use_amounts"
        case windows
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        chooseBy = try container.decodeIfPresent(ChooseBy.self, forKey: .chooseBy) ?? ChooseBy.tier
        clicks = try container.decodeIfPresent(ClickRules.self, forKey: .clicks) ?? ClickRules()
        contactProperties = try container.decodeIfPresent(ContactProperties.self, forKey: .contactProperties) ?? ContactProperties()
        currencies = try container.decodeIfPresent(Currencies.self, forKey: .currencies) ?? Currencies()
        identityKey = try container.decodeIfPresent(SecretRef.self, forKey: .identityKey)
        keys = try container.decodeIfPresent(ClickKeysConfig.self, forKey: .keys) ?? ClickKeysConfig()
        layers = try container.decodeIfPresent(Layers.self, forKey: .layers)
        pipelines = try container.decodeIfPresent([Pipeline].self, forKey: .pipelines) ?? []
        retention = try container.decodeIfPresent(RetentionConfig.self, forKey: .retention) ?? RetentionConfig()
        stages = try container.decodeIfPresent(StageValues.self, forKey: .stages) ?? StageValues()
        useAmounts = try container.decodeIfPresent(Bool.self, forKey: .useAmounts) ?? false
        windows = try container.decodeIfPresent(Windows.self, forKey: .windows) ?? Windows()
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(chooseBy, forKey: .chooseBy)
        try container.encode(clicks, forKey: .clicks)
        try container.encode(contactProperties, forKey: .contactProperties)
        try container.encode(currencies, forKey: .currencies)
        try container.encodeIfPresent(identityKey, forKey: .identityKey)
        try container.encode(keys, forKey: .keys)
        try container.encodeIfPresent(layers, forKey: .layers)
        if !pipelines.isEmpty { try container.encode(pipelines, forKey: .pipelines) }
        try container.encode(retention, forKey: .retention)
        try container.encode(stages, forKey: .stages)
        try container.encode(useAmounts, forKey: .useAmounts)
        try container.encode(windows, forKey: .windows)
    }
}

/// When a failing model is left alone: after so many faults in a row, or when too many of the calls of a window are faults or
/// slow.
public struct BreakerConfig: Codable, Hashable, Sendable {
    /// Consecutive faults that open it.
    public var failures: UInt32
    /// How much shorter than that it may be at random, in percent, so that not all processes try again at once.
    public var jitterPercent: UInt32
    /// Calls that the window must hold before the rate counts.
    public var minCalls: UInt32
    /// How long it stays open, in seconds.
    public var openSeconds: UInt64
    /// Trial calls after that; all must succeed.
    public var probes: UInt32
    /// The share of the window's calls that opens it when they are faults or slow, in percent; 0 for never.
    public var ratePercent: UInt32
    /// From how long on a call is slow, until its answer or the first token of its stream, in milliseconds of real time; 0 for never.
    public var slowMs: UInt64
    /// The window of the rate, in seconds.
    public var windowSeconds: UInt64

    public init(
        failures: UInt32 = 5,
        jitterPercent: UInt32 = 10,
        minCalls: UInt32 = 20,
        openSeconds: UInt64 = 60,
        probes: UInt32 = 3,
        ratePercent: UInt32 = 50,
        slowMs: UInt64 = 15000,
        windowSeconds: UInt64 = 60
    ) {
        self.failures = failures
        self.jitterPercent = jitterPercent
        self.minCalls = minCalls
        self.openSeconds = openSeconds
        self.probes = probes
        self.ratePercent = ratePercent
        self.slowMs = slowMs
        self.windowSeconds = windowSeconds
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case failures
        case jitterPercent = "jitter_percent"
        case minCalls = "min_calls"
        case openSeconds = "open_seconds"
        case probes
        case ratePercent = "rate_percent"
        case slowMs = "slow_ms"
        case windowSeconds = "window_seconds"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        failures = try container.decodeIfPresent(UInt32.self, forKey: .failures) ?? 5
        jitterPercent = try container.decodeIfPresent(UInt32.self, forKey: .jitterPercent) ?? 10
        minCalls = try container.decodeIfPresent(UInt32.self, forKey: .minCalls) ?? 20
        openSeconds = try container.decodeIfPresent(UInt64.self, forKey: .openSeconds) ?? 60
        probes = try container.decodeIfPresent(UInt32.self, forKey: .probes) ?? 3
        ratePercent = try container.decodeIfPresent(UInt32.self, forKey: .ratePercent) ?? 50
        slowMs = try container.decodeIfPresent(UInt64.self, forKey: .slowMs) ?? 15000
        windowSeconds = try container.decodeIfPresent(UInt64.self, forKey: .windowSeconds) ?? 60
    }
}

/// The cache of answers.
public struct CacheConfig: Codable, Hashable, Sendable {
    /// Whether answers are kept.
    public var enabled: Bool
    /// The room of the cache in memory, in bytes.
    public var maxBytes: UInt64
    /// For how long, in seconds.
    public var ttlSeconds: UInt64

    public init(enabled: Bool = true, maxBytes: UInt64 = 67108864, ttlSeconds: UInt64 = 3600) {
        self.enabled = enabled
        self.maxBytes = maxBytes
        self.ttlSeconds = ttlSeconds
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case enabled
        case maxBytes = "max_bytes"
        case ttlSeconds = "ttl_seconds"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        enabled = try container.decodeIfPresent(Bool.self, forKey: .enabled) ?? true
        maxBytes = try container.decodeIfPresent(UInt64.self, forKey: .maxBytes) ?? 67108864
        ttlSeconds = try container.decodeIfPresent(UInt64.self, forKey: .ttlSeconds) ?? 3600
    }
}

/// The windows of one channel; what is not given is as for the others.
public struct ChannelWindows: Codable, Hashable, Sendable {
    /// Equal click ids.
    public var layer1Hours: UInt32?
    /// Equal fingerprints.
    public var layer2Hours: UInt32?
    /// Equal address and user agent.
    public var layer3Hours: UInt32?

    public init(layer1Hours: UInt32? = nil, layer2Hours: UInt32? = nil, layer3Hours: UInt32? = nil) {
        self.layer1Hours = layer1Hours
        self.layer2Hours = layer2Hours
        self.layer3Hours = layer3Hours
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case layer1Hours = "layer1_hours"
        case layer2Hours = "layer2_hours"
        case layer3Hours = "layer3_hours"
    }
}

/// The keys under which what identifies is hashed.
public struct ClickKeysConfig: Codable, Hashable, Sendable {
    /// How many days (UTC) have one key. It is made at random and kept in the store, hashed with `identity_key` where that is
    /// configured, and thrown away with the clicks of its days. Days before a change of this number keep their keys.
    public var rotateDays: UInt16

    public init(rotateDays: UInt16 = 30) {
        self.rotateDays = rotateDays
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case rotateDays = "rotate_days"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rotateDays = try container.decodeIfPresent(UInt16.self, forKey: .rotateDays) ?? 30
    }
}

/// How clicks are read, and what of them is evidence.
public struct ClickRules: Codable, Hashable, Sendable {
    /// Whether the hashes of click ids need consent too. They are what layer 1 matches by.
    public var clickIdsNeedConsent: Bool
    /// Whether clicks of known bots are stored as others are; by default they are only counted.
    public var keepBots: Bool
    /// Whether browser, platform, language and a hash of the address alone are kept with consent, which the probability of a match is
    /// computed from.
    public var keepDevices: Bool
    /// Whether click ids and UTM parameters behind the `#` of a URL are read too.
    public var readFragment: Bool
    /// The proxies whose `X-Forwarded-For` is believed, as ranges like `10.0.0.0/8`. Without one the header is not read.
    public var trustedProxies: [AddressRange]
    /// Whether a frozen user agent, as Chrome sends it, counts in layers 2 and 3. It is equal for everybody with this version of the
    /// browser; if it does not count, client hints must stand in for it.
    public var useFrozenUserAgents: Bool

    public init(
        clickIdsNeedConsent: Bool = false,
        keepBots: Bool = false,
        keepDevices: Bool = false,
        readFragment: Bool = false,
        trustedProxies: [AddressRange] = [],
        useFrozenUserAgents: Bool = true
    ) {
        self.clickIdsNeedConsent = clickIdsNeedConsent
        self.keepBots = keepBots
        self.keepDevices = keepDevices
        self.readFragment = readFragment
        self.trustedProxies = trustedProxies
        self.useFrozenUserAgents = useFrozenUserAgents
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clickIdsNeedConsent = "click_ids_need_consent"
        case keepBots = "keep_bots"
        case keepDevices = "keep_devices"
        case readFragment = "read_fragment"
        case trustedProxies = "trusted_proxies"
        case useFrozenUserAgents = "use_frozen_user_agents"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        clickIdsNeedConsent = try container.decodeIfPresent(Bool.self, forKey: .clickIdsNeedConsent) ?? false
        keepBots = try container.decodeIfPresent(Bool.self, forKey: .keepBots) ?? false
        keepDevices = try container.decodeIfPresent(Bool.self, forKey: .keepDevices) ?? false
        readFragment = try container.decodeIfPresent(Bool.self, forKey: .readFragment) ?? false
        trustedProxies = try container.decodeIfPresent([AddressRange].self, forKey: .trustedProxies) ?? []
        useFrozenUserAgents = try container.decodeIfPresent(Bool.self, forKey: .useFrozenUserAgents) ?? true
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(clickIdsNeedConsent, forKey: .clickIdsNeedConsent)
        try container.encode(keepBots, forKey: .keepBots)
        try container.encode(keepDevices, forKey: .keepDevices)
        try container.encode(readFragment, forKey: .readFragment)
        if !trustedProxies.isEmpty { try container.encode(trustedProxies, forKey: .trustedProxies) }
        try container.encode(useFrozenUserAgents, forKey: .useFrozenUserAgents)
    }
}

/// How many calls may be in flight at once, all tenants together. One more is refused at once, as `throttled`; nothing queues. A
/// stream is in flight until its end, and answers from the cache are not counted.
public struct ConcurrencyConfig: Codable, Hashable, Sendable {
    /// Of the whole client.
    public var max: UInt32
    /// At each provider, after which the next one is asked; 0 for no bound but that of the client.
    public var perProvider: UInt32

    public init(max: UInt32 = 16384, perProvider: UInt32 = 0) {
        self.max = max
        self.perProvider = perProvider
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case max
        case perProvider = "per_provider"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        max = try container.decodeIfPresent(UInt32.self, forKey: .max) ?? 16384
        perProvider = try container.decodeIfPresent(UInt32.self, forKey: .perProvider) ?? 0
    }
}

/// Conditions on a request. Those that are not given hold.
public struct ConditionConfig: Codable, Hashable, Sendable {
    /// It is judged to be this.
    public var complexity: Complexity?
    /// Its prompt has more tokens than this, by the estimate for models that nothing is known of.
    public var longerThanTokens: UInt64?
    /// It needs all of these.
    public var needs: [Need]
    /// It has one of these tags.
    public var tags: [String]
    /// It is of one of these tenants.
    public var tenants: [String]

    public init(
        complexity: Complexity? = nil,
        longerThanTokens: UInt64? = nil,
        needs: [Need] = [],
        tags: [String] = [],
        tenants: [String] = []
    ) {
        self.complexity = complexity
        self.longerThanTokens = longerThanTokens
        self.needs = needs
        self.tags = tags
        self.tenants = tenants
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case complexity
        case longerThanTokens = "longer_than_tokens"
        case needs
        case tags
        case tenants
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        complexity = try container.decodeIfPresent(Complexity.self, forKey: .complexity)
        longerThanTokens = try container.decodeIfPresent(UInt64.self, forKey: .longerThanTokens)
        needs = try container.decodeIfPresent([Need].self, forKey: .needs) ?? []
        tags = try container.decodeIfPresent([String].self, forKey: .tags) ?? []
        tenants = try container.decodeIfPresent([String].self, forKey: .tenants) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(complexity, forKey: .complexity)
        try container.encodeIfPresent(longerThanTokens, forKey: .longerThanTokens)
        if !needs.isEmpty { try container.encode(needs, forKey: .needs) }
        if !tags.isEmpty { try container.encode(tags, forKey: .tags) }
        if !tenants.isEmpty { try container.encode(tenants, forKey: .tenants) }
    }
}

/// What a `Client`  is built from. Unknown keys are errors that name the known ones.
public struct Config: Codable, Hashable, Sendable {
    /// The version of this shape: 1.
    public var version: UInt32
    /// AI providers, routing, cache and limits.
    public var ai: AiConfig
    /// The winners.
    public var allocation: AllocationConfig
    /// Clicks, matching and stage values.
    public var attribution: AttributionConfig
    /// The limits of budget changes.
    public var execution: ExecutionConfig
    /// The CRM: webhooks in, deals read.
    public var hubspot: HubspotConfig?
    /// The ad platform.
    public var meta: MetaConfig?
    /// Where the account of AI spend is kept, instead of in the store, and where requests and tokens a minute are counted, instead of
    /// in each process: a Redis server that many workers share. While it is away, each process counts rates by itself.
    public var redis: RedisConfig?
    /// Where clicks, revenue, changes and state are kept.
    public var store: StoreConfig
    /// Deals and contacts that any backend sends by signed webhooks, beside the CRM or without one.
    public var webhooks: WebhooksConfig?

    public init(
        version: UInt32,
        ai: AiConfig = AiConfig(),
        allocation: AllocationConfig = AllocationConfig(),
        attribution: AttributionConfig = AttributionConfig(),
        execution: ExecutionConfig = ExecutionConfig(),
        hubspot: HubspotConfig? = nil,
        meta: MetaConfig? = nil,
        redis: RedisConfig? = nil,
        store: StoreConfig = .memory,
        webhooks: WebhooksConfig? = nil
    ) {
        self.version = version
        self.ai = ai
        self.allocation = allocation
        self.attribution = attribution
        self.execution = execution
        self.hubspot = hubspot
        self.meta = meta
        self.redis = redis
        self.store = store
        self.webhooks = webhooks
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case version
        case ai
        case allocation
        case attribution
        case execution
        case hubspot
        case meta
        case redis
        case store
        case webhooks
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        version = try container.decode(UInt32.self, forKey: .version)
        ai = try container.decodeIfPresent(AiConfig.self, forKey: .ai) ?? AiConfig()
        allocation = try container.decodeIfPresent(AllocationConfig.self, forKey: .allocation) ?? AllocationConfig()
        attribution = try container.decodeIfPresent(AttributionConfig.self, forKey: .attribution) ?? AttributionConfig()
        execution = try container.decodeIfPresent(ExecutionConfig.self, forKey: .execution) ?? ExecutionConfig()
        hubspot = try container.decodeIfPresent(HubspotConfig.self, forKey: .hubspot)
        meta = try container.decodeIfPresent(MetaConfig.self, forKey: .meta)
        redis = try container.decodeIfPresent(RedisConfig.self, forKey: .redis)
        store = try container.decodeIfPresent(StoreConfig.self, forKey: .store) ?? StoreConfig.memory
        webhooks = try container.decodeIfPresent(WebhooksConfig.self, forKey: .webhooks)
    }
}

/// The names of the contact properties that are read.
public struct ContactProperties: Codable, Hashable, Sendable {
    /// The contact's `Accept-Language`.
    public var acceptLanguage: String
    /// `true` when the contact consented; anything else is no consent.
    public var consent: String
    /// Facebook's click id, plain or as the browser's `_fbc` cookie.
    public var facebookClickId: String
    /// The first page that the contact saw.
    public var firstUrl: String
    /// Google's click id.
    public var googleClickId: String
    /// The contact's address.
    public var ip: String
    /// The contact's user agent.
    public var userAgent: String

    public init(
        acceptLanguage: String = "xynergy_accept_language",
        consent: String = "xynergy_consent",
        facebookClickId: String = "hs_facebook_click_id",
        firstUrl: String = "hs_analytics_first_url",
        googleClickId: String = "hs_google_click_id",
        ip: String = "xynergy_ip",
        userAgent: String = "xynergy_user_agent"
    ) {
        self.acceptLanguage = acceptLanguage
        self.consent = consent
        self.facebookClickId = facebookClickId
        self.firstUrl = firstUrl
        self.googleClickId = googleClickId
        self.ip = ip
        self.userAgent = userAgent
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case acceptLanguage = "accept_language"
        case consent
        case facebookClickId = "facebook_click_id"
        case firstUrl = "first_url"
        case googleClickId = "google_click_id"
        case ip
        case userAgent = "user_agent"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        acceptLanguage = try container.decodeIfPresent(String.self, forKey: .acceptLanguage) ?? "xynergy_accept_language"
        consent = try container.decodeIfPresent(String.self, forKey: .consent) ?? "xynergy_consent"
        facebookClickId = try container.decodeIfPresent(String.self, forKey: .facebookClickId) ?? "hs_facebook_click_id"
        firstUrl = try container.decodeIfPresent(String.self, forKey: .firstUrl) ?? "hs_analytics_first_url"
        googleClickId = try container.decodeIfPresent(String.self, forKey: .googleClickId) ?? "hs_google_click_id"
        ip = try container.decodeIfPresent(String.self, forKey: .ip) ?? "xynergy_ip"
        userAgent = try container.decodeIfPresent(String.self, forKey: .userAgent) ?? "xynergy_user_agent"
    }
}

/// The currency that revenue is counted in, and what others are worth in it.
public struct Currencies: Codable, Hashable, Sendable {
    /// The currency of every value: that of the ad account, and of deals that name none.
    public var base: Currency
    /// What the others are worth. A deal in a currency without a rate counts by its stage and says so.
    public var rates: [Rate]

    public init(base: Currency = "USD", rates: [Rate] = []) {
        self.base = base
        self.rates = rates
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case base
        case rates
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        base = try container.decodeIfPresent(Currency.self, forKey: .base) ?? "USD"
        rates = try container.decodeIfPresent([Rate].self, forKey: .rates) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(base, forKey: .base)
        if !rates.isEmpty { try container.encode(rates, forKey: .rates) }
    }
}

/// How texts are embedded.
public struct EmbeddingsConfig: Codable, Hashable, Sendable {
    /// How many requests of one call are in flight at once.
    public var concurrency: UInt32
    /// How long the vectors are to be where a request does not say, for models that can shorten them; the model's own length when
    /// absent.
    public var dimensions: UInt32?
    /// The most texts of one call. They are sent in as many requests as the provider needs.
    public var maxInputs: UInt64
    /// The model, as `text-embedding-3-small` or `openai/text-embedding-3-small`; where absent, the default model of the providers
    /// that embed, if they have but one.
    public var model: String?
    /// Who serves that model, in the order in which they are asked: `PROVIDER`, or `PROVIDER/MODEL` where it has another name there,
    /// as a deployment at Azure. It must be the same model everywhere: vectors of two models cannot be compared. Where empty, the
    /// providers whose default model it is.
    public var providers: [String]

    public init(
        concurrency: UInt32 = 4,
        dimensions: UInt32? = nil,
        maxInputs: UInt64 = 32768,
        model: String? = nil,
        providers: [String] = []
    ) {
        self.concurrency = concurrency
        self.dimensions = dimensions
        self.maxInputs = maxInputs
        self.model = model
        self.providers = providers
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case concurrency
        case dimensions
        case maxInputs = "max_inputs"
        case model
        case providers
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        concurrency = try container.decodeIfPresent(UInt32.self, forKey: .concurrency) ?? 4
        dimensions = try container.decodeIfPresent(UInt32.self, forKey: .dimensions)
        maxInputs = try container.decodeIfPresent(UInt64.self, forKey: .maxInputs) ?? 32768
        model = try container.decodeIfPresent(String.self, forKey: .model)
        providers = try container.decodeIfPresent([String].self, forKey: .providers) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(concurrency, forKey: .concurrency)
        try container.encodeIfPresent(dimensions, forKey: .dimensions)
        try container.encode(maxInputs, forKey: .maxInputs)
        try container.encodeIfPresent(model, forKey: .model)
        if !providers.isEmpty { try container.encode(providers, forKey: .providers) }
    }
}

/// The limits of budget changes: a preset, or every figure by itself.
public struct ExecutionConfig: Codable, Hashable, Sendable {
    /// The secret that jitter and fuzz are drawn with. Without one, a key is made at the first use and kept in the store.
    public var drawKey: SecretRef?
    /// Instead of the preset: figures that are not given are those of `standard`.
    public var policy: Policy?
    /// `standard` (no fuzz), `seed` (3 % fuzz) or `exact` (no jitter and no fuzz).
    public var preset: String
    /// Whether changes that are queued from now on wait until somebody approves the digest of their plan.
    public var requireApproval: Bool
    /// Who may approve, and who may give verdicts, retry and switch a kill switch off. Without an entry every named actor may.
    public var roles: Roles?

    public init(
        drawKey: SecretRef? = nil,
        policy: Policy? = nil,
        preset: String = "standard",
        requireApproval: Bool = false,
        roles: Roles? = nil
    ) {
        self.drawKey = drawKey
        self.policy = policy
        self.preset = preset
        self.requireApproval = requireApproval
        self.roles = roles
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case drawKey = "draw_key"
        case policy
        case preset
        case requireApproval = "require_approval"
        case roles
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        drawKey = try container.decodeIfPresent(SecretRef.self, forKey: .drawKey)
        policy = try container.decodeIfPresent(Policy.self, forKey: .policy)
        preset = try container.decodeIfPresent(String.self, forKey: .preset) ?? "standard"
        requireApproval = try container.decodeIfPresent(Bool.self, forKey: .requireApproval) ?? false
        roles = try container.decodeIfPresent(Roles.self, forKey: .roles)
    }
}

/// Who is asked where every model of a list would fail alike: lists of `PROVIDER` or `PROVIDER/MODEL`. Where a list is empty, the
/// error reaches the caller at once.
public struct FallbackConfig: Codable, Hashable, Sendable {
    /// When a provider's content filter refuses.
    public var contentFiltered: [String]
    /// When the prompt does not fit a model's context window: models with a larger one.
    public var contextTooLong: [String]

    public init(contentFiltered: [String] = [], contextTooLong: [String] = []) {
        self.contentFiltered = contentFiltered
        self.contextTooLong = contextTooLong
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case contentFiltered = "content_filtered"
        case contextTooLong = "context_too_long"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        contentFiltered = try container.decodeIfPresent([String].self, forKey: .contentFiltered) ?? []
        contextTooLong = try container.decodeIfPresent([String].self, forKey: .contextTooLong) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if !contentFiltered.isEmpty { try container.encode(contentFiltered, forKey: .contentFiltered) }
        if !contextTooLong.isEmpty { try container.encode(contextTooLong, forKey: .contextTooLong) }
    }
}

/// Second calls beside slow ones: when the first model takes longer than 95 of 100 of its calls took, the next one is asked too.
/// The first answer, or the first token of a stream, wins; the other call is aborted. Both are paid for.
public struct HedgeConfig: Codable, Hashable, Sendable {
    /// Second calls for a hundred requests at most, over time.
    public var budgetPercent: UInt32
    /// Whether there are any.
    public var enabled: Bool
    /// Answers of a model that must have been measured before.
    public var minCalls: UInt32
    /// The shortest wait before the second call, in milliseconds.
    public var minWaitMs: UInt64

    public init(budgetPercent: UInt32 = 5, enabled: Bool = false, minCalls: UInt32 = 20, minWaitMs: UInt64 = 50) {
        self.budgetPercent = budgetPercent
        self.enabled = enabled
        self.minCalls = minCalls
        self.minWaitMs = minWaitMs
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case budgetPercent = "budget_percent"
        case enabled
        case minCalls = "min_calls"
        case minWaitMs = "min_wait_ms"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        budgetPercent = try container.decodeIfPresent(UInt32.self, forKey: .budgetPercent) ?? 5
        enabled = try container.decodeIfPresent(Bool.self, forKey: .enabled) ?? false
        minCalls = try container.decodeIfPresent(UInt32.self, forKey: .minCalls) ?? 20
        minWaitMs = try container.decodeIfPresent(UInt64.self, forKey: .minWaitMs) ?? 50
    }
}

/// How HubSpot is reached and whom its webhooks are believed.
public struct HubspotConfig: Codable, Hashable, Sendable {
    /// The access token of a private app, with the scopes to read deals and contacts.
    public var accessToken: SecretRef
    /// The API's address; plain HTTP only on this machine.
    public var baseUrl: String
    /// The app's client secret, with which webhooks are signed.
    public var clientSecret: SecretRef
    /// The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read.
    public var maxBodyBytes: UInt64
    /// Access tokens by OAuth instead of `access_token`: for an app that many accounts install.
    public var oauth: OAuthConfig?
    /// How many reads of a tenant are sent in any 10 seconds at most. HubSpot lets 100 through for an app of its free plans.
    public var readsPer10Seconds: UInt32
    /// Which signatures are accepted.
    public var signatures: Signatures
    /// The time for one read, in milliseconds.
    public var timeoutMs: UInt64
    /// The addresses that HubSpot has of this server, each in full as it stands in HubSpot. With them, a delivery is checked against
    /// the one with its path and query, and scheme and host of a request, which its sender chooses, are not looked at. Without any,
    /// the caller gives the right address with each delivery.
    public var webhookUrls: [String]

    public init(
        accessToken: SecretRef = .env("HUBSPOT_ACCESS_TOKEN"),
        baseUrl: String = "https://api.hubapi.com",
        clientSecret: SecretRef = .env("HUBSPOT_CLIENT_SECRET"),
        maxBodyBytes: UInt64 = 8388608,
        oauth: OAuthConfig? = nil,
        readsPer10Seconds: UInt32 = 100,
        signatures: Signatures = .v3,
        timeoutMs: UInt64 = 10000,
        webhookUrls: [String] = []
    ) {
        self.accessToken = accessToken
        self.baseUrl = baseUrl
        self.clientSecret = clientSecret
        self.maxBodyBytes = maxBodyBytes
        self.oauth = oauth
        self.readsPer10Seconds = readsPer10Seconds
        self.signatures = signatures
        self.timeoutMs = timeoutMs
        self.webhookUrls = webhookUrls
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accessToken = "access_token"
        case baseUrl = "base_url"
        case clientSecret = "client_secret"
        case maxBodyBytes = "max_body_bytes"
        case oauth
        case readsPer10Seconds = "reads_per_10_seconds"
        case signatures
        case timeoutMs = "timeout_ms"
        case webhookUrls = "webhook_urls"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        accessToken = try container.decodeIfPresent(SecretRef.self, forKey: .accessToken) ?? SecretRef.env("HUBSPOT_ACCESS_TOKEN")
        baseUrl = try container.decodeIfPresent(String.self, forKey: .baseUrl) ?? "https://api.hubapi.com"
        clientSecret = try container.decodeIfPresent(SecretRef.self, forKey: .clientSecret) ?? SecretRef.env("HUBSPOT_CLIENT_SECRET")
        maxBodyBytes = try container.decodeIfPresent(UInt64.self, forKey: .maxBodyBytes) ?? 8388608
        oauth = try container.decodeIfPresent(OAuthConfig.self, forKey: .oauth)
        readsPer10Seconds = try container.decodeIfPresent(UInt32.self, forKey: .readsPer10Seconds) ?? 100
        signatures = try container.decodeIfPresent(Signatures.self, forKey: .signatures) ?? Signatures.v3
        timeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .timeoutMs) ?? 10000
        webhookUrls = try container.decodeIfPresent([String].self, forKey: .webhookUrls) ?? []
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accessToken, forKey: .accessToken)
        try container.encode(baseUrl, forKey: .baseUrl)
        try container.encode(clientSecret, forKey: .clientSecret)
        try container.encode(maxBodyBytes, forKey: .maxBodyBytes)
        try container.encodeIfPresent(oauth, forKey: .oauth)
        try container.encode(readsPer10Seconds, forKey: .readsPer10Seconds)
        try container.encode(signatures, forKey: .signatures)
        try container.encode(timeoutMs, forKey: .timeoutMs)
        if !webhookUrls.isEmpty { try container.encode(webhookUrls, forKey: .webhookUrls) }
    }
}

/// How Meta's Graph API is reached, and as which app.
public struct MetaConfig: Codable, Hashable, Sendable {
    /// The access token of a system user, with `ads_read` and `ads_management`.
    public var accessToken: SecretRef
    /// The ad account, with or without `act_`; empty where every call names one.
    public var accountId: String
    /// The id of the token's app. Without it the log of edits cannot tell its own edits from a person's, so that a write whose answer
    /// was lost is settled by the value alone or by a person.
    public var appId: String?
    /// The app's secret, for an app that requires a proof of it with every call.
    public var appSecret: SecretRef?
    /// The API's address without the version; plain HTTP only on this machine.
    public var baseUrl: String
    /// For how many days at most figures are asked for at once; for more, and when Meta finds it too much, a report is ordered.
    public var insightsSyncDays: UInt32
    /// The time for a report, in milliseconds.
    public var reportTimeoutMs: UInt64
    /// The time for one request, in milliseconds.
    public var timeoutMs: UInt64
    /// The version of the API, such as `v26.0`.
    public var version: String

    public init(
        accessToken: SecretRef = .env("META_ACCESS_TOKEN"),
        accountId: String = "",
        appId: String? = nil,
        appSecret: SecretRef? = nil,
        baseUrl: String = "https://graph.facebook.com",
        insightsSyncDays: UInt32 = 31,
        reportTimeoutMs: UInt64 = 600000,
        timeoutMs: UInt64 = 20000,
        version: String = "v26.0"
    ) {
        self.accessToken = accessToken
        self.accountId = accountId
        self.appId = appId
        self.appSecret = appSecret
        self.baseUrl = baseUrl
        self.insightsSyncDays = insightsSyncDays
        self.reportTimeoutMs = reportTimeoutMs
        self.timeoutMs = timeoutMs
        self.version = version
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accessToken = "access_token"
        case accountId = "account_id"
        case appId = "app_id"
        case appSecret = "app_secret"
        case baseUrl = "base_url"
        case insightsSyncDays = "insights_sync_days"
        case reportTimeoutMs = "report_timeout_ms"
        case timeoutMs = "timeout_ms"
        case version
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        accessToken = try container.decodeIfPresent(SecretRef.self, forKey: .accessToken) ?? SecretRef.env("META_ACCESS_TOKEN")
        accountId = try container.decodeIfPresent(String.self, forKey: .accountId) ?? ""
        appId = try container.decodeIfPresent(String.self, forKey: .appId)
        appSecret = try container.decodeIfPresent(SecretRef.self, forKey: .appSecret)
        baseUrl = try container.decodeIfPresent(String.self, forKey: .baseUrl) ?? "https://graph.facebook.com"
        insightsSyncDays = try container.decodeIfPresent(UInt32.self, forKey: .insightsSyncDays) ?? 31
        reportTimeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .reportTimeoutMs) ?? 600000
        timeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .timeoutMs) ?? 20000
        version = try container.decodeIfPresent(String.self, forKey: .version) ?? "v26.0"
    }
}

/// What access tokens are asked for with. Each tenant has its own refresh token, by its `SecretSource`.
public struct OAuthConfig: Codable, Hashable, Sendable {
    /// The app's client id.
    public var clientId: SecretRef
    /// The refresh token that the account's installation gave.
    public var refreshToken: SecretRef
    /// The app's client secret; `client_secret` of `[hubspot]` when absent, for it is the same one.
    public var clientSecret: SecretRef?

    public init(clientId: SecretRef, refreshToken: SecretRef, clientSecret: SecretRef? = nil) {
        self.clientId = clientId
        self.refreshToken = refreshToken
        self.clientSecret = clientSecret
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clientId = "client_id"
        case refreshToken = "refresh_token"
        case clientSecret = "client_secret"
    }
}

/// In which order the providers are asked. Names that are not configured are passed over; configured providers that an order does
/// not name come last.
public struct OrderConfig: Codable, Hashable, Sendable {
    /// For complex requests.
    public var complex: [String]
    /// For simple requests.
    public var simple: [String]

    public init(
        complex: [String] = ["abacus", "openai", "internal"],
        simple: [String] = ["internal", "abacus", "openai"]
    ) {
        self.complex = complex
        self.simple = simple
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case complex
        case simple
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        complex = try container.decodeIfPresent([String].self, forKey: .complex) ?? ["abacus", "openai", "internal"]
        simple = try container.decodeIfPresent([String].self, forKey: .simple) ?? ["internal", "abacus", "openai"]
    }
}

/// A stage of a pipeline.
public struct PipelineStage: Codable, Hashable, Sendable {
    /// The CRM's id of the stage.
    public var id: String
    /// How probably a deal in it is won, in thousandths: 1000 is the stage of won deals, 0 that of lost ones.
    public var probabilityPermille: UInt16
    /// What a deal in it is expected to bring, in minor units. That share of `closed_minor` when absent.
    public var valueMinor: Int64?

    public init(id: String, probabilityPermille: UInt16, valueMinor: Int64? = nil) {
        self.id = id
        self.probabilityPermille = probabilityPermille
        self.valueMinor = valueMinor
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case probabilityPermille = "probability_permille"
        case valueMinor = "value_minor"
    }
}

/// Every figure of the guards. All durations are in milliseconds.
public struct Policy: Codable, Hashable, Sendable {
    /// When a change over the account's cap is asked again.
    public var accountCapRetryMs: UInt64
    /// How many changes an account may have in that window, all its campaigns together.
    public var accountChanges: UInt32
    /// How many budget changes an ad set may have in that window, other people's included: platforms block it above.
    public var adsetBudgetChanges: UInt32
    /// How many changes a campaign may have in that window, all its owners together.
    public var campaignChanges: UInt32
    /// How far the platform's clock may be behind ours.
    public var clockSkewMs: UInt64
    /// How long a queued change stays valid unless it says so itself.
    public var expiresAfterMs: UInt64
    /// How far a value may be moved away from its target to avoid identical edits, in thousandths; 0 for not at all.
    public var fuzzPerMille: UInt32
    /// The greatest delay between queueing and running.
    public var jitterMaxMs: UInt64
    /// The least delay between queueing and running.
    public var jitterMinMs: UInt64
    /// When a change is asked again under a kill switch; switching it off asks at once.
    public var killSwitchRetryMs: UInt64
    /// How long after the lease's end a request may still land. Nothing is decided about a lost one before.
    public var landingMs: UInt64
    /// For how long after a verdict of not applied the platform's log is still searched for a late landing.
    public var lateWatchMs: UInt64
    /// For how long a lower limit that the platform's refusals taught is kept to.
    public var learnedLimitMs: UInt64
    /// When a change of an object in its learning phase is asked again.
    public var learningRetryMs: UInt64
    /// How long a worker that wrote an intent may take to send and settle it.
    public var leaseMs: UInt64
    /// How many attempts may be lost without effect before a person has to look.
    public var maxAttempts: UInt32
    /// The window of the limits on the number of changes.
    public var rateWindowMs: UInt64
    /// Whether budgets and bids of an object in the platform's learning phase are left as they are, but for cuts.
    public var respectLearning: Bool
    /// How long one write may take; it must fit into the lease.
    public var sendTimeoutMs: UInt64
    /// How old a value read from the platform may be when a decision uses it.
    public var snapshotMaxAgeMs: UInt64
    /// When a throttled change is asked again if the platform does not say.
    public var throttledRetryMs: UInt64
    /// When a change is asked again after the platform refused the credentials.
    public var unauthorizedRetryMs: UInt64
    /// When a change is asked again after the platform could not be reached.
    public var unreachableRetryMs: UInt64
    /// How far a value may move in that window, up and down added, in thousandths of what it was at its start.
    public var velocityPerMille: UInt32
    /// The window of the limit on movement.
    public var velocityWindowMs: UInt64

    public init(
        accountCapRetryMs: UInt64 = 21600000,
        accountChanges: UInt32 = 1000,
        adsetBudgetChanges: UInt32 = 3,
        campaignChanges: UInt32 = 15,
        clockSkewMs: UInt64 = 5000,
        expiresAfterMs: UInt64 = 86400000,
        fuzzPerMille: UInt32 = 0,
        jitterMaxMs: UInt64 = 18000,
        jitterMinMs: UInt64 = 3000,
        killSwitchRetryMs: UInt64 = 3600000,
        landingMs: UInt64 = 120000,
        lateWatchMs: UInt64 = 86400000,
        learnedLimitMs: UInt64 = 86400000,
        learningRetryMs: UInt64 = 21600000,
        leaseMs: UInt64 = 60000,
        maxAttempts: UInt32 = 5,
        rateWindowMs: UInt64 = 3600000,
        respectLearning: Bool = true,
        sendTimeoutMs: UInt64 = 30000,
        snapshotMaxAgeMs: UInt64 = 10000,
        throttledRetryMs: UInt64 = 300000,
        unauthorizedRetryMs: UInt64 = 3600000,
        unreachableRetryMs: UInt64 = 60000,
        velocityPerMille: UInt32 = 200,
        velocityWindowMs: UInt64 = 21600000
    ) {
        self.accountCapRetryMs = accountCapRetryMs
        self.accountChanges = accountChanges
        self.adsetBudgetChanges = adsetBudgetChanges
        self.campaignChanges = campaignChanges
        self.clockSkewMs = clockSkewMs
        self.expiresAfterMs = expiresAfterMs
        self.fuzzPerMille = fuzzPerMille
        self.jitterMaxMs = jitterMaxMs
        self.jitterMinMs = jitterMinMs
        self.killSwitchRetryMs = killSwitchRetryMs
        self.landingMs = landingMs
        self.lateWatchMs = lateWatchMs
        self.learnedLimitMs = learnedLimitMs
        self.learningRetryMs = learningRetryMs
        self.leaseMs = leaseMs
        self.maxAttempts = maxAttempts
        self.rateWindowMs = rateWindowMs
        self.respectLearning = respectLearning
        self.sendTimeoutMs = sendTimeoutMs
        self.snapshotMaxAgeMs = snapshotMaxAgeMs
        self.throttledRetryMs = throttledRetryMs
        self.unauthorizedRetryMs = unauthorizedRetryMs
        self.unreachableRetryMs = unreachableRetryMs
        self.velocityPerMille = velocityPerMille
        self.velocityWindowMs = velocityWindowMs
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accountCapRetryMs = "account_cap_retry_ms"
        case accountChanges = "account_changes"
        case adsetBudgetChanges = "adset_budget_changes"
        case campaignChanges = "campaign_changes"
        case clockSkewMs = "clock_skew_ms"
        case expiresAfterMs = "expires_after_ms"
        case fuzzPerMille = "fuzz_per_mille"
        case jitterMaxMs = "jitter_max_ms"
        case jitterMinMs = "jitter_min_ms"
        case killSwitchRetryMs = "kill_switch_retry_ms"
        case landingMs = "landing_ms"
        case lateWatchMs = "late_watch_ms"
        case learnedLimitMs = "learned_limit_ms"
        case learningRetryMs = "learning_retry_ms"
        case leaseMs = "lease_ms"
        case maxAttempts = "max_attempts"
        case rateWindowMs = "rate_window_ms"
        case respectLearning = "respect_learning"
        case sendTimeoutMs = "send_timeout_ms"
        case snapshotMaxAgeMs = "snapshot_max_age_ms"
        case throttledRetryMs = "throttled_retry_ms"
        case unauthorizedRetryMs = "unauthorized_retry_ms"
        case unreachableRetryMs = "unreachable_retry_ms"
        case velocityPerMille = "velocity_per_mille"
        case velocityWindowMs = "velocity_window_ms"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        accountCapRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .accountCapRetryMs) ?? 21600000
        accountChanges = try container.decodeIfPresent(UInt32.self, forKey: .accountChanges) ?? 1000
        adsetBudgetChanges = try container.decodeIfPresent(UInt32.self, forKey: .adsetBudgetChanges) ?? 3
        campaignChanges = try container.decodeIfPresent(UInt32.self, forKey: .campaignChanges) ?? 15
        clockSkewMs = try container.decodeIfPresent(UInt64.self, forKey: .clockSkewMs) ?? 5000
        expiresAfterMs = try container.decodeIfPresent(UInt64.self, forKey: .expiresAfterMs) ?? 86400000
        fuzzPerMille = try container.decodeIfPresent(UInt32.self, forKey: .fuzzPerMille) ?? 0
        jitterMaxMs = try container.decodeIfPresent(UInt64.self, forKey: .jitterMaxMs) ?? 18000
        jitterMinMs = try container.decodeIfPresent(UInt64.self, forKey: .jitterMinMs) ?? 3000
        killSwitchRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .killSwitchRetryMs) ?? 3600000
        landingMs = try container.decodeIfPresent(UInt64.self, forKey: .landingMs) ?? 120000
        lateWatchMs = try container.decodeIfPresent(UInt64.self, forKey: .lateWatchMs) ?? 86400000
        learnedLimitMs = try container.decodeIfPresent(UInt64.self, forKey: .learnedLimitMs) ?? 86400000
        learningRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .learningRetryMs) ?? 21600000
        leaseMs = try container.decodeIfPresent(UInt64.self, forKey: .leaseMs) ?? 60000
        maxAttempts = try container.decodeIfPresent(UInt32.self, forKey: .maxAttempts) ?? 5
        rateWindowMs = try container.decodeIfPresent(UInt64.self, forKey: .rateWindowMs) ?? 3600000
        respectLearning = try container.decodeIfPresent(Bool.self, forKey: .respectLearning) ?? true
        sendTimeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .sendTimeoutMs) ?? 30000
        snapshotMaxAgeMs = try container.decodeIfPresent(UInt64.self, forKey: .snapshotMaxAgeMs) ?? 10000
        throttledRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .throttledRetryMs) ?? 300000
        unauthorizedRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .unauthorizedRetryMs) ?? 3600000
        unreachableRetryMs = try container.decodeIfPresent(UInt64.self, forKey: .unreachableRetryMs) ?? 60000
        velocityPerMille = try container.decodeIfPresent(UInt32.self, forKey: .velocityPerMille) ?? 200
        velocityWindowMs = try container.decodeIfPresent(UInt64.self, forKey: .velocityWindowMs) ?? 21600000
    }
}

/// Which route answers the requests that it is for. Of the list the first that matches decides, for requests that name no model
/// or `auto`.
public struct PolicyConfig: Codable, Hashable, Sendable {
    /// Who is asked: a route, a `PROVIDER` or a `PROVIDER/MODEL`.
    public var route: String
    /// Which requests it is for: those that every given condition holds for; all where none is given.
    public var when: ConditionConfig

    public init(route: String, when: ConditionConfig = ConditionConfig()) {
        self.route = route
        self.when = when
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case route
        case when
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        route = try container.decode(String.self, forKey: .route)
        when = try container.decodeIfPresent(ConditionConfig.self, forKey: .when) ?? ConditionConfig()
    }
}

/// What a model costs: `per_request_nano_usd`, or the prices of a million tokens. All in billionths of a dollar.
public struct PriceConfig: Codable, Hashable, Sendable {
    /// A million tokens of the prompt that the provider had cached; as input where absent.
    public var cachedInputPerMillionNanoUsd: UInt64?
    /// A million tokens of the prompt.
    public var inputPerMillionNanoUsd: UInt64?
    /// A million tokens of the answer.
    public var outputPerMillionNanoUsd: UInt64?
    /// The same for every answer.
    public var perRequestNanoUsd: UInt64?

    public init(
        cachedInputPerMillionNanoUsd: UInt64? = nil,
        inputPerMillionNanoUsd: UInt64? = nil,
        outputPerMillionNanoUsd: UInt64? = nil,
        perRequestNanoUsd: UInt64? = nil
    ) {
        self.cachedInputPerMillionNanoUsd = cachedInputPerMillionNanoUsd
        self.inputPerMillionNanoUsd = inputPerMillionNanoUsd
        self.outputPerMillionNanoUsd = outputPerMillionNanoUsd
        self.perRequestNanoUsd = perRequestNanoUsd
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cachedInputPerMillionNanoUsd = "cached_input_per_million_nano_usd"
        case inputPerMillionNanoUsd = "input_per_million_nano_usd"
        case outputPerMillionNanoUsd = "output_per_million_nano_usd"
        case perRequestNanoUsd = "per_request_nano_usd"
    }
}

/// One AI provider.
public struct ProviderConfig: Codable, Hashable, Sendable {
    /// Allows `http` to other machines: prompts and key then travel unencrypted.
    public var allowHttp: Bool
    /// Where its API key is found, or a list of several, which take turns; none is sent where absent. A key that is refused or
    /// throttled rests for a while, and the next one is used.
    public var apiKey: ApiKeys?
    /// The `api-version` of Azure; its v1 API, which needs none, where absent.
    public var apiVersion: String?
    /// The address up to and without `/chat/completions`; the dialect's own where absent.
    public var baseUrl: String?
    /// How many tokens prompt and answer of its default model may have together, where the library does not know or knows it wrong. A
    /// request that does not fit goes to the next model that it fits.
    public var contextWindow: UInt64?
    /// The same for other models of its, by their names.
    public var contextWindows: [String: UInt64]
    /// Whose ways it has; by its name where absent.
    public var dialect: Dialect?
    /// The model that is asked when a request names none; the dialect's own where absent.
    public var model: String?
    /// What it costs, where the library does not know or knows it wrong.
    public var price: PriceConfig?
    /// How many requests and tokens a minute each tenant may send to it; unlimited when absent.
    public var rateLimit: RateLimit?
    /// What builds it: `openai_compatible`, `openai_responses`, `anthropic`; or `host` for the price and the limits of a provider or
    /// an embedder that the host gives under this name.
    public var type: String

    public init(
        allowHttp: Bool = false,
        apiKey: ApiKeys? = nil,
        apiVersion: String? = nil,
        baseUrl: String? = nil,
        contextWindow: UInt64? = nil,
        contextWindows: [String: UInt64] = [:],
        dialect: Dialect? = nil,
        model: String? = nil,
        price: PriceConfig? = nil,
        rateLimit: RateLimit? = nil,
        type: String = "openai_compatible"
    ) {
        self.allowHttp = allowHttp
        self.apiKey = apiKey
        self.apiVersion = apiVersion
        self.baseUrl = baseUrl
        self.contextWindow = contextWindow
        self.contextWindows = contextWindows
        self.dialect = dialect
        self.model = model
        self.price = price
        self.rateLimit = rateLimit
        self.type = type
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case allowHttp = "allow_http"
        case apiKey = "api_key"
        case apiVersion = "api_version"
        case baseUrl = "base_url"
        case contextWindow = "context_window"
        case contextWindows = "context_windows"
        case dialect
        case model
        case price
        case rateLimit = "rate_limit"
        case type
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        allowHttp = try container.decodeIfPresent(Bool.self, forKey: .allowHttp) ?? false
        apiKey = try container.decodeIfPresent(ApiKeys.self, forKey: .apiKey)
        apiVersion = try container.decodeIfPresent(String.self, forKey: .apiVersion)
        baseUrl = try container.decodeIfPresent(String.self, forKey: .baseUrl)
        contextWindow = try container.decodeIfPresent(UInt64.self, forKey: .contextWindow)
        contextWindows = try container.decodeIfPresent([String: UInt64].self, forKey: .contextWindows) ?? [:]
        dialect = try container.decodeIfPresent(Dialect.self, forKey: .dialect)
        model = try container.decodeIfPresent(String.self, forKey: .model)
        price = try container.decodeIfPresent(PriceConfig.self, forKey: .price)
        rateLimit = try container.decodeIfPresent(RateLimit.self, forKey: .rateLimit)
        type = try container.decodeIfPresent(String.self, forKey: .type) ?? "openai_compatible"
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(allowHttp, forKey: .allowHttp)
        try container.encodeIfPresent(apiKey, forKey: .apiKey)
        try container.encodeIfPresent(apiVersion, forKey: .apiVersion)
        try container.encodeIfPresent(baseUrl, forKey: .baseUrl)
        try container.encodeIfPresent(contextWindow, forKey: .contextWindow)
        if !contextWindows.isEmpty { try container.encode(contextWindows, forKey: .contextWindows) }
        try container.encodeIfPresent(dialect, forKey: .dialect)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(price, forKey: .price)
        try container.encodeIfPresent(rateLimit, forKey: .rateLimit)
        try container.encode(type, forKey: .type)
    }
}

/// What one unit of a currency is worth in the base currency.
public struct Rate: Codable, Hashable, Sendable {
    /// The other currency.
    public var currency: Currency
    /// Major units of the base currency for one major unit of the other, as decimal text: `1.0842`.
    public var rate: String
    /// From when on; always, until the first one with a time, when absent.
    public var since: Timestamp?

    public init(currency: Currency, rate: String, since: Timestamp? = nil) {
        self.currency = currency
        self.rate = rate
        self.since = since
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case currency
        case rate
        case since
    }
}

/// So many requests or tokens a minute, or both.
public struct RateFigures: Codable, Hashable, Sendable {
    /// Requests a minute, at least 1; any number where absent.
    public var requestsPerMinute: UInt32?
    /// Tokens of prompts and answers a minute, at least 1; any number where absent. What a call will need is estimated before it is
    /// made and corrected by what it used.
    public var tokensPerMinute: UInt32?

    public init(requestsPerMinute: UInt32? = nil, tokensPerMinute: UInt32? = nil) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case requestsPerMinute = "requests_per_minute"
        case tokensPerMinute = "tokens_per_minute"
    }
}

/// Where a Redis server is and how it is used.
public struct RedisConfig: Codable, Hashable, Sendable {
    /// The server's URL, `redis://HOST:PORT/DATABASE` (`rediss` with TLS), or where a secret with the whole URL is found.
    public var url: RedisUrl
    /// Whether a server on another host may be used without TLS.
    public var allowPlaintext: Bool
    /// How long making a connection may take.
    public var connectTimeoutMs: UInt64
    /// What every key begins with.
    public var prefix: String
    /// How long an answer may take.
    public var responseTimeoutMs: UInt64

    public init(
        url: RedisUrl,
        allowPlaintext: Bool = false,
        connectTimeoutMs: UInt64 = 1000,
        prefix: String = "xynergy",
        responseTimeoutMs: UInt64 = 1000
    ) {
        self.url = url
        self.allowPlaintext = allowPlaintext
        self.connectTimeoutMs = connectTimeoutMs
        self.prefix = prefix
        self.responseTimeoutMs = responseTimeoutMs
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case url
        case allowPlaintext = "allow_plaintext"
        case connectTimeoutMs = "connect_timeout_ms"
        case prefix
        case responseTimeoutMs = "response_timeout_ms"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        url = try container.decode(RedisUrl.self, forKey: .url)
        allowPlaintext = try container.decodeIfPresent(Bool.self, forKey: .allowPlaintext) ?? false
        connectTimeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .connectTimeoutMs) ?? 1000
        prefix = try container.decodeIfPresent(String.self, forKey: .prefix) ?? "xynergy"
        responseTimeoutMs = try container.decodeIfPresent(UInt64.self, forKey: .responseTimeoutMs) ?? 1000
    }
}

/// So many requests a minute.
public struct RequestRate: Codable, Hashable, Sendable {
    /// Requests a minute, at least 1.
    public var perMinute: UInt32

    public init(perMinute: UInt32) {
        self.perMinute = perMinute
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case perMinute = "per_minute"
    }
}

/// How long clicks are kept.
public struct RetentionConfig: Codable, Hashable, Sendable {
    /// After how many days `attribution.prune` forgets a click: by default 90, the life of the ad platforms' own click cookies. No
    /// match reaches further back.
    public var clicksDays: UInt16

    public init(clicksDays: UInt16 = 90) {
        self.clicksDays = clicksDays
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case clicksDays = "clicks_days"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        clicksDays = try container.decodeIfPresent(UInt16.self, forKey: .clicksDays) ?? 90
    }
}

/// Retries of temporary faults at one provider, before the next is asked.
public struct RetryConfig: Codable, Hashable, Sendable {
    /// The wait before the first one, in milliseconds; it doubles each time, and half of it is random.
    public var baseMs: UInt64
    /// Retries for a hundred requests, over time, so that retries do not multiply an outage.
    public var budgetPercent: UInt32
    /// The longest wait, in milliseconds. A provider that asks for a longer one is left for the next.
    public var maxMs: UInt64
    /// How often at most; 0 for never.
    public var maxRetries: UInt32

    public init(baseMs: UInt64 = 250, budgetPercent: UInt32 = 20, maxMs: UInt64 = 4000, maxRetries: UInt32 = 3) {
        self.baseMs = baseMs
        self.budgetPercent = budgetPercent
        self.maxMs = maxMs
        self.maxRetries = maxRetries
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case baseMs = "base_ms"
        case budgetPercent = "budget_percent"
        case maxMs = "max_ms"
        case maxRetries = "max_retries"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        baseMs = try container.decodeIfPresent(UInt64.self, forKey: .baseMs) ?? 250
        budgetPercent = try container.decodeIfPresent(UInt32.self, forKey: .budgetPercent) ?? 20
        maxMs = try container.decodeIfPresent(UInt64.self, forKey: .maxMs) ?? 4000
        maxRetries = try container.decodeIfPresent(UInt32.self, forKey: .maxRetries) ?? 3
    }
}

/// A spend limit that holds for every tenant, each by itself.
public struct SpendLimitConfig: Codable, Hashable, Sendable {
    /// Over which span of the calendar.
    public var window: Window
    /// The cap, in billionths of a dollar.
    public var amountNanoUsd: UInt64
    /// Whether calls are refused at it; otherwise it only warns.
    public var hard: Bool
    /// Only for calls under this key of the caller's.
    public var key: String?
    /// Only for calls with this tag.
    public var tag: String?
    /// Whose calendar and clock it is: an IANA name, UTC when absent.
    public var zone: Zone

    public init(
        window: Window,
        amountNanoUsd: UInt64,
        hard: Bool = true,
        key: String? = nil,
        tag: String? = nil,
        zone: Zone = "UTC"
    ) {
        self.window = window
        self.amountNanoUsd = amountNanoUsd
        self.hard = hard
        self.key = key
        self.tag = tag
        self.zone = zone
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case window
        case amountNanoUsd = "amount_nano_usd"
        case hard
        case key
        case tag
        case zone
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        window = try container.decode(Window.self, forKey: .window)
        amountNanoUsd = try container.decode(UInt64.self, forKey: .amountNanoUsd)
        hard = try container.decodeIfPresent(Bool.self, forKey: .hard) ?? true
        key = try container.decodeIfPresent(String.self, forKey: .key)
        tag = try container.decodeIfPresent(String.self, forKey: .tag)
        zone = try container.decodeIfPresent(Zone.self, forKey: .zone) ?? "UTC"
    }
}

/// Deadlines, in milliseconds of real time.
public struct TimeoutConfig: Codable, Hashable, Sendable {
    /// Until the whole answer of one attempt at one provider.
    public var attemptMs: UInt64
    /// Until the first token of a stream of one attempt: text, a tool call, reasoning or a refusal.
    public var firstTokenMs: UInt64
    /// Between two pieces of a stream.
    public var idleMs: UInt64
    /// Until the end of a stream, from its call; 0 for as long as it takes.
    public var streamTotalMs: UInt64
    /// Until the whole answer is there, or the first piece of a stream, whoever is asked.
    public var totalMs: UInt64

    public init(
        attemptMs: UInt64 = 20000,
        firstTokenMs: UInt64 = 20000,
        idleMs: UInt64 = 20000,
        streamTotalMs: UInt64 = 600000,
        totalMs: UInt64 = 30000
    ) {
        self.attemptMs = attemptMs
        self.firstTokenMs = firstTokenMs
        self.idleMs = idleMs
        self.streamTotalMs = streamTotalMs
        self.totalMs = totalMs
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case attemptMs = "attempt_ms"
        case firstTokenMs = "first_token_ms"
        case idleMs = "idle_ms"
        case streamTotalMs = "stream_total_ms"
        case totalMs = "total_ms"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        attemptMs = try container.decodeIfPresent(UInt64.self, forKey: .attemptMs) ?? 20000
        firstTokenMs = try container.decodeIfPresent(UInt64.self, forKey: .firstTokenMs) ?? 20000
        idleMs = try container.decodeIfPresent(UInt64.self, forKey: .idleMs) ?? 20000
        streamTotalMs = try container.decodeIfPresent(UInt64.self, forKey: .streamTotalMs) ?? 600000
        totalMs = try container.decodeIfPresent(UInt64.self, forKey: .totalMs) ?? 30000
    }
}

/// How limits of answers are sized.
public struct TokenConfig: Codable, Hashable, Sendable {
    /// The limit where the user gives none, in tokens.
    public var defaultLimit: UInt32
    /// Whether `generate` sizes them.
    public var optimize: Bool
    /// The limit for simple prompts, in tokens.
    public var simpleLimit: UInt32

    public init(defaultLimit: UInt32 = 512, optimize: Bool = true, simpleLimit: UInt32 = 256) {
        self.defaultLimit = defaultLimit
        self.optimize = optimize
        self.simpleLimit = simpleLimit
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case defaultLimit = "default_limit"
        case optimize
        case simpleLimit = "simple_limit"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        defaultLimit = try container.decodeIfPresent(UInt32.self, forKey: .defaultLimit) ?? 512
        optimize = try container.decodeIfPresent(Bool.self, forKey: .optimize) ?? true
        simpleLimit = try container.decodeIfPresent(UInt32.self, forKey: .simpleLimit) ?? 256
    }
}

/// Deals and contacts that any backend sends, as signed webhooks of its own.
public struct WebhooksConfig: Codable, Hashable, Sendable {
    /// The secrets that deliveries may be signed with, each `whsec_` and base64 of 24 to 64 bytes. Give the old one beside the new
    /// one while senders change over.
    public var secrets: [SecretRef]
    /// The greatest body of a delivery, in bytes. A greater one is refused before anything of it is read.
    public var maxBodyBytes: UInt64

    public init(secrets: [SecretRef], maxBodyBytes: UInt64 = 8388608) {
        self.secrets = secrets
        self.maxBodyBytes = maxBodyBytes
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case secrets
        case maxBodyBytes = "max_body_bytes"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        secrets = try container.decode([SecretRef].self, forKey: .secrets)
        maxBodyBytes = try container.decodeIfPresent(UInt64.self, forKey: .maxBodyBytes) ?? 8388608
    }
}

/// How far before the conversion a click may lie, in hours by layer, the bound included; 0 never matches by that layer.
public struct Windows: Codable, Hashable, Sendable {
    /// Other windows for the clicks of a channel, by the `utm_source` of their URL as it stands there.
    public var channels: [String: ChannelWindows]
    /// Equal click ids: 30 days by default.
    public var layer1Hours: UInt32
    /// Equal fingerprints: 7 days by default.
    public var layer2Hours: UInt32
    /// Equal address and user agent: 1 day by default.
    public var layer3Hours: UInt32
    /// How far back the probability looks for clicks of the same network, for a model that is trained from now on: 7 days by default.
    public var probabilityHours: UInt32

    public init(
        channels: [String: ChannelWindows] = [:],
        layer1Hours: UInt32 = 720,
        layer2Hours: UInt32 = 168,
        layer3Hours: UInt32 = 24,
        probabilityHours: UInt32 = 168
    ) {
        self.channels = channels
        self.layer1Hours = layer1Hours
        self.layer2Hours = layer2Hours
        self.layer3Hours = layer3Hours
        self.probabilityHours = probabilityHours
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case channels
        case layer1Hours = "layer1_hours"
        case layer2Hours = "layer2_hours"
        case layer3Hours = "layer3_hours"
        case probabilityHours = "probability_hours"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        channels = try container.decodeIfPresent([String: ChannelWindows].self, forKey: .channels) ?? [:]
        layer1Hours = try container.decodeIfPresent(UInt32.self, forKey: .layer1Hours) ?? 720
        layer2Hours = try container.decodeIfPresent(UInt32.self, forKey: .layer2Hours) ?? 168
        layer3Hours = try container.decodeIfPresent(UInt32.self, forKey: .layer3Hours) ?? 24
        probabilityHours = try container.decodeIfPresent(UInt32.self, forKey: .probabilityHours) ?? 168
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if !channels.isEmpty { try container.encode(channels, forKey: .channels) }
        try container.encode(layer1Hours, forKey: .layer1Hours)
        try container.encode(layer2Hours, forKey: .layer2Hours)
        try container.encode(layer3Hours, forKey: .layer3Hours)
        try container.encode(probabilityHours, forKey: .probabilityHours)
    }
}

/// Where the winners are kept, and how large their embeddings are.
public struct WinnersConfig: Codable, Hashable, Sendable {
    /// How many numbers an embedding has: 768 by default, 1 to 65536.
    public var dimensions: UInt32
    /// Up to how many winners a search compares every one; with more it goes through a graph of near neighbours (HNSW) and is
    /// approximate. 50000 by default.
    public var exactUpTo: UInt32
    /// The folder in which `winners.persist` keeps them, a folder in it for each tenant. Without one they are gone with the process.
    public var path: String?

    public init(dimensions: UInt32 = 768, exactUpTo: UInt32 = 50000, path: String? = nil) {
        self.dimensions = dimensions
        self.exactUpTo = exactUpTo
        self.path = path
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case dimensions
        case exactUpTo = "exact_up_to"
        case path
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        dimensions = try container.decodeIfPresent(UInt32.self, forKey: .dimensions) ?? 768
        exactUpTo = try container.decodeIfPresent(UInt32.self, forKey: .exactUpTo) ?? 50000
        path = try container.decodeIfPresent(String.self, forKey: .path)
    }
}
