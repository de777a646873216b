// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

/// A change's key: 128 bits, 32 hex digits outside.
public typealias ChangeId = String

/// What a message says.
public enum Content: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Plain text.
    case text(String)
    /// Parts: text, images, files and whatever providers add.
    case parts([ContentPart])
    /// A form that this version does not know.
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        if let value = try? [ContentPart](from: decoder) {
            self = .parts(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .text(let value): try value.encode(to: encoder)
        case .parts(let value): try value.encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// A currency by its three-letter code, as `USD`.
public typealias Currency = String

/// A database's URL, or where it is found.
public enum DatabaseUrl: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The environment variable or file that holds it.
    case databaseUrl(SecretRef)
    /// The URL itself, without a password.
    case text(String)
    /// A form that this version does not know.
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? SecretRef(from: decoder) {
            self = .databaseUrl(value)
            return
        }
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .databaseUrl(let value): try value.encode(to: encoder)
        case .text(let value): try value.encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

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
    case other(JSONValue)

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
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .account(let value): try ["account": value].encode(to: encoder)
        case .global: try "global".encode(to: encoder)
        case .owner(let value): try ["owner": value].encode(to: encoder)
        case .tenant: try "tenant".encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
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
    case other(JSONValue)

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
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .tenant: try "tenant".encode(to: encoder)
        case .tag(let value): try ["tag": value].encode(to: encoder)
        case .key(let value): try ["key": value].encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
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
    case other(JSONValue)

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
        self = .other(try JSONValue(from: decoder))
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
        case .other(let value): try value.encode(to: encoder)
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
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? String(from: decoder) {
            self = .prompt(value)
            return
        }
        if let value = try? ChatRequest(from: decoder) {
            self = .request(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .prompt(let value): try value.encode(to: encoder)
        case .request(let value): try value.encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .prompt(value)
    }
}

/// How many requests a minute.
public enum RateLimit: Codable, Hashable, Sendable {
    /// 60 a minute.
    case standard
    /// 10 a minute.
    case expensive
    /// 30 a minute.
    case ai
    /// So many a minute, at least 1.
    case perMinute(UInt32)
    /// A form that this version does not know.
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if (try? decoder.singleValueContainer().decode(String.self)) == "standard" {
            self = .standard
            return
        }
        if (try? decoder.singleValueContainer().decode(String.self)) == "expensive" {
            self = .expensive
            return
        }
        if (try? decoder.singleValueContainer().decode(String.self)) == "ai" {
            self = .ai
            return
        }
        if let value = try? [String: UInt32](from: decoder), value.count == 1, let value = value["per_minute"] {
            self = .perMinute(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .standard: try "standard".encode(to: encoder)
        case .expensive: try "expensive".encode(to: encoder)
        case .ai: try "ai".encode(to: encoder)
        case .perMinute(let value): try ["per_minute": value].encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
        }
    }
}

/// A server's URL, or where it is found.
public enum RedisUrl: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The environment variable or file that holds it.
    case redisUrl(SecretRef)
    /// The URL itself, without a password.
    case text(String)
    /// A form that this version does not know.
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? SecretRef(from: decoder) {
            self = .redisUrl(value)
            return
        }
        if let value = try? String(from: decoder) {
            self = .text(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .redisUrl(let value): try value.encode(to: encoder)
        case .text(let value): try value.encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
        }
    }

    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// Who may decide what, by actor. Without any entry every named actor may decide everything: who that is is then for the host to
/// know before it calls.
public typealias Roles = [String: [Role]]

/// Where a credential is found. A configuration holds this, never the credential.
public enum SecretRef: Codable, Hashable, Sendable {
    /// The environment variable of this name.
    case env(String)
    /// The file at this path; white space at its end is dropped.
    case file(String)
    /// A form that this version does not know.
    case other(JSONValue)

    public init(from decoder: Decoder) throws {
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["env"] {
            self = .env(value)
            return
        }
        if let value = try? [String: String](from: decoder), value.count == 1, let value = value["file"] {
            self = .file(value)
            return
        }
        self = .other(try JSONValue(from: decoder))
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .env(let value): try ["env": value].encode(to: encoder)
        case .file(let value): try ["file": value].encode(to: encoder)
        case .other(let value): try value.encode(to: encoder)
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
    case other(JSONValue)

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
        self = .other(try JSONValue(from: decoder))
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
        case .other(let value): try value.encode(to: encoder)
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

/// Whose data and credentials a call uses. A parameter of every store, cache, ledger and limiter.
public typealias TenantId = String

/// A time zone by its IANA name, as `Europe/Berlin`. The rules come with the library, so that all replicas of one version agree.
public typealias Zone = String
