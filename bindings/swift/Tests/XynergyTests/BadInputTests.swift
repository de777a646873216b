import Foundation
import XCTest

@testable import Xynergy

/// Whatever is given: an error that names it, at once.
final class BadInputTests: XCTestCase {
    private func client() throws -> Client {
        try Client(.json(["version": 1]))
    }

    private func expect(_ kind: ErrorKind, _ named: String, line: UInt = #line, _ work: () async throws -> some Any) async {
        do {
            let result = try await work()
            XCTFail("it was accepted: \(result)", line: line)
        } catch let error as XynergyError {
            XCTAssertEqual(error.kind, kind, "\(error)", line: line)
            XCTAssertTrue(error.description.contains(named), "\(error)", line: line)
        } catch {
            XCTFail("\(error)", line: line)
        }
    }

    func testNumbersThatAreNone() async throws {
        let client = try client()
        await expect(.invalidInput, "temperature") { try await client.ai.generate("x", temperature: .nan) }
        await expect(.invalidInput, "temperature") { try await client.ai.generate("x", temperature: .infinity) }
        await expect(.invalidInput, "request.messages[0]") {
            let message = Message(role: "user", content: "x", additional: ["weight": .double(.nan)])
            return try await client.ai.chat(ChatRequest(messages: [message]))
        }
    }

    func testWrongArgumentsAreNamed() async throws {
        let client = try client()
        await expect(.invalidInput, "id") { try await client.execution.get("zz") }
        await expect(.invalidInput, "click") { try await client.attribution.trackClick(["ts": "yesterday"]) }
        await expect(.invalidInput, "request_id") { try await client.ai.generate("x", requestId: "a\nb") }
        await expect(.invalidInput, "tenant") { try await client.scope(tenant: "a b").ai.cacheStats() }
        await expect(.invalidInput, "traceparent") {
            try await client.scope(tenant: "a", traceparent: "").ai.cacheStats()
        }
    }

    func testWrongConfigurationsAreNamed() async throws {
        for (configuration, named) in [
            (Configuration.json(["version": 2]), "version"), (.json([:]), "version"), (.json("text"), "config"),
            (.json(["version": 1, "ai": ["cache": ["ttl": "long"]]]), "ai.cache"),
            (.toml("version = 1\n[ai.providers.x]\ntype = \"carrier_pigeon\""), "carrier_pigeon"), (.toml("version = = 1"), "line 1"),
        ] {
            await expect(.configInvalid, named) { try Client(configuration) }
        }
        await expect(.configInvalid, "host_timeout_ms") { try Client(.json(["version": 1]), hostTimeoutMs: 0) }
        await expect(.configInvalid, "caches") {
            try Client(caches: ["a": MemoryCache(), "b": MemoryCache()])
        }
        await expect(.configInvalid, "stores") {
            let config = Config(version: 1, store: .sqlite(path: "/nowhere/x.sqlite"))
            return try Client(.config(config), stores: HostStores(state: MemoryState()))
        }
    }

    func testTheTypedConfigurationSaysWhatTheDefaultsAre() throws {
        var config = Config(version: 1)
        config.ai.tokens.defaultLimit = 99
        config.attribution.layers = [1]
        _ = try Client(.config(config))
        let json = try JSONValue(encoding: config)
        XCTAssertEqual(json["ai"]?["tokens"]?["default_limit"], 99)
        XCTAssertEqual(try json.decoded(as: Config.self), config)
        XCTAssertEqual(try (["version": 1] as JSONValue).decoded(as: Config.self), Config(version: 1))
    }

    func testOnApplesPlatformsTheDefaultIsLayerOne() throws {
        var options = Options()
        #if os(Linux)
            XCTAssertNil(options.defaultLayers)
        #else
            XCTAssertEqual(options.defaultLayers, [1])
        #endif
        options.defaultLayers = [1]
        XCTAssertEqual(try JSONValue(encoding: options)["default_layers"], [1])
    }

    func testAClosedClientSaysSo() async throws {
        let client = try client()
        try await client.close()
        try await client.close()
        await expect(.invalidInput, "closed") { try await client.ai.cacheStats() }
        await expect(.invalidInput, "closed") {
            for try await _ in client.ai.stream(.prompt("x")) {}
        }
    }

    func testWithoutProvidersNothingIsAnswered() async throws {
        let client = try client()
        do {
            _ = try await client.ai.generate("x")
            XCTFail("it was answered")
        } catch let error as XynergyError {
            XCTAssertFalse(error.message.isEmpty)
        }
    }

    func testTextsOfEveryKind() async throws {
        let client = try client()
        for text in ["", "\u{0}", "👩‍👩‍👧‍👦", "\u{FFFF}", String(repeating: "x", count: 1_000_000)] {
            let count = try await client.ai.countTokens(.prompt(text))
            XCTAssertGreaterThanOrEqual(count.tokens, UInt64(text.utf8.count / 1_000))
        }
    }

    func testManyClientsComeAndGo() async throws {
        for _ in 0..<50 {
            _ = try await client().attribution.stages()
        }
    }
}
