import Foundation
import Xynergy

/// A provider that says what you tell it to, and remembers what it was asked.
public final class FakeProvider: Provider {
    /// What it does with one request.
    public enum Reply: Sendable {
        /// Answers with this text.
        case text(String)
        /// Answers with all of this.
        case response(ChatResponse)
        /// Throws.
        case failure(XynergyError)
        /// Never answers.
        case never
    }

    public let traits: ProviderTraits
    private let state: Locked<(replies: [Reply], requests: [ChatRequest])>

    /// Gives these replies in turn, and the last of them from then on; echoes the last message when there are none.
    public init(_ replies: Reply..., model: String = "fake") {
        traits = ProviderTraits(defaultModel: model, images: true, responseFormat: true, streaming: true, tools: true)
        state = Locked((replies: replies, requests: []))
    }

    /// What it was asked, in order.
    public var requests: [ChatRequest] {
        state.with { $0.requests }
    }

    public func chat(ctx: CallContext, request: ChatRequest) async throws -> TextOr<ChatResponse> {
        switch reply(to: request) {
        case .text(let text): return .text(text)
        case .response(let response): return .whole(response)
        case .failure(let error): throw error
        case .never:
            while true { try await Task.sleep(nanoseconds: 60_000_000_000) }
        }
    }

    /// The words of the answer, one by one.
    public func stream(ctx: CallContext, request: ChatRequest) -> AsyncThrowingStream<TextOr<ChatChunk>, Error> {
        let words = Locked<ArraySlice<Substring>?>(nil)
        return AsyncThrowingStream {
            if words.with({ $0 == nil }) {
                let answer = try await self.chat(ctx: ctx, request: request)
                let text =
                    switch answer {
                    case .text(let text): text
                    case .whole(let response): response.text
                    }
                words.with { $0 = text.split(separator: " ", omittingEmptySubsequences: false)[...] }
            }
            return words.with { rest in
                guard let word = rest?.popFirst() else { return nil }
                return .text(rest?.isEmpty == false ? word + " " : String(word))
            }
        }
    }

    private func reply(to request: ChatRequest) -> Reply {
        state.with { state in
            state.requests.append(request)
            guard let next = state.replies.first else {
                return .text(request.messages.last?.content?.plainText ?? "")
            }
            if state.replies.count > 1 { state.replies.removeFirst() }
            return next
        }
    }
}
