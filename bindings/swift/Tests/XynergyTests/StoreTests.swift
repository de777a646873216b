import Foundation
import XCTest
import Xynergy
import XynergyTesting

/// A cache in a dictionary.
actor MemoryCache: ResponseCache {
    private struct Key: Hashable {
        let tenant: String
        let key: String
    }
    private var kept: [Key: (response: ChatResponse, expiresAt: Timestamp)] = [:]
    private(set) var hits = 0

    func get(tenant: String, key: String, now: Timestamp) async throws -> ChatResponse? {
        guard let found = kept[Key(tenant: tenant, key: key)], found.expiresAt > now else { return nil }
        hits += 1
        return found.response
    }

    func put(tenant: String, key: String, response: ChatResponse, expiresAt: Timestamp) async throws {
        kept[Key(tenant: tenant, key: key)] = (response, expiresAt)
    }

    func invalidate(tenant: String, pattern: String) async throws -> UInt64 {
        let doomed = kept.filter { key, entry in
            let model = "\(entry.response.xynergy.provider)/\(entry.response.xynergy.model)"
            return key.tenant == tenant && (matches(key.key, pattern) || matches(model, pattern))
        }
        doomed.keys.forEach { kept[$0] = nil }
        return UInt64(doomed.count)
    }
}

/// Whether `*` in the pattern can stand for something that makes it the text.
private func matches(_ text: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map {
        NSRegularExpression.escapedPattern(for: String($0))
    }
    return text.range(of: "^\(parts.joined(separator: ".*"))$", options: .regularExpression) != nil
}

/// Documents in a dictionary.
actor MemoryState: StateStore {
    private var kept: [String: [String: Document]] = [:]

    private func place(_ tenant: String, _ collection: String) -> String {
        "\(tenant)/\(collection)"
    }

    func get(tenant: String, collection: String, key: String) async throws -> Document? {
        kept[place(tenant, collection)]?[key]
    }

    func put(tenant: String, collection: String, key: String, expected: UInt64?, value: String) async throws -> UInt64 {
        let version = kept[place(tenant, collection)]?[key]?.version ?? 0
        if let expected, expected != version {
            throw XynergyError(kind: .conflict, message: "the version is \(version)")
        }
        kept[place(tenant, collection), default: [:]][key] = Document(version: version + 1, value: value)
        return version + 1
    }

    func list(tenant: String, collection: String) async throws -> [Pair<String, Document>] {
        let found = kept[place(tenant, collection)] ?? [:]
        return found.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }.map { Pair($0.key, $0.value) }
    }
}

struct Vault: SecretSource {
    func get(tenant: String, reference: SecretRef) async throws -> String? {
        reference == .env("KEY") ? "hush" : nil
    }
}

struct MemoryCrm: Crm {
    var known: [String: Deal]
    var people: [String: Contact]

    func deals(ctx: CallContext, ids: [String]) async throws -> [String: Deal] {
        known.filter { ids.contains($0.key) }
    }

    func contacts(ctx: CallContext, ids: [String]) async throws -> [String: Contact] {
        people.filter { ids.contains($0.key) }
    }
}

final class StoreTests: XCTestCase {
    func testTheSuitesAcceptWhatKeepsTheContract() async throws {
        try await Check.cache(MemoryCache())
        try await Check.stateStore(MemoryState())
        try await Check.secrets(Vault(), name: "KEY", value: "hush")
        let deals = ["d": Deal(properties: ["dealstage": "closedwon", "amount": nil], contacts: ["c"])]
        let contacts = ["c": Contact(properties: ["email": "ann@example.com"])]
        try await Check.crm(MemoryCrm(known: deals, people: contacts), deals: deals, contacts: contacts)
    }

    func testTheSuitesRefuseWhatDoesNot() async throws {
        /// Forgets everything.
        struct Forgetful: ResponseCache {
            func get(tenant: String, key: String, now: Timestamp) async throws -> ChatResponse? { nil }
            func put(tenant: String, key: String, response: ChatResponse, expiresAt: Timestamp) async throws {}
            func invalidate(tenant: String, pattern: String) async throws -> UInt64 { 0 }
        }
        do {
            try await Check.cache(Forgetful())
            XCTFail("it was accepted")
        } catch let error as XynergyError {
            XCTAssertTrue(error.message.contains("contract"), "\(error)")
        }
        do {
            try await Check.secrets(Vault(), name: "KEY", value: "other")
            XCTFail("it was accepted")
        } catch is XynergyError {}
    }

    func testACacheOfTheHostsIsUsed() async throws {
        let cache = MemoryCache()
        let fake = FakeProvider()
        let client = try Client(.json(["version": 1]), providers: ["mine": fake], caches: ["mine": cache])
        let first = try await client.ai.chat(.prompt("again"))
        let second = try await client.ai.chat(.prompt("again"))
        XCTAssertFalse(first.xynergy.cacheHit)
        XCTAssertTrue(second.xynergy.cacheHit)
        XCTAssertEqual(fake.requests.count, 1)
        let hits = await cache.hits
        XCTAssertEqual(hits, 1)
        let dropped = try await client.ai.cacheInvalidate()
        XCTAssertEqual(dropped, 1)
    }

    func testAStoreAndAVaultOfTheHostsAreUsed() async throws {
        try await withSandbox { fixture in
            guard case .json(.object(var config)) = fixture.sandbox.configuration else { return XCTFail("no object") }
            config["store"] = nil
            let state = MemoryState()
            let client = try Client(.json(.object(config)), stores: HostStores(state: state), secrets: fixture.sandbox.secrets)
            try await client.ai.setLimit(scope: .tag("x"), window: .day, amountNanoUsd: 5, hard: true)
            let spend = try await client.ai.spend()
            XCTAssertEqual(spend.limits.map(\.amountNanoUsd), [5])
            let vaulted = try Client(.json(.object(config)), secrets: .source(Vault()))
            do {
                _ = try await vaulted.execution.owners(fixture.sandbox.account.accountId)
                XCTFail("the vault has no such credential")
            } catch let error as XynergyError {
                XCTAssertEqual(error.kind, .unauthorized, "\(error)")
            }
        }
    }

    func testEventsAndLogsArrive() async throws {
        let arrived = expectation(description: "an event arrived")
        arrived.assertForOverFulfill = false
        let client = try Client(.json(["version": 1]), providers: ["mine": FakeProvider()]) { event in
            if case .object = event { arrived.fulfill() }
        }
        _ = try await client.ai.chat(.prompt("hi"))
        await fulfillment(of: [arrived], timeout: 10)

        let logged = expectation(description: "a line was logged")
        logged.assertForOverFulfill = false
        try Logging.send(from: .warn) { record in
            if record.level == .warn, record.fields["event"] == "cache_unavailable" { logged.fulfill() }
        }
        defer { Logging.stop() }
        /// Breaks at every use, which is a miss and a line in the log.
        struct Broken: ResponseCache {
            func get(tenant: String, key: String, now: Timestamp) async throws -> ChatResponse? { throw Boom(code: 1) }
            func put(tenant: String, key: String, response: ChatResponse, expiresAt: Timestamp) async throws { throw Boom(code: 2) }
            func invalidate(tenant: String, pattern: String) async throws -> UInt64 { throw Boom(code: 3) }
        }
        let broken = try Client(.json(["version": 1]), providers: ["mine": FakeProvider()], caches: ["mine": Broken()])
        _ = try await broken.ai.chat(.prompt("hi"))
        await fulfillment(of: [logged], timeout: 10)
    }
}
