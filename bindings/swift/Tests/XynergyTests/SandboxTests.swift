import Foundation
import XCTest
import Xynergy
import XynergyTesting

/// Calls that go over HTTP to the sandbox.
final class SandboxTests: XCTestCase {
    private var fixture: SandboxFixture!
    private var client: Client { fixture.client }

    override func setUp() async throws {
        fixture = try await SandboxFixture.start()
    }

    override func tearDown() async throws {
        await fixture.stop()
    }

    func testAPromptIsAnswered() async throws {
        let answer = try await client.ai.generate("Hello", maxTokens: 64, tags: ["test"])
        XCTAssertFalse(answer.text.isEmpty)
        XCTAssertEqual(answer.outcome, .complete)
        XCTAssertFalse(answer.cacheHit)
        let again = try await client.ai.generate("Hello", maxTokens: 64, tags: ["test"])
        XCTAssertTrue(again.cacheHit)
        XCTAssertEqual(again.text, answer.text)
    }

    func testAConversationIsAnswered() async throws {
        let request = ChatRequest(messages: [.system("Be short."), .user("Hello")], temperature: 0.5)
        let scope = client.scope(tenant: "acme", actor: "ann", requestId: "r-1")
        let answer = try await scope.ai.chat(request)
        XCTAssertFalse(answer.text.isEmpty)
        XCTAssertEqual(answer.xynergy.requestId, "r-1")
        let spend = try await scope.ai.spend()
        XCTAssertEqual(spend.requests, 1)
        let other = try await client.ai.spend()
        XCTAssertEqual(other.requests, 0, "another tenant's")
    }

    func testAStreamEndsWithItsReport() async throws {
        var text = ""
        var last: ChatChunk?
        for try await chunk in client.ai.stream(.prompt("Tell me a long story")) {
            text += chunk.text
            last = chunk
        }
        XCTAssertFalse(text.isEmpty)
        XCTAssertEqual(last?.outcome, .complete)
        XCTAssertNotNil(last?.xynergy)
        XCTAssertNotNil(last?.usage)
    }

    func testAStreamCanBeLeft() async throws {
        for try await _ in client.ai.stream(.prompt("Tell me a long story")) { break }
        let answer = try await client.ai.generate("After it")
        XCTAssertFalse(answer.text.isEmpty)
    }

    func testFiftyCallsAtOnce() async throws {
        let client = client
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for n in 0..<50 {
                group.addTask { try await client.ai.generate("Question \(n)", cache: false).text }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        XCTAssertEqual(texts.count, 50)
        XCTAssertEqual(client.inFlight, 0)
    }

    func testTheLoopRuns() async throws {
        let tick = try await client.closedLoop.tick(account: fixture.sandbox.account, allocationId: "first", seed: 7)
        XCTAssertEqual(tick.allocation.rows.count, 3)
        let stored = try await client.allocation.get("first")
        XCTAssertEqual(stored, tick.allocation)
        let absent = try await client.allocation.get("second")
        XCTAssertNil(absent)
        let owners = try await client.execution.owners(fixture.sandbox.account.accountId)
        XCTAssertFalse(owners.isEmpty)
        let report = try await client.execution.verifyAudit()
        XCTAssertTrue(report.chainOk)
    }

    func testAllIsHealthy() async throws {
        let health = try await client.health()
        XCTAssertEqual(health.status, .healthy, "\(health)")
    }

    func testAWebhookIsReadAsRawBytes() async throws {
        do {
            _ = try await client.hubspot.accept(
                method: "POST", url: "https://example.com/hook", headers: ["x-hubspot-signature-v3": "wrong"],
                body: Data([0xff, 0x00, 0x7b]))
            XCTFail("it was accepted")
        } catch let error as XynergyError {
            XCTAssertTrue([.unauthorized, .invalidInput].contains(error.kind), "\(error)")
        }
    }

    func testAStoppedSandboxSaysSo() async throws {
        let state = try await fixture.sandbox.state()
        XCTAssertNotEqual(state, .null)
        await fixture.sandbox.stop()
        await fixture.sandbox.stop()
        do {
            _ = try await fixture.sandbox.state()
            XCTFail("it answered")
        } catch let error as XynergyError {
            XCTAssertTrue(error.message.contains("stopped"), "\(error)")
        }
    }

    func testTimeStandsUntilItIsMoved() async throws {
        let clock = ManualClock(try Timestamp("2026-03-01T12:00:00Z"))
        try await withSandbox(clock: clock) { fixture in
            clock.advance(milliseconds: 1_500)
            let owners = try await fixture.client.execution.owners(fixture.sandbox.account.accountId)
            XCTAssertEqual(owners.first?.readAt, try Timestamp("2026-03-01T12:00:01.5Z"))
        }
    }
}
