import Foundation

/// A value, or its text alone.
public enum TextOr<Whole: Codable & Hashable & Sendable>: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The text alone.
    case text(String)
    /// All of it.
    case whole(Whole)

    public init(from decoder: Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = .text(text)
        } else {
            self = .whole(try Whole(from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .whole(let whole): try whole.encode(to: encoder)
        }
    }

    public init(stringLiteral text: String) {
        self = .text(text)
    }
}

/// Two values that belong together; a list of two in JSON.
public struct Pair<First: Codable & Hashable & Sendable, Second: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    public var first: First
    public var second: Second

    public init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    public init(from decoder: Decoder) throws {
        var container = try decoder.unkeyedContainer()
        first = try container.decode(First.self)
        second = try container.decode(Second.self)
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(first)
        try container.encode(second)
    }
}

/// Raw bytes on their way to the engine.
struct Bytes: Encodable, Sendable {
    let base64: String

    init(_ data: Data) {
        base64 = data.base64EncodedString()
    }
}

extension Message {
    /// What the user says.
    public static func user(_ text: String) -> Message {
        Message(role: "user", content: .text(text))
    }

    /// What governs the conversation.
    public static func system(_ text: String) -> Message {
        Message(role: "system", content: .text(text))
    }

    /// What the model said.
    public static func assistant(_ text: String) -> Message {
        Message(role: "assistant", content: .text(text))
    }
}

extension ChatRequest {
    /// One message of the user's.
    public static func prompt(_ text: String) -> ChatRequest {
        ChatRequest(messages: [.user(text)])
    }
}

extension Content {
    /// The text of it, its parts put together.
    public var plainText: String {
        switch self {
        case .text(let text): return text
        case .parts(let parts): return parts.compactMap(\.text).joined()
        case .unknown: return ""
        }
    }
}

extension ChatResponse {
    /// The text of the first answer; empty when it has none.
    public var text: String {
        choices.first?.message.content?.plainText ?? ""
    }
}

extension ChatChunk {
    /// The text of this piece; empty when it has none.
    public var text: String {
        choices.first?.delta.content?.plainText ?? ""
    }
}
