import Foundation
import Xynergy
import XynergyNative

/// The behaviour suites of the protocols, for an object of yours that is empty. They write to it.
///
/// - Throws: ``XynergyError`` that says which behaviour differs.
public enum Check {
    /// An AI provider. It answers any request.
    public static func provider(_ object: any Provider) async throws {
        try await run("provider", ProviderAnswers(object: object), try JSONText.write(object.traits))
    }

    /// An embedder. It embeds any text.
    public static func embedder(_ object: any Embedder) async throws {
        try await run("embedder", EmbedderAnswers(object: object), try JSONText.write(object.traits))
    }

    /// A response cache.
    public static func cache(_ object: any ResponseCache) async throws {
        try await run("cache", ResponseCacheAnswers(object: object))
    }

    /// A source of credentials that has `value` under `name`.
    public static func secrets(_ object: any SecretSource, name: String, value: String) async throws {
        try await run("secrets", SecretSourceAnswers(object: object), try JSONText.write(["name": name, "value": value]))
    }

    /// A CRM that holds these deals and contacts.
    public static func crm(_ object: any Crm, deals: [String: Deal], contacts: [String: Contact]) async throws {
        struct Known: Encodable {
            let deals: [String: Deal]
            let contacts: [String: Contact]
        }
        try await run("crm", CrmAnswers(object: object), try JSONText.write(Known(deals: deals, contacts: contacts)))
    }

    /// An ad platform with this account, in which `owner` has a daily budget.
    public static func adPlatform(_ object: any AdPlatform, accountId: String, owner: Owner) async throws {
        struct Known: Encodable {
            let account_id: String
            let owner: Owner
        }
        try await run("ad_platform", AdPlatformAnswers(object: object), try JSONText.write(Known(account_id: accountId, owner: owner)))
    }

    /// A store of small documents.
    public static func stateStore(_ object: any StateStore) async throws {
        try await run("state_store", StateStoreAnswers(object: object))
    }

    /// A store of clicks.
    public static func clickStore(_ object: any ClickStore) async throws {
        try await run("click_store", ClickStoreAnswers(object: object))
    }

    /// A store of CRM events and revenue.
    public static func revenueStore(_ object: any RevenueStore) async throws {
        try await run("revenue_store", RevenueStoreAnswers(object: object))
    }

    private static func run(_ suite: String, _ answers: any Answers, _ options: String = "{}") async throws {
        try await translated { try await check(suite: suite, object: HostedObject(answers), options: options) }
    }
}
