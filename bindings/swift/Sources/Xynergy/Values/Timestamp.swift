import Foundation
import XynergyNative

/// A point in time, exact to the microsecond. RFC 3339 in JSON.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01 UTC.
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The nearest microsecond to a date.
    public init(_ date: Date) {
        microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
    }

    /// Reads RFC 3339, as `2026-03-01T12:00:00Z`.
    ///
    /// - Throws: ``XynergyError`` of the kind `invalidInput` for any other text.
    public init(_ text: String) throws {
        microseconds = try translated { try parseTimestamp(text: text) }
    }

    /// The time as a date, which has about a tenth of a microsecond's room.
    public var date: Date {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }

    public static func < (earlier: Timestamp, later: Timestamp) -> Bool {
        earlier.microseconds < later.microseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339.
    public var description: String {
        (try? formatTimestamp(micros: microseconds)) ?? "\(microseconds) us"
    }
}

extension Timestamp: Codable {
    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text)
        } catch let error as XynergyError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
