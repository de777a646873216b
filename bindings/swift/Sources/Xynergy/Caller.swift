import Foundation
import XynergyNative

/// Whose call it is and what ties it to the host's own traces.
struct CallInfo: Encodable, Sendable {
    var tenant: String?
    var actor: String?
    var requestId: String?
    var traceparent: String?
    var timeoutMs: UInt64?

    enum CodingKeys: String, CodingKey {
        case tenant
        case actor
        case requestId = "request_id"
        case traceparent
        case timeoutMs = "timeout_ms"
    }
}

/// What makes the calls of a client or a scope.
struct Caller: Sendable {
    let core: Core
    var info = CallInfo()

    func call<Result: Decodable>(
        _ method: String, _ arguments: some Encodable & Sendable, timeoutMs: UInt64?, requestId: String?
    ) async throws -> Result {
        let text = try await text(method, arguments, timeoutMs: timeoutMs, requestId: requestId)
        return try JSONText.read(Result.self, text, operation: method)
    }

    func run(_ method: String, _ arguments: some Encodable & Sendable, timeoutMs: UInt64?, requestId: String?) async throws {
        _ = try await text(method, arguments, timeoutMs: timeoutMs, requestId: requestId)
    }

    func text(
        _ method: String, _ arguments: some Encodable & Sendable, timeoutMs: UInt64?, requestId: String?
    ) async throws -> String {
        var info = info
        info.timeoutMs = timeoutMs
        info.requestId = requestId ?? info.requestId
        let about = try JSONText.write(info, operation: method)
        return try await core.call(method, about, try JSONText.write(arguments, operation: method))
    }

    /// A stream is opened when its first piece is asked for.
    func stream<Piece: Decodable & Sendable>(
        _ method: String, _ arguments: some Encodable & Sendable, timeoutMs: UInt64?, requestId: String?
    ) -> AsyncThrowingStream<Piece, Error> {
        let reader = StreamReader<Piece>(core: core) {
            try await self.text(method, arguments, timeoutMs: timeoutMs, requestId: requestId)
        }
        return AsyncThrowingStream { try await reader.next() }
    }
}

/// The engine, for as long as a client, a scope or a stream needs it.
final class Core: Sendable {
    let engine: NativeEngine

    init(_ engine: NativeEngine) {
        self.engine = engine
    }

    deinit {
        Outbox.shared.forget(engine.id())
    }

    /// Makes one call. Cancelling the task cancels it.
    func call(_ method: String, _ info: String, _ arguments: String) async throws -> String {
        let id = engine.nextCallId()
        let engine = engine
        return try await translated {
            try await withTaskCancellationHandler {
                try await engine.call(id: id, method: method, info: info, arguments: arguments)
            } onCancel: {
                _ = try? engine.cancel(id: id)
            }
        }
    }
}

/// Reads a stream of the engine's: pieces come in batches and are handed out one by one.
final class StreamReader<Piece: Decodable & Sendable>: @unchecked Sendable {
    private struct Opened: Codable {
        let stream: UInt64
    }

    private struct Batch: Decodable {
        let chunks: [Piece]
        let done: Bool
        let error: XynergyError?
    }

    private let core: Core
    private let open: @Sendable () async throws -> String
    // One task reads a stream at a time, as `AsyncThrowingStream` has it; the end may come from another.
    private var waiting: ArraySlice<Piece> = []
    private var failure: XynergyError?
    private var isDone = false
    private let id = Locked<UInt64?>(nil)

    init(core: Core, open: @escaping @Sendable () async throws -> String) {
        self.core = core
        self.open = open
    }

    deinit {
        close()
    }

    func next() async throws -> Piece? {
        while waiting.isEmpty {
            if let failure {
                self.failure = nil
                throw failure
            }
            if isDone { return nil }
            do {
                try await read()
            } catch {
                isDone = true
                close()
                throw error
            }
        }
        return waiting.removeFirst()
    }

    private func read() async throws {
        let stream = id.with { $0 }
        guard let stream else {
            let opened = try JSONText.read(Opened.self, try await open(), operation: "ai.stream")
            id.with { $0 = opened.stream }
            return
        }
        let text = try await core.call("stream.next", "{}", JSONText.write(Opened(stream: stream)))
        let batch = try JSONText.read(Batch.self, text, operation: "ai.stream")
        waiting = batch.chunks[...]
        failure = batch.error
        isDone = batch.done
        if isDone {
            id.with { $0 = nil }
        }
    }

    private func close() {
        if let stream = id.with({ id in defer { id = nil }; return id }) {
            try? core.engine.closeStream(stream: stream)
        }
    }
}
