import Foundation
import Xynergy

/// A case that is not what `tests/vectors/README.md` allows, or that this language cannot write.
struct Unwritten: Error {
    let what: String
}

/// Raw bytes as the cases write them: text, or base64.
struct RawBytes: Decodable {
    let data: Data

    init(from decoder: Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            data = Data(text.utf8)
        } else {
            let given = try [String: String](from: decoder)
            guard let bytes = given["base64"].flatMap({ Data(base64Encoded: $0) }) else { throw Unwritten(what: "base64") }
            data = bytes
        }
    }
}

/// Arguments as Swift has them. What they cannot be written as would not have compiled.
func written<T: Decodable>(_ args: JSONValue, as type: T.Type) throws -> T {
    do {
        return try args.decoded(as: type)
    } catch {
        throw Unwritten(what: "\(error)")
    }
}

/// `over` laid over `under`: objects key by key, everything else as a whole.
func merge(_ under: JSONValue, _ over: JSONValue) -> JSONValue {
    guard over != .null else { return under }
    guard case .object(var merged) = under, case .object(let fields) = over else { return over }
    for (name, value) in fields {
        // Within an object null is a value like any other: it replaces.
        merged[name] = value == .null ? .null : merged[name].map { merge($0, value) } ?? value
    }
    return .object(merged)
}

/// The value with everything replaced that stands for something else.
func resolve(_ value: JSONValue, _ names: [String: JSONValue]) throws -> JSONValue {
    switch value {
    case .string(let text):
        guard text.range(of: "^\\$[a-z0-9_]+$", options: .regularExpression) != nil else { return value }
        guard let found = names[String(text.dropFirst())] else { throw Unwritten(what: "\(text) is neither a value of the file nor saved") }
        return try resolve(found, names)
    case .array(let items): return .array(try items.map { try resolve($0, names) })
    case .object(let object):
        if object.count == 1, let special = try special(object.first!.key, object.first!.value, names) { return special }
        return .object(try object.mapValues { try resolve($0, names) })
    default: return value
    }
}

private func special(_ key: String, _ value: JSONValue, _ names: [String: JSONValue]) throws -> JSONValue? {
    switch (key, value) {
    case ("$merge", .array(let parts)): return try parts.reduce(.null) { merge($0, try resolve($1, names)) }
    case ("$join", .array(let parts)): return .string(try parts.map { try resolve($0, names).string ?? "" }.joined())
    case ("$repeat", .array(let parts)):
        return .string(String(repeating: parts[0].string ?? "", count: Int(parts[1].int ?? 0)))
    case ("$integer", .string(let digits)): return try JSONDecoder().decode(JSONValue.self, from: Data(digits.utf8))
    default: return nil
    }
}

extension JSONValue {
    /// What is at a JSON pointer.
    func at(pointer: String) -> JSONValue? {
        pointer.split(separator: "/").reduce(Optional(self)) { value, part in
            value?[String(part)] ?? Int(part).flatMap { value?[$0] }
        }
    }

    var fields: [String: JSONValue] {
        guard case .object(let fields) = self else { return [:] }
        return fields
    }
}
