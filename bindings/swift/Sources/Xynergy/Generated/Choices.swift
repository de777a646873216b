// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// A range of addresses, as `10.0.0.0/8`.
public typealias AddressRange = String

/// Where the API keys of a provider are found: one, or several that take turns.
public enum ApiKeys: Codable, Hashable, Sendable {
    /// One key.
    case secretRef(SecretRef)
    /// Several keys, at least one.
    case secretRefs([SecretRef])
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? [SecretRef](from: decoder) {
            self = .secretRefs(value)
            return
        }
        if let value = try? SecretRef(from: decoder) {
            self = .secretRef(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .secretRef(let value): try value.encode(to: encoder)
        case .secretRefs(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// A change's key: 128 bits, 32 hex digits outside.
public typealias ChangeId = String

/// What a message says.
public enum Content: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Plain text.
    case text(String)
    /// Parts: text, images, files and whatever providers add.
    case parts([ContentPart])
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        if let value = try? [ContentPart](from: decoder) {
            self = .parts(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .text(let value): try value.encode(to: encoder)
        case .parts(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// What an event says of the first of its deals, or of a contact.
public enum CrmChange: Codable, Hashable, Sendable {
    /// The deal is in another pipeline stage.
    case stage(stage: String)
    /// The deal is in another pipeline.
    case pipeline(pipeline: String)
    /// What the deal would bring is another amount.
    case amount(amount: String?)
    /// The amount is in another currency.
    case currency(currency: String?)
    /// The deal was made.
    case created
    /// The deal was deleted.
    case deleted
    /// The deal is there again.
    case restored
    /// The other deals of the event were merged into its first one.
    case merged
    /// The customer got money of the deal back.
    case refund(amount: String, currency: String?)
    /// A person is to be forgotten: whatever is kept of this contact goes.
    case forgotten(contactId: String)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let container = try? decoder.container(keyedBy: CrmChangeStageKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "stage"
        {
            self = try .stage(stage: container.decode(String.self, forKey: .stage))
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangePipelineKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "pipeline"
        {
            self = try .pipeline(pipeline: container.decode(String.self, forKey: .pipeline))
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeAmountKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "amount"
        {
            self = try .amount(amount: container.decodeIfPresent(String.self, forKey: .amount))
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeCurrencyKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "currency"
        {
            self = try .currency(currency: container.decodeIfPresent(String.self, forKey: .currency))
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeCreatedKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "created"
        {
            self = .created
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeDeletedKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "deleted"
        {
            self = .deleted
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeRestoredKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "restored"
        {
            self = .restored
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeMergedKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "merged"
        {
            self = .merged
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeRefundKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "refund"
        {
            self = try .refund(amount: container.decode(String.self, forKey: .amount), currency: container.decodeIfPresent(String.self, forKey: .currency))
            return
        }
        if let container = try? decoder.container(keyedBy: CrmChangeForgottenKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "forgotten"
        {
            self = try .forgotten(contactId: container.decode(String.self, forKey: .contactId))
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .stage(let stage):
            var container = encoder.container(keyedBy: CrmChangeStageKeys.self)
            try container.encode("stage", forKey: .type)
            try container.encode(stage, forKey: .stage)
        case .pipeline(let pipeline):
            var container = encoder.container(keyedBy: CrmChangePipelineKeys.self)
            try container.encode("pipeline", forKey: .type)
            try container.encode(pipeline, forKey: .pipeline)
        case .amount(let amount):
            var container = encoder.container(keyedBy: CrmChangeAmountKeys.self)
            try container.encode("amount", forKey: .type)
            try container.encode(amount, forKey: .amount)
        case .currency(let currency):
            var container = encoder.container(keyedBy: CrmChangeCurrencyKeys.self)
            try container.encode("currency", forKey: .type)
            try container.encode(currency, forKey: .currency)
        case .created:
            var container = encoder.container(keyedBy: CrmChangeCreatedKeys.self)
            try container.encode("created", forKey: .type)
        case .deleted:
            var container = encoder.container(keyedBy: CrmChangeDeletedKeys.self)
            try container.encode("deleted", forKey: .type)
        case .restored:
            var container = encoder.container(keyedBy: CrmChangeRestoredKeys.self)
            try container.encode("restored", forKey: .type)
        case .merged:
            var container = encoder.container(keyedBy: CrmChangeMergedKeys.self)
            try container.encode("merged", forKey: .type)
        case .refund(let amount, let currency):
            var container = encoder.container(keyedBy: CrmChangeRefundKeys.self)
            try container.encode("refund", forKey: .type)
            try container.encode(amount, forKey: .amount)
            try container.encode(currency, forKey: .currency)
        case .forgotten(let contactId):
            var container = encoder.container(keyedBy: CrmChangeForgottenKeys.self)
            try container.encode("forgotten", forKey: .type)
            try container.encode(contactId, forKey: .contactId)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

private enum CrmChangeStageKeys: String, CodingKey {
    case type
    case stage
}

private enum CrmChangePipelineKeys: String, CodingKey {
    case type
    case pipeline
}

private enum CrmChangeAmountKeys: String, CodingKey {
    case type
    case amount
}

private enum CrmChangeCurrencyKeys: String, CodingKey {
    case type
    case currency
}

private enum CrmChangeCreatedKeys: String, CodingKey {
    case type
}

private enum CrmChangeDeletedKeys: String, CodingKey {
    case type
}

private enum CrmChangeRestoredKeys: String, CodingKey {
    case type
}

private enum CrmChangeMergedKeys: String, CodingKey {
    case type
}

private enum CrmChangeRefundKeys: String, CodingKey {
    case type
    case amount
    case currency
}

private enum CrmChangeForgottenKeys: String, CodingKey {
    case type
    case contactId = "contact_id"
}

/// A currency by its three-letter code, as `USD`.
public typealias Currency = String

/// A database's URL, or where it is found.
public enum DatabaseUrl: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The environment variable or file that holds it.
    case secretRef(SecretRef)
    /// The URL itself, without a password.
    case text(String)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        if let value = try? SecretRef(from: decoder) {
            self = .secretRef(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .secretRef(let value): try value.encode(to: encoder)
        case .text(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// A calendar day, as `2026-03-01`: of the ad account's time zone in figures, of UTC where it follows from a time.
public typealias Day = String

/// A keyed hash, cut to 128 bits: what identifies a click, or what it shares with a conversion. Who lacks the key cannot turn it
/// back, not even by trying every address there is.
public typealias KeyedHash = String

/// What a kill switch covers.
public enum KillScope: Codable, Hashable, Sendable {
    /// One ad account.
    case account(String)
    /// Everything of every tenant.
    case global
    /// One owner.
    case owner(KillScopeOwner)
    /// Everything of the tenant.
    case tenant
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["account"] {
            self = .account(value)
            return
        }
        if (try? decoder.singleValueContainer().decode(String.self)) == "global" {
            self = .global
            return
        }
        if let value = try? [String: KillScopeOwner](from: decoder), value.count == 1, let value = value["owner"] {
            self = .owner(value)
            return
        }
        if (try? decoder.singleValueContainer().decode(String.self)) == "tenant" {
            self = .tenant
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .account(let value): try ["account": value].encode(to: encoder)
        case .global: try "global".encode(to: encoder)
        case .owner(let value): try ["owner": value].encode(to: encoder)
        case .tenant: try "tenant".encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

public struct KillScopeOwner: Codable, Hashable, Sendable {
    /// The account it is in.
    public var accountId: String
    /// The object.
    public var owner: Owner

    public init(accountId: String, owner: Owner) {
        self.accountId = accountId
        self.owner = owner
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case accountId = "account_id"
        case owner
    }
}

/// Which layers are used.
public typealias Layers = [UInt8]

/// What a limit is for.
public enum LimitScope: Codable, Hashable, Sendable {
    /// Everything that the tenant spends.
    case tenant
    /// What carries this tag.
    case tag(String)
    /// What is spent under this name of the caller's, as that of an API key that the host hands out.
    case key(String)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if (try? decoder.singleValueContainer().decode(String.self)) == "tenant" {
            self = .tenant
            return
        }
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["tag"] {
            self = .tag(value)
            return
        }
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["key"] {
            self = .key(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .tenant: try "tenant".encode(to: encoder)
        case .tag(let value): try ["tag": value].encode(to: encoder)
        case .key(let value): try ["key": value].encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// A share or a probability in whole millionths, so that no float reaches an output.
public typealias Millionths = String

/// The verdict on a planned change.
public enum PlannedOutcome: Codable, Hashable, Sendable {
    /// It would be blocked.
    case blocked(reason: Reason, retryAt: Timestamp?)
    /// The platform says that it would refuse it.
    case refused(message: String)
    /// It would be sent.
    case sent(from: Int64, value: Int64)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let container = try? decoder.container(keyedBy: PlannedOutcomeBlockedKeys.self),
            (try? container.decode(String.self, forKey: .verdict)) == "blocked"
        {
            self = try .blocked(reason: container.decode(Reason.self, forKey: .reason), retryAt: container.decodeIfPresent(Timestamp.self, forKey: .retryAt))
            return
        }
        if let container = try? decoder.container(keyedBy: PlannedOutcomeRefusedKeys.self),
            (try? container.decode(String.self, forKey: .verdict)) == "refused"
        {
            self = try .refused(message: container.decode(String.self, forKey: .message))
            return
        }
        if let container = try? decoder.container(keyedBy: PlannedOutcomeSentKeys.self),
            (try? container.decode(String.self, forKey: .verdict)) == "sent"
        {
            self = try .sent(from: container.decode(Int64.self, forKey: .from), value: container.decode(Int64.self, forKey: .value))
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .blocked(let reason, let retryAt):
            var container = encoder.container(keyedBy: PlannedOutcomeBlockedKeys.self)
            try container.encode("blocked", forKey: .verdict)
            try container.encode(reason, forKey: .reason)
            try container.encode(retryAt, forKey: .retryAt)
        case .refused(let message):
            var container = encoder.container(keyedBy: PlannedOutcomeRefusedKeys.self)
            try container.encode("refused", forKey: .verdict)
            try container.encode(message, forKey: .message)
        case .sent(let from, let value):
            var container = encoder.container(keyedBy: PlannedOutcomeSentKeys.self)
            try container.encode("sent", forKey: .verdict)
            try container.encode(from, forKey: .from)
            try container.encode(value, forKey: .value)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

private enum PlannedOutcomeBlockedKeys: String, CodingKey {
    case verdict
    case reason
    case retryAt = "retry_at"
}

private enum PlannedOutcomeRefusedKeys: String, CodingKey {
    case verdict
    case message
}

private enum PlannedOutcomeSentKeys: String, CodingKey {
    case verdict
    case from
    case value
}

/// A prompt, or a whole request.
public enum PromptOrRequest: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// One user message.
    case prompt(String)
    /// A conversation.
    case request(ChatRequest)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .prompt(value)
            return
        }
        if let value = try? ChatRequest(from: decoder) {
            self = .request(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .prompt(let value): try value.encode(to: encoder)
        case .request(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .prompt(value)
    }
}

/// How many requests and tokens a minute: a preset, `{ per_minute = N }` requests, or figures for both.
public enum RateLimit: Codable, Hashable, Sendable {
    /// A preset.
    case ratePreset(RatePreset)
    /// So many requests.
    case requestRate(RequestRate)
    /// Requests, tokens, or both.
    case rateFigures(RateFigures)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? RatePreset(from: decoder) {
            self = .ratePreset(value)
            return
        }
        if let value = try? RequestRate(from: decoder) {
            self = .requestRate(value)
            return
        }
        if let value = try? RateFigures(from: decoder) {
            self = .rateFigures(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .ratePreset(let value): try value.encode(to: encoder)
        case .requestRate(let value): try value.encode(to: encoder)
        case .rateFigures(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// A ratio in whole millionths, as `3.250000`: a mean or an end of an interval, so that no float reaches an output.
public typealias Ratio = String

/// A server's URL, or where it is found.
public enum RedisUrl: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The environment variable or file that holds it.
    case secretRef(SecretRef)
    /// The URL itself, without a password.
    case text(String)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        if let value = try? SecretRef(from: decoder) {
            self = .secretRef(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .secretRef(let value): try value.encode(to: encoder)
        case .text(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// Who may decide what, by actor. Without any entry every named actor may decide everything: who that is is then for the host to
/// know before it calls.
public typealias Roles = [String: [Role]]

/// A named route: a list of models in the order in which they are asked, or a table that says how one is chosen.
public enum RouteConfig: Codable, Hashable, Sendable {
    /// `PROVIDER` or `PROVIDER/MODEL`, in the order in which they are asked.
    case strings([String])
    /// How the model is chosen.
    case strategyConfig(StrategyConfig)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? [String](from: decoder) {
            self = .strings(value)
            return
        }
        if let value = try? StrategyConfig(from: decoder) {
            self = .strategyConfig(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .strings(let value): try value.encode(to: encoder)
        case .strategyConfig(let value): try value.encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// Where a credential is found. A configuration holds this, never the credential.
public enum SecretRef: Codable, Hashable, Sendable {
    /// The environment variable of this name.
    case env(String)
    /// The file at this path; white space at its end is dropped.
    case file(String)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["env"] {
            self = .env(value)
            return
        }
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["file"] {
            self = .file(value)
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .env(let value): try ["env": value].encode(to: encoder)
        case .file(let value): try ["file": value].encode(to: encoder)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

/// Where everything durable is kept.
public enum StoreConfig: Codable, Hashable, Sendable {
    /// Nothing is kept beyond the process.
    case memory
    /// One SQLite file on a local disk.
    case sqlite(path: String)
    /// A schema in a PostgreSQL database, for many workers.
    case postgres(allowPlaintext: Bool, allowUnsafeDurability: Bool, connectTimeoutMs: UInt64, lockTimeoutMs: UInt64, maxConnections: UInt32, password: SecretRef?, schema: String, statementTimeoutMs: UInt64, tlsCaFile: String?, url: DatabaseUrl)
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let container = try? decoder.container(keyedBy: StoreConfigMemoryKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "memory"
        {
            self = .memory
            return
        }
        if let container = try? decoder.container(keyedBy: StoreConfigSqliteKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "sqlite"
        {
            self = try .sqlite(path: container.decode(String.self, forKey: .path))
            return
        }
        if let container = try? decoder.container(keyedBy: StoreConfigPostgresKeys.self),
            (try? container.decode(String.self, forKey: .type)) == "postgres"
        {
            self = try .postgres(allowPlaintext: container.decode(Bool.self, forKey: .allowPlaintext), allowUnsafeDurability: container.decode(Bool.self, forKey: .allowUnsafeDurability), connectTimeoutMs: container.decode(UInt64.self, forKey: .connectTimeoutMs), lockTimeoutMs: container.decode(UInt64.self, forKey: .lockTimeoutMs), maxConnections: container.decode(UInt32.self, forKey: .maxConnections), password: container.decodeIfPresent(SecretRef.self, forKey: .password), schema: container.decode(String.self, forKey: .schema), statementTimeoutMs: container.decode(UInt64.self, forKey: .statementTimeoutMs), tlsCaFile: container.decodeIfPresent(String.self, forKey: .tlsCaFile), url: container.decode(DatabaseUrl.self, forKey: .url))
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .memory:
            var container = encoder.container(keyedBy: StoreConfigMemoryKeys.self)
            try container.encode("memory", forKey: .type)
        case .sqlite(let path):
            var container = encoder.container(keyedBy: StoreConfigSqliteKeys.self)
            try container.encode("sqlite", forKey: .type)
            try container.encode(path, forKey: .path)
        case .postgres(let allowPlaintext, let allowUnsafeDurability, let connectTimeoutMs, let lockTimeoutMs, let maxConnections, let password, let schema, let statementTimeoutMs, let tlsCaFile, let url):
            var container = encoder.container(keyedBy: StoreConfigPostgresKeys.self)
            try container.encode("postgres", forKey: .type)
            try container.encode(allowPlaintext, forKey: .allowPlaintext)
            try container.encode(allowUnsafeDurability, forKey: .allowUnsafeDurability)
            try container.encode(connectTimeoutMs, forKey: .connectTimeoutMs)
            try container.encode(lockTimeoutMs, forKey: .lockTimeoutMs)
            try container.encode(maxConnections, forKey: .maxConnections)
            try container.encode(password, forKey: .password)
            try container.encode(schema, forKey: .schema)
            try container.encode(statementTimeoutMs, forKey: .statementTimeoutMs)
            try container.encode(tlsCaFile, forKey: .tlsCaFile)
            try container.encode(url, forKey: .url)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

private enum StoreConfigMemoryKeys: String, CodingKey {
    case type
}

private enum StoreConfigSqliteKeys: String, CodingKey {
    case type
    case path
}

private enum StoreConfigPostgresKeys: String, CodingKey {
    case type
    case allowPlaintext = "allow_plaintext"
    case allowUnsafeDurability = "allow_unsafe_durability"
    case connectTimeoutMs = "connect_timeout_ms"
    case lockTimeoutMs = "lock_timeout_ms"
    case maxConnections = "max_connections"
    case password
    case schema
    case statementTimeoutMs = "statement_timeout_ms"
    case tlsCaFile = "tls_ca_file"
    case url
}

/// How a route chooses among its models, each a `PROVIDER` or `PROVIDER/MODEL`. Those that it does not choose are asked when the
/// chosen one fails. A model that cannot do what a request asks, or that it does not fit, is never chosen for it.
public enum StrategyConfig: Codable, Hashable, Sendable {
    /// In the given order, as a list alone.
    case ordered(models: [String])
    /// By chance: each model is the first with a probability of its weight over the sum of the weights. The rest follow by further
    /// draws of the same kind.
    case weighted(models: [String], weights: [UInt32])
    /// By what the request is expected to cost: its prompt as counted, and an answer as long as its limit or, where it has none, as
    /// `ai.tokens` sizes it. Models whose price is not known come last; of equal ones the first of the list.
    case cheapest(models: [String])
    /// By how long the models took of late, until their answer or the first piece of a stream, as an average that forgets: of two
    /// that are drawn the faster is the first, so that not all requests run to one. A failed attempt counts as a slow one. A model
    /// that was not asked for a minute is not known any more, and one decision in ten tries those that are not. Each process measures
    /// by itself, over all tenants.
    case lowestLatency(models: [String])
    /// A conversation begins at the model where its first turn is expected to cost the least, and stays at the model that has its
    /// prompt cached. It goes to another where that is expected to save more than the switch costs: the tokens of the prefix, times
    /// what an uncached token costs more than a cached one, and what writing it to the cache costs. Half as many turns more are
    /// expected as there were, 6 at most; the reason of the decision says both figures. Providers are taken to cache prompts of 1,024
    /// tokens and more where the price list has a price for cached ones. A conversation is known by `session` of the call's options,
    /// or by its messages up to the first one of the user. Each process remembers 65,536 of them, for twelve times `ttl_seconds`.
    case sticky(models: [String], ttlSeconds: UInt64)
    /// A candidate gets a growing share of the conversations of a baseline, each by a hash of its tenant and `session`, or of its
    /// messages up to the first one of the user: none goes back and forth. It is rolled back for good when it fails more often than
    /// the baseline in the same stage, or is slower where that is asked for, by more than chance explains: by Fisher's exact test
    /// (1935) for failures and Welch's test (1947) on the logarithms of latencies, both one-sided, when both have had an eighth, a
    /// quarter, a half and all of the calls of a stage; all these comparisons together are wrong with at most the probability that is
    /// left by `confidence_percent` (Bonferroni). After the last stage it gets all calls. Each process counts by itself, and begins
    /// anew when it starts.
    case canary(baseline: String, candidate: String, confidencePercent: UInt32, fallbacks: [String], maxSlowdownPercent: UInt32?, minCalls: UInt32, stages: [UInt32])
    /// A form that this version does not know.
    case unknown(JSONValue)

    public init(from decoder: Decoder) throws {
        if let container = try? decoder.container(keyedBy: StrategyConfigOrderedKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "ordered"
        {
            self = try .ordered(models: container.decode([String].self, forKey: .models))
            return
        }
        if let container = try? decoder.container(keyedBy: StrategyConfigWeightedKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "weighted"
        {
            self = try .weighted(models: container.decode([String].self, forKey: .models), weights: container.decode([UInt32].self, forKey: .weights))
            return
        }
        if let container = try? decoder.container(keyedBy: StrategyConfigCheapestKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "cheapest"
        {
            self = try .cheapest(models: container.decode([String].self, forKey: .models))
            return
        }
        if let container = try? decoder.container(keyedBy: StrategyConfigLowestLatencyKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "lowest_latency"
        {
            self = try .lowestLatency(models: container.decode([String].self, forKey: .models))
            return
        }
        if let container = try? decoder.container(keyedBy: StrategyConfigStickyKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "sticky"
        {
            self = try .sticky(models: container.decode([String].self, forKey: .models), ttlSeconds: container.decode(UInt64.self, forKey: .ttlSeconds))
            return
        }
        if let container = try? decoder.container(keyedBy: StrategyConfigCanaryKeys.self),
            (try? container.decode(String.self, forKey: .strategy)) == "canary"
        {
            self = try .canary(baseline: container.decode(String.self, forKey: .baseline), candidate: container.decode(String.self, forKey: .candidate), confidencePercent: container.decode(UInt32.self, forKey: .confidencePercent), fallbacks: container.decode([String].self, forKey: .fallbacks), maxSlowdownPercent: container.decodeIfPresent(UInt32.self, forKey: .maxSlowdownPercent), minCalls: container.decode(UInt32.self, forKey: .minCalls), stages: container.decode([UInt32].self, forKey: .stages))
            return
        }
        self = .unknown(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .ordered(let models):
            var container = encoder.container(keyedBy: StrategyConfigOrderedKeys.self)
            try container.encode("ordered", forKey: .strategy)
            try container.encode(models, forKey: .models)
        case .weighted(let models, let weights):
            var container = encoder.container(keyedBy: StrategyConfigWeightedKeys.self)
            try container.encode("weighted", forKey: .strategy)
            try container.encode(models, forKey: .models)
            try container.encode(weights, forKey: .weights)
        case .cheapest(let models):
            var container = encoder.container(keyedBy: StrategyConfigCheapestKeys.self)
            try container.encode("cheapest", forKey: .strategy)
            try container.encode(models, forKey: .models)
        case .lowestLatency(let models):
            var container = encoder.container(keyedBy: StrategyConfigLowestLatencyKeys.self)
            try container.encode("lowest_latency", forKey: .strategy)
            try container.encode(models, forKey: .models)
        case .sticky(let models, let ttlSeconds):
            var container = encoder.container(keyedBy: StrategyConfigStickyKeys.self)
            try container.encode("sticky", forKey: .strategy)
            try container.encode(models, forKey: .models)
            try container.encode(ttlSeconds, forKey: .ttlSeconds)
        case .canary(let baseline, let candidate, let confidencePercent, let fallbacks, let maxSlowdownPercent, let minCalls, let stages):
            var container = encoder.container(keyedBy: StrategyConfigCanaryKeys.self)
            try container.encode("canary", forKey: .strategy)
            try container.encode(baseline, forKey: .baseline)
            try container.encode(candidate, forKey: .candidate)
            try container.encode(confidencePercent, forKey: .confidencePercent)
            try container.encode(fallbacks, forKey: .fallbacks)
            try container.encode(maxSlowdownPercent, forKey: .maxSlowdownPercent)
            try container.encode(minCalls, forKey: .minCalls)
            try container.encode(stages, forKey: .stages)
        case .unknown(let value): try value.encode(to: encoder)
        }
    }
}

private enum StrategyConfigOrderedKeys: String, CodingKey {
    case strategy
    case models
}

private enum StrategyConfigWeightedKeys: String, CodingKey {
    case strategy
    case models
    case weights
}

private enum StrategyConfigCheapestKeys: String, CodingKey {
    case strategy
    case models
}

private enum StrategyConfigLowestLatencyKeys: String, CodingKey {
    case strategy
    case models
}

private enum StrategyConfigStickyKeys: String, CodingKey {
    case strategy
    case models
    case ttlSeconds = "ttl_seconds"
}

private enum StrategyConfigCanaryKeys: String, CodingKey {
    case strategy
    case baseline
    case candidate
    case confidencePercent = "confidence_percent"
    case fallbacks
    case maxSlowdownPercent = "max_slowdown_percent"
    case minCalls = "min_calls"
    case stages
}

/// Whose data and credentials a call uses. A parameter of every store, cache, ledger and limiter.
public typealias TenantId = String

/// A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree.
public typealias Zone = String
