import Foundation
import XynergyNative

/// A client: the door to everything in this package. Share one; it is safe to use from any task.
///
/// It keeps the objects that it was given alive. An object that holds the client in turn is a cycle: call ``close(graceMs:)`` and let go
/// of one of them.
public final class Client: Sendable {
    let caller: Caller

    /// Builds a client. Nothing is sent and nothing is read.
    ///
    /// - Parameter configuration: A ``Config``, JSON or TOML; without providers, prices and keys when absent.
    /// - Parameter providers: Your own AI providers, by name.
    /// - Parameter embedders: Your own embedders, by name.
    /// - Parameter caches: Your own response cache, by name: at most one.
    /// - Parameter crms: Your own CRM, by name: at most one.
    /// - Parameter adPlatforms: Your own ad platform, by name: at most one.
    /// - Parameter stores: Your own stores.
    /// - Parameter secrets: Credentials by name, or a source of your own; the environment when absent.
    /// - Parameter clock: The time of every decision, for tests and simulated runs.
    /// - Parameter seed: The seed of every id and draw, for tests and simulated runs.
    /// - Parameter hostTimeoutMs: How long a call into one of your objects may take; 30,000 when absent.
    /// - Parameter onEvent: Called with every event, one after the other.
    /// - Throws: ``XynergyError`` of the kind `configInvalid` that names the wrong part.
    public init(
        _ configuration: Configuration? = nil,
        providers: [String: any Provider] = [:],
        embedders: [String: any Embedder] = [:],
        caches: [String: any ResponseCache] = [:],
        crms: [String: any Crm] = [:],
        adPlatforms: [String: any AdPlatform] = [:],
        stores: HostStores = HostStores(),
        secrets: Secrets? = nil,
        clock: ManualClock? = nil,
        seed: UInt64? = nil,
        hostTimeoutMs: UInt64? = nil,
        onEvent: (@Sendable (JSONValue) -> Void)? = nil
    ) throws {
        var options = Options()
        options.set(configuration)
        options.providers = providers.mapValues(\.traits)
        options.embedders = embedders.mapValues(\.traits)
        options.seed = seed
        options.hostTimeoutMs = hostTimeoutMs
        options.events = onEvent != nil
        var backends = NativeBackends(
            providers: providers.mapValues { HostedObject(ProviderAnswers(object: $0)) },
            embedders: embedders.mapValues { HostedObject(EmbedderAnswers(object: $0)) },
            cache: try only(caches, "caches").map { HostedObject(ResponseCacheAnswers(object: $0)) },
            crm: try only(crms, "crms").map { HostedObject(CrmAnswers(object: $0)) },
            adPlatform: try only(adPlatforms, "ad_platforms").map { HostedObject(AdPlatformAnswers(object: $0)) },
            secrets: nil,
            state: stores.state.map { HostedObject(StateStoreAnswers(object: $0)) },
            clicks: stores.clicks.map { HostedObject(ClickStoreAnswers(object: $0)) },
            revenue: stores.revenue.map { HostedObject(RevenueStoreAnswers(object: $0)) },
            clock: clock?.native)
        switch secrets {
        case .values(let values): options.secrets = values
        case .source(let source): backends.secrets = HostedObject(SecretSourceAnswers(object: source))
        case nil: break
        }
        let text = try JSONText.write(options)
        let engine = try translated { try NativeEngine(options: text, backends: backends) }
        if let onEvent {
            Outbox.shared.listen(engine.id(), onEvent)
        }
        caller = Caller(core: Core(engine))
    }

    /// A client from `XYNERGY_CONFIG` and the other environment variables.
    public static func fromEnvironment() throws -> Client {
        try Client(.environment)
    }

    /// The same client for one tenant. Cheap: make one for each request.
    public func scope(
        tenant: String, actor: String? = nil, requestId: String? = nil, traceparent: String? = nil
    ) -> Scope {
        let info = CallInfo(tenant: tenant, actor: actor, requestId: requestId, traceparent: traceparent)
        return Scope(caller: Caller(core: caller.core, info: info))
    }

    /// How many calls are under way.
    public var inFlight: UInt64 {
        (try? caller.core.engine.inFlight()) ?? 0
    }

    /// Closes it: new calls are refused, those under way are waited for and then cancelled; budget writes are always waited for. Closing
    /// twice does nothing.
    public func close(graceMs: UInt64 = 5_000) async throws {
        let engine = caller.core.engine
        try await translated { try await engine.close(graceMs: graceMs) }
    }
}

/// A client for one tenant.
public struct Scope: Sendable {
    let caller: Caller
}

/// What a client is built from.
public enum Configuration: Sendable {
    /// As typed values.
    case config(Config)
    /// As JSON.
    case json(JSONValue)
    /// As TOML.
    case toml(String)
    /// The environment variables.
    case environment
}

/// Where credentials come from.
public enum Secrets: Sendable, ExpressibleByDictionaryLiteral {
    /// By the names that the configuration's `{ env = NAME }` refers to.
    case values([String: String])
    /// A source of your own, as a vault.
    case source(any SecretSource)

    public init(dictionaryLiteral elements: (String, String)...) {
        self = .values(Dictionary(elements) { _, last in last })
    }
}

extension Secrets: CustomStringConvertible, CustomReflectable {
    /// Never shows a credential.
    public var description: String {
        "Secrets(***)"
    }

    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}

/// Stores of your own; those that are absent are in memory.
public struct HostStores: Sendable {
    public var state: (any StateStore)?
    public var clicks: (any ClickStore)?
    public var revenue: (any RevenueStore)?

    public init(state: (any StateStore)? = nil, clicks: (any ClickStore)? = nil, revenue: (any RevenueStore)? = nil) {
        self.state = state
        self.clicks = clicks
        self.revenue = revenue
    }
}

/// What the engine is built from.
struct Options: Encodable {
    var config: JSONOr<Config>?
    var configToml: String?
    var fromEnv = false
    var secrets: [String: String]?
    var providers: [String: ProviderTraits] = [:]
    var embedders: [String: EmbedderTraits] = [:]
    var defaultLayers = Platform.layers
    var events = false
    var seed: UInt64?
    var hostTimeoutMs: UInt64?

    enum CodingKeys: String, CodingKey {
        case config
        case configToml = "config_toml"
        case fromEnv = "from_env"
        case secrets
        case providers
        case embedders
        case defaultLayers = "default_layers"
        case events
        case seed
        case hostTimeoutMs = "host_timeout_ms"
    }

    mutating func set(_ configuration: Configuration?) {
        switch configuration {
        case .config(let value): config = .typed(value)
        case .json(let value): config = .json(value)
        case .toml(let text): configToml = text
        case .environment: fromEnv = true
        case nil: break
        }
    }
}

enum JSONOr<Typed: Encodable>: Encodable {
    case json(JSONValue)
    case typed(Typed)

    func encode(to encoder: Encoder) throws {
        switch self {
        case .json(let value): try value.encode(to: encoder)
        case .typed(let value): try value.encode(to: encoder)
        }
    }
}

enum Platform {
    /// Apple's rules forbid an app to recognise a device by its address and user agent, which is what layers 2 and 3 of matching do; there
    /// only layer 1 is used unless the configuration says otherwise.
    #if os(iOS) || os(macOS) || os(tvOS) || os(watchOS) || os(visionOS)
        static let layers: Layers? = [1]
    #else
        static let layers: Layers? = nil
    #endif
}

private func only<T>(_ objects: [String: T], _ name: String) throws -> T? {
    guard objects.count <= 1 else {
        throw XynergyError(
            kind: .configInvalid, message: "\(name): \(objects.count) were given; give at most one", operation: "client")
    }
    return objects.values.first
}
