import Foundation
import XynergyNative

/// What went wrong, in the one shape that every language has.
public struct XynergyError: Error, Sendable {
    /// What went wrong.
    public var kind: ErrorKind
    /// The problem and the way out, for people.
    public var message: String
    /// What was being done.
    public var operation: String
    /// Whether the same call may succeed later.
    public var retryable: Bool
    /// After how many milliseconds it may be tried again.
    public var retryAfterMs: UInt64?
    /// What belongs to it, as the name of a field.
    public var context: [String: String]
    /// What had come of an answer that broke off. It is the model's text: `description` does not have it.
    public var partialText: String?
    /// The nearest cause below it, as text.
    public var cause: String?
    /// All causes, the nearest first.
    public var causes: [String]
    /// The error behind it itself: what an object of yours threw.
    public var underlyingError: (any Error)?

    public init(
        kind: ErrorKind, message: String, operation: String = "host", retryAfterMs: UInt64? = nil, context: [String: String] = [:],
        partialText: String? = nil, causes: [String] = [], underlyingError: (any Error)? = nil
    ) {
        self.kind = kind
        self.message = message
        self.operation = operation
        self.retryable = retryAfterMs != nil
        self.retryAfterMs = retryAfterMs
        self.context = context
        self.partialText = partialText
        self.cause = causes.first
        self.causes = causes
        self.underlyingError = underlyingError
    }
}

extension XynergyError: CustomStringConvertible, LocalizedError {
    public var description: String {
        "\(kind.rawValue): \(operation): \(message)"
    }

    public var errorDescription: String? {
        description
    }
}

extension XynergyError: Decodable {
    enum CodingKeys: String, CodingKey {
        case kind
        case message
        case operation
        case retryable
        case retryAfterMs = "retry_after_ms"
        case context
        case partialText = "partial_text"
        case cause
        case causes
        case hostToken = "host_token"
    }

    public init(from decoder: Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(ErrorKind.self, forKey: .kind)
        message = try container.decode(String.self, forKey: .message)
        operation = try container.decode(String.self, forKey: .operation)
        retryable = try container.decode(Bool.self, forKey: .retryable)
        retryAfterMs = try container.decodeIfPresent(UInt64.self, forKey: .retryAfterMs)
        context = try container.decodeIfPresent([String: String].self, forKey: .context) ?? [:]
        partialText = try container.decodeIfPresent(String.self, forKey: .partialText)
        cause = try container.decodeIfPresent(String.self, forKey: .cause)
        causes = try container.decodeIfPresent([String].self, forKey: .causes) ?? []
        underlyingError = try container.decodeIfPresent(UInt64.self, forKey: .hostToken).flatMap(ThrownByHost.shared.take)
    }
}

extension XynergyError {
    static func missing(_ method: String) -> XynergyError {
        XynergyError(kind: .unsupported, message: "it has no method `\(method)`")
    }

    /// Any error as one of these.
    package static func of(_ error: any Error, operation: String = "client") -> XynergyError {
        switch error {
        case let error as XynergyError:
            return error
        case NativeError.Failed(let json):
            do {
                return try JSONDecoder().decode(XynergyError.self, from: Data(json.utf8))
            } catch {
                return XynergyError(kind: .unexpected, message: json, operation: operation)
            }
        default:
            return XynergyError(
                kind: .unexpected, message: "a defect of xynergy: \(error); please report it", operation: operation,
                underlyingError: error)
        }
    }
}

/// Runs `work`; what the native library throws comes out as ``XynergyError``.
package func translated<T>(_ work: () throws -> T) throws -> T {
    do {
        return try work()
    } catch {
        throw XynergyError.of(error)
    }
}

package func translated<T>(_ work: () async throws -> T) async throws -> T {
    do {
        return try await work()
    } catch {
        throw XynergyError.of(error)
    }
}

/// The errors that objects of the host's threw, until they come back to the caller. An error that never does is dropped in time.
final class ThrownByHost: Sendable {
    static let shared = ThrownByHost()
    private static let capacity: UInt64 = 1_024
    private let kept = Locked<(next: UInt64, errors: [UInt64: any Error])>((next: 1, errors: [:]))

    func keep(_ error: any Error) -> UInt64 {
        kept.with { kept in
            let token = kept.next
            kept.next += 1
            kept.errors[token] = error
            if token > Self.capacity {
                kept.errors[token - Self.capacity] = nil
            }
            return token
        }
    }

    func take(_ token: UInt64) -> (any Error)? {
        kept.with { $0.errors[token] }
    }
}

/// A value behind a lock.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package func with<T>(_ work: (inout Value) throws -> T) rethrows -> T {
        lock.lock()
        defer { lock.unlock() }
        return try work(&value)
    }
}
