import Foundation
import XynergyNative

/// What turns calls of the library into calls of one of the protocols. Values are JSON text.
package protocol Answers: Sendable {
    func call(_ method: String, _ arguments: String) async throws -> String
    func open(_ method: String, _ arguments: String) throws -> any Pieces
}

/// The pieces of a stream of the host's, as JSON text.
package protocol Pieces: Sendable {
    func next() async throws -> String?
}

final class PiecesOf<Element: Encodable & Sendable>: Pieces, @unchecked Sendable {
    // The library asks for one piece at a time.
    private var pieces: AsyncThrowingStream<Element, Error>.Iterator

    init(_ stream: AsyncThrowingStream<Element, Error>) {
        pieces = stream.makeAsyncIterator()
    }

    func next() async throws -> String? {
        try await pieces.next().map { try JSONText.answer($0) }
    }
}

/// One object of the host's, as the native library sees it.
package final class HostedObject: HostObject {
    private let answers: any Answers
    private let streams = Locked<(next: UInt64, open: [UInt64: any Pieces])>((next: 1, open: [:]))

    package init(_ answers: any Answers) {
        self.answers = answers
    }

    package func call(method: String, arguments: String) async throws -> String {
        try await reported { try await answers.call(method, arguments) }
    }

    package func start(method: String, arguments: String) async throws -> UInt64 {
        try await reported {
            let pieces = try answers.open(method, arguments)
            return streams.with { streams in
                defer { streams.next += 1 }
                streams.open[streams.next] = pieces
                return streams.next
            }
        }
    }

    package func next(pieces: UInt64) async throws -> String? {
        try await reported {
            try await streams.with { $0.open[pieces] }?.next()
        }
    }

    package func close(pieces: UInt64) throws {
        _ = streams.with { $0.open.removeValue(forKey: pieces) }
    }

    /// What the host throws keeps its kind, and is found again as itself.
    private func reported<T>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch let error as XynergyError {
            throw HostError.Threw(
                kind: error.kind.rawValue, message: error.message, retryAfterMs: error.retryAfterMs,
                token: ThrownByHost.shared.keep(error))
        } catch {
            throw HostError.Threw(
                kind: nil, message: String(describing: error), retryAfterMs: nil, token: ThrownByHost.shared.keep(error))
        }
    }
}
