import Foundation
import Xynergy
import XynergyTesting

/// How `value` differs from `expected`, with the place; nothing when it matches. `tests/vectors/README.md` specifies the matchers.
func mismatch(_ expected: JSONValue, _ value: JSONValue, at place: String = "") -> String? {
    let differs = "\(place): expected \(expected), found \(value)"
    switch (expected, value) {
    case (.object(let wanted), _) where wanted.count == 1 && wanted.first!.key.hasPrefix("$"):
        return matcher(wanted.first!.key, wanted.first!.value, value, at: place)
    case (.object(let wanted), .object(let found)):
        if let extra = found.keys.first(where: { wanted[$0] == nil }) {
            return "\(place): \(extra) should not be there: \(found[extra]!)"
        }
        return fields(wanted, found, at: place)
    case (.array(let wanted), .array(let found)):
        guard wanted.count == found.count else { return differs }
        for (index, pair) in zip(wanted, found).enumerated() {
            if let problem = mismatch(pair.0, pair.1, at: "\(place)/\(index)") { return problem }
        }
        return nil
    default:
        if expected == value { return nil }
        if let wanted = number(expected), let found = number(value), wanted == found, isDouble(expected) || isDouble(value) { return nil }
        return differs
    }
}

private func fields(_ wanted: [String: JSONValue], _ found: [String: JSONValue], at place: String) -> String? {
    for (key, value) in wanted {
        guard let there = found[key] else { return "\(place): \(key) is missing, expected \(value)" }
        if let problem = mismatch(value, there, at: "\(place)/\(key)") { return problem }
    }
    return nil
}

private func matcher(_ name: String, _ argument: JSONValue, _ value: JSONValue, at place: String) -> String? {
    let matches: Bool
    switch (name, argument, value) {
    case ("$any", .string(let kind), _): matches = isOf(kind, value)
    case ("$contains", .string(let part), .string(let text)): matches = text.contains(part)
    case ("$contains", .array(let parts), .string(let text)):
        matches = parts.allSatisfy { $0.string.map(text.contains) ?? false }
    case ("$approx", .array(let pair), _):
        guard pair.count == 2, let middle = number(pair[0]), let within = number(pair[1]), let found = number(value) else { return "\(place): \(value)" }
        matches = abs(found - middle) <= within
    case ("$length", .int(let length), _):
        switch value {
        case .string(let text): matches = text.unicodeScalars.count == length
        case .array(let items): matches = items.count == length
        case .object(let object): matches = object.count == length
        default: matches = false
        }
    case ("$bytes", .string(let digest), _):
        let found = (try? sha256Hex(Data(canonicalJSON(value).utf8))) ?? ""
        return found == digest ? nil : "\(place): the bytes have the SHA-256 \(found), expected \(digest): \(value)"
    case ("$partial", .object(let wanted), .object(let found)): return fields(wanted, found, at: place)
    case ("$one_of", .array(let choices), _): matches = choices.contains { mismatch($0, value) == nil }
    case ("$any", _, _), ("$contains", _, _), ("$length", _, _), ("$bytes", _, _), ("$partial", _, _), ("$one_of", _, _): matches = false
    default: return "\(place): \(name) is no matcher"
    }
    return matches ? nil : "\(place): expected \(name) \(argument), found \(value)"
}

private func isOf(_ kind: String, _ value: JSONValue) -> Bool {
    switch (kind, value) {
    case ("any", _), ("string", .string), ("boolean", .bool), ("array", .array), ("object", .object): return true
    case ("integer", .int), ("integer", .unsigned), ("number", .int), ("number", .unsigned), ("number", .double): return true
    case ("time", .string(let text)): return text.count >= 20 && text.contains("T") && text.hasSuffix("Z")
    default: return false
    }
}

private func number(_ value: JSONValue) -> Double? {
    switch value {
    case .int(let number): return Double(number)
    case .unsigned(let number): return Double(number)
    case .double(let number): return number
    default: return nil
    }
}

private func isDouble(_ value: JSONValue) -> Bool {
    if case .double = value { return true }
    return false
}
