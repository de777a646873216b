import Foundation

/// Values as JSON text and back.
package enum JSONText {
    /// What an object of the host's returned: if it has no form in JSON, the object is at fault and not the caller.
    package static func answer(_ value: some Encodable) throws -> String {
        do {
            return try write(value)
        } catch var error as XynergyError {
            error.kind = .unavailable
            throw error
        }
    }

    package static func write(_ value: some Encodable, operation: String = "client") throws -> String {
        do {
            return String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        } catch EncodingError.invalidValue(let wrong, let context) {
            throw XynergyError(
                kind: .invalidInput, message: "\(path(context.codingPath)): \(wrong) has no form in JSON: give a finite number",
                operation: operation)
        }
    }

    package static func read<T: Decodable>(_ type: T.Type, _ text: String, operation: String = "client") throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch let error as DecodingError {
            throw XynergyError(
                kind: .unexpected, message: "the value cannot be read as \(T.self): \(problem(error))", operation: operation,
                underlyingError: error)
        }
    }

    private static func problem(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(path(context.codingPath)): \(context.debugDescription)"
        case .keyNotFound(let key, let context):
            return "\(path(context.codingPath + [key])): it is missing"
        @unknown default:
            return String(describing: error)
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        let parts = keys.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
        let path = parts.joined()
        return path.isEmpty ? "the value" : path.hasPrefix(".") ? String(path.dropFirst()) : path
    }
}

/// A key of any name.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

extension Decoder {
    /// The fields of an object that have no property of their own.
    func fields<Keys: CodingKey & CaseIterable>(besides keys: Keys.Type) throws -> [String: JSONValue] {
        let container = try container(keyedBy: AnyKey.self)
        let known = Set(Keys.allCases.map(\.stringValue))
        var found: [String: JSONValue] = [:]
        for key in container.allKeys where !known.contains(key.stringValue) {
            found[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
        }
        return found
    }
}

extension Encoder {
    /// Writes fields that have no property of their own.
    func write(_ fields: [String: JSONValue]) throws {
        var container = container(keyedBy: AnyKey.self)
        for (name, value) in fields {
            try container.encode(value, forKey: AnyKey(stringValue: name))
        }
    }
}

struct Nothing: Codable, Sendable {}
