import Foundation
import XynergyNative

#if canImport(os)
    import os
#endif

/// A line of the library's log.
public struct LogRecord: Decodable, Hashable, Sendable {
    /// How grave it is.
    public var level: LogLevel
    /// The part of the library, as `xynergy_core::client`.
    public var target: String
    /// The message.
    public var message: String
    /// What belongs to it.
    public var fields: [String: JSONValue]
}

/// How grave a line is.
public enum LogLevel: String, Codable, Hashable, Sendable {
    case error
    case warn
    case info
    case debug
    case trace
}

/// Where the library's log goes. Nowhere, until you say so.
public enum Logging {
    /// Gives every line of `level` and graver to `handler`, in order. There is one for the process; the last one counts.
    public static func send(from level: LogLevel = .warn, to handler: @escaping @Sendable (LogRecord) -> Void) throws {
        try translated { try setLogLevel(name: level.rawValue) }
        Outbox.shared.log(handler)
    }

    /// Ends it.
    public static func stop() {
        try? setLogLevel(name: "off")
        Outbox.shared.log(nil)
    }

    #if canImport(os)
        /// Gives every line of `level` and graver to the system's log.
        @available(macOS 11, iOS 14, tvOS 14, watchOS 7, *)
        public static func sendToSystem(from level: LogLevel = .warn, subsystem: String = "xynergy") throws {
            try send(from: level) { record in
                let logger = Logger(subsystem: subsystem, category: record.target)
                let type: OSLogType =
                    switch record.level {
                    case .error: .error
                    case .warn: .default
                    case .info: .info
                    case .debug, .trace: .debug
                    }
                logger.log(level: type, "\(record.message, privacy: .public)")
            }
        }
    #endif
}

/// Takes what the library tells without being asked, and hands it on. One task does it for the process, from the first listener on.
final class Outbox: Sendable {
    static let shared = Outbox()

    private struct State {
        var log: (@Sendable (LogRecord) -> Void)?
        var events: [UInt64: @Sendable (JSONValue) -> Void] = [:]
        var isDraining = false
    }

    private struct Batch: Decodable {
        let items: [Item]
    }

    private enum Item: Decodable {
        case event(engine: UInt64, JSONValue)
        case log(LogRecord)
        case other

        enum CodingKeys: String, CodingKey {
            case type
            case engine
            case event
        }

        init(from decoder: Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            switch try container.decode(String.self, forKey: .type) {
            case "event":
                self = .event(
                    engine: try container.decode(UInt64.self, forKey: .engine),
                    try container.decode(JSONValue.self, forKey: .event))
            case "log": self = .log(try LogRecord(from: decoder))
            default: self = .other
            }
        }
    }

    private let state = Locked(State())

    func log(_ handler: (@Sendable (LogRecord) -> Void)?) {
        state.with { $0.log = handler }
        if handler != nil { drain() }
    }

    func listen(_ engine: UInt64, _ handler: @escaping @Sendable (JSONValue) -> Void) {
        state.with { $0.events[engine] = handler }
        drain()
    }

    func forget(_ engine: UInt64) {
        _ = state.with { $0.events.removeValue(forKey: engine) }
    }

    private func drain() {
        let isFirst = state.with { state in
            defer { state.isDraining = true }
            return !state.isDraining
        }
        guard isFirst else { return }
        Task.detached(priority: .utility) {
            while let text = try? await nextItems() {
                guard let batch = try? JSONText.read(Batch.self, text) else { continue }
                batch.items.forEach(self.hand)
            }
        }
    }

    private func hand(_ item: Item) {
        switch item {
        case .event(let engine, let event): state.with { $0.events[engine] }?(event)
        case .log(let record): state.with { $0.log }?(record)
        case .other: break
        }
    }
}
