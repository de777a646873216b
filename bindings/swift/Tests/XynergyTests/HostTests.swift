import Foundation
import XCTest
import Xynergy
import XynergyTesting

struct Boom: Error, Equatable {
    let code: Int
}

/// A provider whose prompt says what it does.
final class Scripted: Provider {
    let cancelled = XCTestExpectation(description: "the task of the provider was cancelled")
    var traits: ProviderTraits { ProviderTraits(defaultModel: "scripted", streaming: true) }

    func chat(ctx: CallContext, request: ChatRequest) async throws -> TextOr<ChatResponse> {
        let prompt = request.messages.last?.content?.plainText ?? ""
        switch prompt {
        case "throw": throw Boom(code: 7)
        case "throttle": throw XynergyError(kind: .throttled, message: "slow down", retryAfterMs: 60_000)
        case "hang":
            do {
                try await Task.sleep(nanoseconds: 60_000_000_000)
            } catch {
                cancelled.fulfill()
                throw error
            }
            return "late"
        case "deaf": return await withUnsafeContinuation { (_: UnsafeContinuation<TextOr<ChatResponse>, Never>) in }
        case "nonsense": return .whole(ChatResponse())
        case "nan":
            return .whole(ChatResponse(choices: [Choice(index: 0, message: .assistant("x"))], additional: ["score": .double(.nan)]))
        default: return .text("\(ctx.tenant): \(prompt)")
        }
    }

    func stream(ctx: CallContext, request: ChatRequest) -> AsyncThrowingStream<TextOr<ChatChunk>, Error> {
        let prompt = request.messages.last?.content?.plainText ?? ""
        return AsyncThrowingStream { continuation in
            continuation.onTermination = { [cancelled] _ in
                if prompt == "endless" { cancelled.fulfill() }
            }
            continuation.yield("One ")
            if prompt == "break" {
                continuation.finish(throwing: Boom(code: 8))
            } else if prompt != "endless" {
                continuation.yield("two.")
                continuation.finish()
            }
        }
    }
}

/// Embeds by the length of each text.
struct Lengths: Embedder {
    var traits: EmbedderTraits { EmbedderTraits(defaultModel: "lengths", maxInputs: 2) }

    func embed(ctx: CallContext, request: EmbedRequest) async throws -> EmbedResponse {
        if request.input.first == "throw" { throw Boom(code: 9) }
        return EmbedResponse(vectors: request.input.map { [Float($0.utf8.count), 0.1, Float($0.utf8.first ?? 0)] })
    }
}

final class HostTests: XCTestCase {
    private func client(_ provider: any Provider = Scripted(), hostTimeoutMs: UInt64 = 5_000) throws -> Client {
        try Client(.config(Config(version: 1)), providers: ["mine": provider], hostTimeoutMs: hostTimeoutMs)
    }

    private func failure(_ client: Client, _ prompt: String, timeoutMs: UInt64? = nil) async throws -> XynergyError {
        do {
            let answer = try await client.ai.chat(.prompt(prompt), timeoutMs: timeoutMs)
            throw XCTSkip("it answered: \(answer)")
        } catch let error as XynergyError {
            return error
        }
    }

    func testAProviderAnswers() async throws {
        let answer = try await client().scope(tenant: "acme").ai.chat(.prompt("hi"))
        XCTAssertEqual(answer.text, "acme: hi")
        XCTAssertEqual(answer.outcome, .complete)
    }

    func testAnEmbedderAnswers() async throws {
        let client = try Client(embedders: ["mine": Lengths()])
        let told = try await client.ai.embed(["a", "bb", "ccc"])
        XCTAssertEqual(told.vectors, [[1, 0.1, 97], [2, 0.1, 98], [3, 0.1, 99]])
        XCTAssertEqual(told.provider, "mine")
        XCTAssertEqual(told.attempts.count, 2)
        do {
            _ = try await client.ai.embed(["throw"])
            XCTFail("it answered")
        } catch let error as XynergyError {
            XCTAssertEqual(error.underlyingError as? Boom, Boom(code: 9))
        }
        try await Check.embedder(Lengths())
    }

    func testWhatItThrowsComesBackAsItself() async throws {
        let error = try await failure(client(), "throw")
        XCTAssertEqual(error.kind, .unavailable)
        XCTAssertEqual(error.underlyingError as? Boom, Boom(code: 7))
        XCTAssertTrue("\(error) \(error.causes)".contains("providers.mine.chat"), "\(error)")
        let throttled = try await failure(client(), "throttle")
        XCTAssertEqual(throttled.kind, .throttled)
        XCTAssertTrue(throttled.retryable || throttled.underlyingError is XynergyError, "\(throttled)")
    }

    func testNonsenseIsAnErrorThatNamesIt() async throws {
        for (prompt, named) in [("nonsense", "choice"), ("nan", "score")] {
            let error = try await failure(client(), prompt)
            XCTAssertEqual(error.kind, .unavailable, prompt)
            XCTAssertTrue("\(error) \(error.causes)".contains(named), "\(error) \(error.causes)")
        }
    }

    func testOneThatNeverAnswersIsNotWaitedForForEver() async throws {
        for prompt in ["hang", "deaf"] {
            let error = try await failure(client(hostTimeoutMs: 200), prompt)
            XCTAssertEqual(error.kind, .timeout, prompt)
        }
        let error = try await failure(client(), "deaf", timeoutMs: 100)
        XCTAssertEqual(error.kind, .timeout)
    }

    func testCancellingTheTaskCancelsTheProvidersTask() async throws {
        let provider = Scripted()
        let client = try client(provider)
        let task = Task { try await client.ai.chat(.prompt("hang")) }
        while client.inFlight == 0 { await Task.yield() }
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("it answered")
        } catch let error as XynergyError {
            XCTAssertEqual(error.kind, .cancelled)
        }
        await fulfillment(of: [provider.cancelled], timeout: 10)
        XCTAssertEqual(client.inFlight, 0)
    }

    func testATaskThatIsCancelledBeforeItCallsIsCancelled() async throws {
        let client = try client()
        for _ in 0..<200 {
            let task = Task { try await client.ai.chat(.prompt("hang")) }
            task.cancel()
            do {
                _ = try await task.value
                XCTFail("it answered")
            } catch let error as XynergyError {
                XCTAssertEqual(error.kind, .cancelled)
            }
        }
        XCTAssertEqual(client.inFlight, 0)
    }

    func testAStreamOfPiecesIsRead() async throws {
        let client = try client()
        var text = ""
        for try await chunk in client.ai.stream(.prompt("hi")) { text += chunk.text }
        XCTAssertEqual(text, "One two.")
        do {
            for try await _ in client.ai.stream(.prompt("break")) {}
            XCTFail("it ended")
        } catch let error as XynergyError {
            XCTAssertEqual(error.underlyingError as? Boom, Boom(code: 8), "\(error)")
            XCTAssertEqual(error.partialText, "One ")
            XCTAssertFalse("\(error)".contains("One "))
        }
    }

    func testAStreamThatIsLeftEndsTheProvidersWork() async throws {
        let provider = Scripted()
        let client = try client(provider)
        for try await _ in client.ai.stream(.prompt("endless")) { break }
        await fulfillment(of: [provider.cancelled], timeout: 10)
    }

    func testAStreamWhoseTaskIsCancelledEnds() async throws {
        let provider = Scripted()
        let client = try client(provider)
        let first = expectation(description: "the first piece")
        let task = Task {
            for try await _ in client.ai.stream(.prompt("endless")) { first.fulfill() }
        }
        await fulfillment(of: [first], timeout: 10)
        task.cancel()
        _ = await task.result
        await fulfillment(of: [provider.cancelled], timeout: 10)
    }

    func testFiftyCallsOfOneProvider() async throws {
        let client = try client()
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for n in 0..<50 {
                group.addTask { try await client.scope(tenant: "t\(n)").ai.chat(.prompt("hi")).text }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        XCTAssertEqual(texts, Set((0..<50).map { "t\($0): hi" }))
    }

    func testTheFakeProviderDoesWhatItIsTold() async throws {
        let fake = FakeProvider(.text("one"), .failure(XynergyError(kind: .rejected, message: "no")), .text("last words here"))
        let client = try client(fake)
        let first = try await client.ai.chat(.prompt("a")).text
        XCTAssertEqual(first, "one")
        let error = try await failure(client, "b")
        XCTAssertTrue("\(error) \(error.causes)".contains("no"))
        var streamed = ""
        for try await chunk in client.ai.stream(.prompt("c")) { streamed += chunk.text }
        XCTAssertEqual(streamed, "last words here")
        XCTAssertEqual(fake.requests.map { $0.messages.last?.content?.plainText }, ["a", "b", "c"])
        try await Check.provider(FakeProvider(.text("fine")))
    }
}
