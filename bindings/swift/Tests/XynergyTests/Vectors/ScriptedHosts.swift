import Foundation
import Xynergy

/// What every scripted object does first: it counts, and throws, hangs or returns when it is told to.
final class Script: Sendable {
    let setup: JSONValue
    private let counts = LockedCounts()

    init(_ setup: JSONValue) {
        self.setup = setup
    }

    var seen: JSONValue {
        let (calls, cancelled) = counts.read()
        return ["calls": .int(calls), "cancelled": .int(cancelled)]
    }

    struct Plain: Error, CustomStringConvertible {
        let description: String
    }

    func run<T: Decodable>(_ own: () async throws -> T) async throws -> T {
        try await begin()
        if setup["script"] == "return" { return try written(setup["value"] ?? .null, as: T.self) }
        return try await own()
    }

    func begin() async throws {
        counts.call()
        switch setup["script"]?.string {
        case "throw": throw Plain(description: "boom")
        case "error":
            throw XynergyError(
                kind: ErrorKind(rawValue: setup["kind"]?.string ?? ""), message: setup["message"]?.string ?? "",
                retryAfterMs: setup["retry_after_ms"]?.int.map(UInt64.init))
        case "hang": try await hang()
        default: break
        }
    }

    func hang() async throws {
        do {
            while true { try await Task.sleep(nanoseconds: 60_000_000_000) }
        } catch {
            counts.cancel()
            throw error
        }
    }

    func cancelled() {
        counts.cancel()
    }
}

private final class LockedCounts: @unchecked Sendable {
    private let lock = NSLock()
    private var calls: Int64 = 0
    private var cancelled: Int64 = 0

    func call() {
        lock.withLock { calls += 1 }
    }

    func cancel() {
        lock.withLock { cancelled += 1 }
    }

    func read() -> (Int64, Int64) {
        lock.withLock { (calls, cancelled) }
    }
}

struct ScriptedProvider: Provider {
    let script: Script
    let traits: ProviderTraits

    init(_ script: Script) throws {
        self.script = script
        traits = try (script.setup["traits"] ?? [:]).decoded()
    }

    private func text(_ request: ChatRequest) -> String {
        "echo: \(request.messages.last?.content?.plainText ?? "")"
    }

    func chat(ctx: CallContext, request: ChatRequest) async throws -> TextOr<ChatResponse> {
        try await script.run { .text(text(request)) }
    }

    func stream(ctx: CallContext, request: ChatRequest) -> AsyncThrowingStream<TextOr<ChatChunk>, Error> {
        AsyncThrowingStream { continuation in
            let work = Task {
                do {
                    try await script.begin()
                    if case .array(let pieces) = script.setup["pieces"] {
                        for piece in pieces {
                            if let message = piece["throw"]?.string { throw Script.Plain(description: message) }
                            continuation.yield(try written(piece, as: TextOr<ChatChunk>.self))
                        }
                    } else {
                        let words = text(request).split(separator: " ")
                        for (index, word) in words.enumerated() {
                            continuation.yield(.text(index + 1 < words.count ? word + " " : String(word)))
                        }
                    }
                    if script.setup["then_hang"] == true { try await script.hang() }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }
}

struct ScriptedCache: ResponseCache {
    let script: Script
    let memory = MemoryCache()

    func get(tenant: String, key: String, now: Timestamp) async throws -> ChatResponse? {
        try await script.run { try await memory.get(tenant: tenant, key: key, now: now) }
    }

    func put(tenant: String, key: String, response: ChatResponse, expiresAt: Timestamp) async throws {
        try await script.begin()
        try await memory.put(tenant: tenant, key: key, response: response, expiresAt: expiresAt)
    }

    func invalidate(tenant: String, pattern: String) async throws -> UInt64 {
        try await script.run { try await memory.invalidate(tenant: tenant, pattern: pattern) }
    }
}

struct ScriptedState: StateStore {
    let script: Script
    let memory = MemoryState()

    func get(tenant: String, collection: String, key: String) async throws -> Document? {
        try await script.run { try await memory.get(tenant: tenant, collection: collection, key: key) }
    }

    func put(tenant: String, collection: String, key: String, expected: UInt64?, value: String) async throws -> UInt64 {
        try await script.run {
            try await memory.put(tenant: tenant, collection: collection, key: key, expected: expected, value: value)
        }
    }

    func list(tenant: String, collection: String) async throws -> [Pair<String, Document>] {
        try await script.run { try await memory.list(tenant: tenant, collection: collection) }
    }
}

struct ScriptedClicks: ClickStore {
    let script: Script

    private func run<T: Decodable>() async throws -> T {
        try await script.run { throw Unwritten(what: "clicks in memory") }
    }

    func track(tenant: String, clicks: [Click], source: String) async throws -> Tracked { try await run() }
    func candidates(tenant: String, keys: [KeyedHash], from: Timestamp, to: Timestamp) async throws -> [Candidate] {
        try await run()
    }
    func around(tenant: String, networks: [KeyedHash], from: Timestamp, to: Timestamp, limit: UInt64) async throws -> Around {
        try await run()
    }
    func prune(tenant: String, before: Timestamp) async throws -> Pruned { try await run() }
    func erase(tenant: String, keys: [KeyedHash]) async throws -> Erased { try await run() }
    func clicksByAd(tenant: String, from: Timestamp, to: Timestamp) async throws -> [AdClicks] { try await run() }
    func count(tenant: String, source: String?) async throws -> UInt64 { try await run() }
}

struct ScriptedRevenue: RevenueStore {
    let script: Script

    private func run<T: Decodable>() async throws -> T {
        try await script.run { throw Unwritten(what: "revenue in memory") }
    }

    func appendEvents(tenant: String, events: [CrmEvent], source: String) async throws -> Appended { try await run() }
    func pendingDeals(tenant: String, limit: UInt64) async throws -> [String] { try await run() }
    func events(tenant: String, dealId: String) async throws -> [CrmEvent] { try await run() }
    func eventsAfter(tenant: String, after: KeyedHash?, limit: UInt64) async throws -> [CrmEvent] { try await run() }
    func countUntil(tenant: String, until: Timestamp) async throws -> UInt64 { try await run() }
    func putDeals(tenant: String, deals: [DealRevenue]) async throws -> Bool { try await run() }
    func deals(tenant: String) async throws -> [DealRevenue] { try await run() }
    func findDeals(tenant: String, ids: [String]) async throws -> [DealRevenue] { try await run() }
    func totals(tenant: String) async throws -> RevenueTotals { try await run() }
    func countEvents(tenant: String, source: String?) async throws -> UInt64 { try await run() }
    func putRevaluation(tenant: String, revaluation: Revaluation) async throws -> Bool { try await run() }
    func revaluations(tenant: String) async throws -> [Revaluation] { try await run() }
}

struct ScriptedSecrets: SecretSource {
    let script: Script

    func get(tenant: String, reference: SecretRef) async throws -> String? {
        try await script.run {
            guard case .env(let name) = reference else { return nil }
            return script.setup["values"]?[name]?.string
        }
    }
}

struct ScriptedCrm: Crm {
    let script: Script

    func deals(ctx: CallContext, ids: [String]) async throws -> [String: Deal] {
        try await script.run { try known("deals", ids) }
    }

    func contacts(ctx: CallContext, ids: [String]) async throws -> [String: Contact] {
        try await script.run { try known("contacts", ids) }
    }

    private func known<T: Decodable>(_ what: String, _ ids: [String]) throws -> [String: T] {
        try (script.setup[what] ?? [:]).fields.filter { ids.contains($0.key) }.mapValues { try written($0, as: T.self) }
    }
}

actor ScriptedAds: AdPlatform {
    let script: Script
    let now: Timestamp
    private var owners: [OwnerState]

    init(_ script: Script, now: Timestamp) throws {
        self.script = script
        self.now = now
        guard case .array(let given) = script.setup["owners"] ?? [] else { throw Unwritten(what: "owners") }
        owners = try given.map { try written(merge($0, ["read_at": .string(now.description), "currency": "USD"]), as: OwnerState.self) }
    }

    private func find(_ owner: Owner) throws -> Int {
        guard let index = owners.firstIndex(where: { $0.owner == owner }) else {
            throw XynergyError(kind: .notFound, message: "no such object")
        }
        return index
    }

    func account(ctx: CallContext, accountId: String) async throws -> AccountState {
        try await script.begin()
        return AccountState(accountId: accountId, currency: "USD")
    }

    func owner(ctx: CallContext, owner: Owner) async throws -> OwnerState {
        try await script.begin()
        return owners[try find(owner)]
    }

    func owners(ctx: CallContext, accountId: String) async throws -> [OwnerState] {
        try await script.begin()
        return owners
    }

    func set(ctx: CallContext, write: AdWrite) async throws {
        try await script.begin()
        owners[try find(write.owner)].dailyBudgetMinor = write.value
        if script.setup["set"] == "lost" { throw Script.Plain(description: "boom") }
    }

    func validate(ctx: CallContext, write: AdWrite) async throws {
        try await script.begin()
    }

    func activities(ctx: CallContext, accountId: String, owner: Owner, since: Timestamp) async throws -> [Activity] {
        try await script.begin()
        throw XynergyError(kind: .unsupported, message: "no log of edits")
    }

    func insights(ctx: CallContext, accountId: String, since: Timestamp, until: Timestamp) async throws -> [AdInsight] {
        try await script.begin()
        return []
    }
}
