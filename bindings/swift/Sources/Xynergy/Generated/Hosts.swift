// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.

import Foundation

/// An AI provider. Its `traits` say what it can do.
public protocol Provider: Sendable {
    /// What it can do; set `streaming` when it has `stream`.
    var traits: ProviderTraits { get }

    /// Answers a request: with a chat completion, or with the text alone.
    func chat(ctx: CallContext, request: ChatRequest) async throws -> TextOr<ChatResponse>

    /// Answers in pieces: chunks, or text. May be absent.
    func stream(ctx: CallContext, request: ChatRequest) -> AsyncThrowingStream<TextOr<ChatChunk>, Error>
}

extension Provider {
    public var traits: ProviderTraits { ProviderTraits() }

    public func stream(ctx: CallContext, request: ChatRequest) -> AsyncThrowingStream<TextOr<ChatChunk>, Error> {
        AsyncThrowingStream { throw XynergyError.missing("stream") }
    }
}

package struct ProviderAnswers: Answers {
    let object: any Provider

    package init(object: any Provider) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "chat":
            struct Given: Decodable {
                let ctx: CallContext
                let request: ChatRequest

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case request
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.chat(ctx: given.ctx, request: given.request))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        case "stream":
            struct Given: Decodable {
                let ctx: CallContext
                let request: ChatRequest

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case request
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return PiecesOf(object.stream(ctx: given.ctx, request: given.request))
        default: throw XynergyError.missing(method)
        }
    }
}

/// Embeds texts. Its `traits` say what it can do.
public protocol Embedder: Sendable {
    /// What it can do.
    var traits: EmbedderTraits { get }

    /// One vector for each text of `request.input`, in their order and all of the same length, and the tokens where they are known.
    func embed(ctx: CallContext, request: EmbedRequest) async throws -> EmbedResponse
}

extension Embedder {
    public var traits: EmbedderTraits { EmbedderTraits() }

}

package struct EmbedderAnswers: Answers {
    let object: any Embedder

    package init(object: any Embedder) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "embed":
            struct Given: Decodable {
                let ctx: CallContext
                let request: EmbedRequest

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case request
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.embed(ctx: given.ctx, request: given.request))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// A cache of answers. An error is taken as a miss.
public protocol ResponseCache: Sendable {
    /// The answer under a key, unless it has expired at `now`; nothing when there is none.
    func get(tenant: String, key: String, now: Timestamp) async throws -> ChatResponse?

    /// Keeps an answer, replacing an older one.
    func put(tenant: String, key: String, response: ChatResponse, expiresAt: Timestamp) async throws

    /// Drops the tenant's answers whose key, or whose `provider/model`, matches `pattern`, in which `*` stands for anything, and says
    /// how many.
    func invalidate(tenant: String, pattern: String) async throws -> UInt64
}

package struct ResponseCacheAnswers: Answers {
    let object: any ResponseCache

    package init(object: any ResponseCache) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "get":
            struct Given: Decodable {
                let tenant: String
                let key: String
                let now: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case key
                    case now
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.get(tenant: given.tenant, key: given.key, now: given.now))
        case "put":
            struct Given: Decodable {
                let tenant: String
                let key: String
                let response: ChatResponse
                let expiresAt: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case key
                    case response
                    case expiresAt = "expires_at"
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            try await object.put(tenant: given.tenant, key: given.key, response: given.response, expiresAt: given.expiresAt)
            return "null"
        case "invalidate":
            struct Given: Decodable {
                let tenant: String
                let pattern: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case pattern
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.invalidate(tenant: given.tenant, pattern: given.pattern))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// A source of credentials, as a vault.
public protocol SecretSource: Sendable {
    /// The credential that `reference` names; nothing when there is none.
    func get(tenant: String, reference: SecretRef) async throws -> String?
}

package struct SecretSourceAnswers: Answers {
    let object: any SecretSource

    package init(object: any SecretSource) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "get":
            struct Given: Decodable {
                let tenant: String
                let reference: SecretRef

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case reference
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.get(tenant: given.tenant, reference: given.reference))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// A CRM to read deals and contacts from.
public protocol Crm: Sendable {
    /// The deals of these ids, with the ids of their contacts. Those that it lacks are absent.
    func deals(ctx: CallContext, ids: [String]) async throws -> [String: Deal]

    /// The contacts of these ids. Those that it lacks are absent.
    func contacts(ctx: CallContext, ids: [String]) async throws -> [String: Contact]
}

package struct CrmAnswers: Answers {
    let object: any Crm

    package init(object: any Crm) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "deals":
            struct Given: Decodable {
                let ctx: CallContext
                let ids: [String]

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case ids
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.deals(ctx: given.ctx, ids: given.ids))
        case "contacts":
            struct Given: Decodable {
                let ctx: CallContext
                let ids: [String]

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case ids
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.contacts(ctx: given.ctx, ids: given.ids))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// An ad platform. A write is one request and never repeated: an error other than `unauthorized`, `throttled`, `rejected`,
/// `invalid_input`, `not_found` and `unsupported` means that it may have taken effect.
public protocol AdPlatform: Sendable {
    /// The currency and the platform's own limits of an account.
    func account(ctx: CallContext, accountId: String) async throws -> AccountState

    /// The budget owner now; `not_found` when there is no such object.
    func owner(ctx: CallContext, owner: Owner) async throws -> OwnerState

    /// Every object of the account that has a daily budget.
    func owners(ctx: CallContext, accountId: String) async throws -> [OwnerState]

    /// Sends one write, once. Returning means that the platform confirmed it.
    func set(ctx: CallContext, write: AdWrite) async throws

    /// Asks the platform whether it would accept the write; changes nothing.
    func validate(ctx: CallContext, write: AdWrite) async throws

    /// The edits of an owner since a time, oldest first; `unsupported` where the platform keeps no log.
    func activities(ctx: CallContext, accountId: String, owner: Owner, since: Timestamp) async throws -> [Activity]

    /// What each ad did from the day of `since` to the day of `until`, both included, by ad id.
    func insights(ctx: CallContext, accountId: String, since: Timestamp, until: Timestamp) async throws -> [AdInsight]
}

package struct AdPlatformAnswers: Answers {
    let object: any AdPlatform

    package init(object: any AdPlatform) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "account":
            struct Given: Decodable {
                let ctx: CallContext
                let accountId: String

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case accountId = "account_id"
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.account(ctx: given.ctx, accountId: given.accountId))
        case "owner":
            struct Given: Decodable {
                let ctx: CallContext
                let owner: Owner

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case owner
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.owner(ctx: given.ctx, owner: given.owner))
        case "owners":
            struct Given: Decodable {
                let ctx: CallContext
                let accountId: String

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case accountId = "account_id"
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.owners(ctx: given.ctx, accountId: given.accountId))
        case "set":
            struct Given: Decodable {
                let ctx: CallContext
                let write: AdWrite

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case write
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            try await object.set(ctx: given.ctx, write: given.write)
            return "null"
        case "validate":
            struct Given: Decodable {
                let ctx: CallContext
                let write: AdWrite

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case write
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            try await object.validate(ctx: given.ctx, write: given.write)
            return "null"
        case "activities":
            struct Given: Decodable {
                let ctx: CallContext
                let accountId: String
                let owner: Owner
                let since: Timestamp

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case accountId = "account_id"
                    case owner
                    case since
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.activities(ctx: given.ctx, accountId: given.accountId, owner: given.owner, since: given.since))
        case "insights":
            struct Given: Decodable {
                let ctx: CallContext
                let accountId: String
                let since: Timestamp
                let until: Timestamp

                enum CodingKeys: String, CodingKey {
                    case ctx
                    case accountId = "account_id"
                    case since
                    case until
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.insights(ctx: given.ctx, accountId: given.accountId, since: given.since, until: given.until))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// A store of small versioned documents.
public protocol StateStore: Sendable {
    /// The document; nothing when there is none.
    func get(tenant: String, collection: String, key: String) async throws -> Document?

    /// Writes a document whole and returns its new version; `conflict` when `expected` is given and is not the stored version, 0
    /// expecting that there is none.
    func put(tenant: String, collection: String, key: String, expected: UInt64?, value: String) async throws -> UInt64

    /// The documents of a collection as pairs of key and document, by key in byte order.
    func list(tenant: String, collection: String) async throws -> [Pair<String, Document>]
}

package struct StateStoreAnswers: Answers {
    let object: any StateStore

    package init(object: any StateStore) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "get":
            struct Given: Decodable {
                let tenant: String
                let collection: String
                let key: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case collection
                    case key
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.get(tenant: given.tenant, collection: given.collection, key: given.key))
        case "put":
            struct Given: Decodable {
                let tenant: String
                let collection: String
                let key: String
                let expected: UInt64?
                let value: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case collection
                    case key
                    case expected
                    case value
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.put(tenant: given.tenant, collection: given.collection, key: given.key, expected: given.expected, value: given.value))
        case "list":
            struct Given: Decodable {
                let tenant: String
                let collection: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case collection
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.list(tenant: given.tenant, collection: given.collection))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// A store of clicks.
public protocol ClickStore: Sendable {
    /// Stores a batch at once or not at all; of the clicks of one key on one day (UTC) the first stays.
    func track(tenant: String, clicks: [Click], source: String) async throws -> Tracked

    /// Of each key, the clicks at its latest time within `from` to `to`, all when several share it, in the order of the fields.
    func candidates(tenant: String, keys: [KeyedHash], from: Timestamp, to: Timestamp) async throws -> [Candidate]

    /// The clicks whose `personal.device.network` is one of `networks`, within `from` to `to`: the newest, at most `limit`, by time
    /// and then key, both descending, and how many there are.
    func around(tenant: String, networks: [KeyedHash], from: Timestamp, to: Timestamp, limit: UInt64) async throws -> Around

    /// Forgets the clicks of every day (UTC) that has ended by `before`; what `clicks_by_ad` and `count` say stays.
    func prune(tenant: String, before: Timestamp) async throws -> Pruned

    /// Forgets the clicks that have one of these keys, as their own or as one that they are found by, and says which, by key; what
    /// `clicks_by_ad` and `count` say stays.
    func erase(tenant: String, keys: [KeyedHash]) async throws -> Erased

    /// How often each ad was clicked on each day (UTC) from that of `from` to that of `to`, in the order of the fields, with the
    /// clicks that were forgotten.
    func clicksByAd(tenant: String, from: Timestamp, to: Timestamp) async throws -> [AdClicks]

    /// How many clicks were stored, by one ingest or by all.
    func count(tenant: String, source: String?) async throws -> UInt64
}

package struct ClickStoreAnswers: Answers {
    let object: any ClickStore

    package init(object: any ClickStore) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "track":
            struct Given: Decodable {
                let tenant: String
                let clicks: [Click]
                let source: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case clicks
                    case source
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.track(tenant: given.tenant, clicks: given.clicks, source: given.source))
        case "candidates":
            struct Given: Decodable {
                let tenant: String
                let keys: [KeyedHash]
                let from: Timestamp
                let to: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case keys
                    case from
                    case to
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.candidates(tenant: given.tenant, keys: given.keys, from: given.from, to: given.to))
        case "around":
            struct Given: Decodable {
                let tenant: String
                let networks: [KeyedHash]
                let from: Timestamp
                let to: Timestamp
                let limit: UInt64

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case networks
                    case from
                    case to
                    case limit
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.around(tenant: given.tenant, networks: given.networks, from: given.from, to: given.to, limit: given.limit))
        case "prune":
            struct Given: Decodable {
                let tenant: String
                let before: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case before
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.prune(tenant: given.tenant, before: given.before))
        case "erase":
            struct Given: Decodable {
                let tenant: String
                let keys: [KeyedHash]

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case keys
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.erase(tenant: given.tenant, keys: given.keys))
        case "clicks_by_ad":
            struct Given: Decodable {
                let tenant: String
                let from: Timestamp
                let to: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case from
                    case to
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.clicksByAd(tenant: given.tenant, from: given.from, to: given.to))
        case "count":
            struct Given: Decodable {
                let tenant: String
                let source: String?

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case source
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.count(tenant: given.tenant, source: given.source))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}

/// The inbox of CRM events and the revenue ledger that is folded from it.
public protocol RevenueStore: Sendable {
    /// Stores a batch at once or not at all. Of events of the same key, the smallest `raw` and the earliest `recorded_at` are kept.
    func appendEvents(tenant: String, events: [CrmEvent], source: String) async throws -> Appended

    /// Up to `limit` deals with events that their stored state has not seen, or whose `values_seen` is below the sum of `events_seen
    /// + 1` of all revaluations; by id in byte order.
    func pendingDeals(tenant: String, limit: UInt64) async throws -> [String]

    /// The events that concern a deal, by key.
    func events(tenant: String, dealId: String) async throws -> [CrmEvent]

    /// The events that concern any deal, by key, from behind `after` on.
    func eventsAfter(tenant: String, after: KeyedHash?, limit: UInt64) async throws -> [CrmEvent]

    /// How many events that concern deals happened at `until` or before.
    func countUntil(tenant: String, until: Timestamp) async throws -> UInt64

    /// Replaces the states and ledgers of these deals at once; false, and nothing written, when a stored state has seen more events
    /// or greater values.
    func putDeals(tenant: String, deals: [DealRevenue]) async throws -> Bool

    /// Every deal that was put with a stage, by id in byte order.
    func deals(tenant: String) async throws -> [DealRevenue]

    /// Those of these deals that were put with a stage, by id in byte order.
    func findDeals(tenant: String, ids: [String]) async throws -> [DealRevenue]

    /// The sums over the deals that were put with a stage and not merged into others.
    func totals(tenant: String) async throws -> RevenueTotals

    /// How many events were stored, by one ingest or by all.
    func countEvents(tenant: String, source: String?) async throws -> UInt64

    /// Stores a revaluation, one for each cut; false, and nothing written, when the stored one has seen more events. The earliest
    /// `recorded_at` of a cut is kept.
    func putRevaluation(tenant: String, revaluation: Revaluation) async throws -> Bool

    /// Every revaluation, by cut.
    func revaluations(tenant: String) async throws -> [Revaluation]
}

package struct RevenueStoreAnswers: Answers {
    let object: any RevenueStore

    package init(object: any RevenueStore) {
        self.object = object
    }

    package func call(_ method: String, _ arguments: String) async throws -> String {
        switch method {
        case "append_events":
            struct Given: Decodable {
                let tenant: String
                let events: [CrmEvent]
                let source: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case events
                    case source
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.appendEvents(tenant: given.tenant, events: given.events, source: given.source))
        case "pending_deals":
            struct Given: Decodable {
                let tenant: String
                let limit: UInt64

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case limit
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.pendingDeals(tenant: given.tenant, limit: given.limit))
        case "events":
            struct Given: Decodable {
                let tenant: String
                let dealId: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case dealId = "deal_id"
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.events(tenant: given.tenant, dealId: given.dealId))
        case "events_after":
            struct Given: Decodable {
                let tenant: String
                let after: KeyedHash?
                let limit: UInt64

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case after
                    case limit
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.eventsAfter(tenant: given.tenant, after: given.after, limit: given.limit))
        case "count_until":
            struct Given: Decodable {
                let tenant: String
                let until: Timestamp

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case until
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.countUntil(tenant: given.tenant, until: given.until))
        case "put_deals":
            struct Given: Decodable {
                let tenant: String
                let deals: [DealRevenue]

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case deals
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.putDeals(tenant: given.tenant, deals: given.deals))
        case "deals":
            struct Given: Decodable {
                let tenant: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.deals(tenant: given.tenant))
        case "find_deals":
            struct Given: Decodable {
                let tenant: String
                let ids: [String]

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case ids
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.findDeals(tenant: given.tenant, ids: given.ids))
        case "totals":
            struct Given: Decodable {
                let tenant: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.totals(tenant: given.tenant))
        case "count_events":
            struct Given: Decodable {
                let tenant: String
                let source: String?

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case source
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.countEvents(tenant: given.tenant, source: given.source))
        case "put_revaluation":
            struct Given: Decodable {
                let tenant: String
                let revaluation: Revaluation

                enum CodingKeys: String, CodingKey {
                    case tenant
                    case revaluation
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.putRevaluation(tenant: given.tenant, revaluation: given.revaluation))
        case "revaluations":
            struct Given: Decodable {
                let tenant: String

                enum CodingKeys: String, CodingKey {
                    case tenant
                }
            }
            let given = try JSONText.read(Given.self, arguments)
            return try JSONText.answer(try await object.revaluations(tenant: given.tenant))
        default: throw XynergyError.missing(method)
        }
    }

    package func open(_ method: String, _ arguments: String) throws -> any Pieces {
        switch method {
        default: throw XynergyError.missing(method)
        }
    }
}
