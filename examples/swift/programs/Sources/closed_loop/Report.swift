import Foundation
import Xynergy

/// What a run reports. Its fields are the document of `--json`, which is the same in every language.
struct Report: Encodable {
    var clicks: [String: UInt64]
    var webhooks: [String: UInt64]
    var matches: MatchCounts
    var revenue: Revenue
    var allocation: [Row]
    var changes: Changes
    /// The live budget of each owner at the end of the run, in minor units.
    var platform: [String: Int64]
    var audit: Audit
    var ai = Ai()

    struct Revenue: Encodable {
        let total_minor: Int64
        let by_ad: [String: Int64]
    }

    struct Row: Encodable {
        let owner_id: String
        let current_minor: Int64
        let proposed_minor: Int64
        let ads: [AdShare]
        let reason: String
    }

    struct Changes: Encodable {
        let queued: Int
        let completed: Int
        let blocked: Int
        let failed: Int
        let by_reason: [String: Int]
    }

    struct Audit: Encodable {
        let rows: UInt64
        let chain_ok: Bool
    }

    struct Ai: Encodable {
        var requests = 0
        var cache_hits = 0
        var cost_nano_usd: UInt64 = 0
        var by_provider: [String: Use] = [:]

        struct Use: Encodable {
            var requests = 0
            var cost_nano_usd: UInt64 = 0
        }
    }

    /// For people.
    var summary: String {
        """
        clicks    \(clicks["ingested", default: 0]) stored
        deals     \(matches.layer1) by click id, \(matches.layer2) by fingerprint, \(matches.layer3) by address, \(matches.none) without an ad
        revenue   \(revenue.total_minor) in minor units
        changes   \(changes.completed) applied, \(changes.blocked) blocked, \(changes.failed) failed
        audit     \(audit.rows) rows, \(audit.chain_ok ? "whole" : "broken")

        """
    }
}

extension Run {
    func report() async throws -> Report {
        let changes = try await changes()
        let allocation = try await client.allocation.get(id)
        let ingested = try await client.attribution.countClicks(source: id)
        let events = try await client.hubspot.countEvents(source: id)
        let totals = try await client.attribution.totals()
        let audit = try await client.execution.verifyAudit()

        var byAd = Dictionary(uniqueKeysWithValues: sandbox.account.ads.map { ($0.adId, Int64(0)) })
        byAd.merge(totals.byAd) { _, found in found }
        byAd["unattributed", default: 0] += totals.unattributedMinor
        var report = Report(
            clicks: ["ingested": ingested, "duplicates": counts.clicks - ingested, "rejected": counts.rejectedClicks],
            webhooks: [
                "received": counts.verified + counts.rejectedDeliveries, "verified": counts.verified,
                "rejected": counts.rejectedDeliveries, "events": events, "duplicates": counts.events - events,
            ],
            matches: totals.matches,
            revenue: .init(total_minor: byAd.values.reduce(0, +), by_ad: byAd),
            allocation: (allocation?.rows ?? []).map {
                .init(
                    owner_id: $0.ownerId, current_minor: $0.currentMinor, proposed_minor: $0.proposedMinor, ads: $0.ads,
                    reason: $0.reason)
            },
            changes: try await counted(changes),
            platform: try await live(allocation),
            audit: .init(rows: audit.rows, chain_ok: audit.chainOk))
        for sentence in sentences {
            report.ai.requests += 1
            report.ai.cost_nano_usd += sentence.costNanoUsd
            if sentence.cacheHit {
                report.ai.cache_hits += 1
            } else {
                report.ai.by_provider[sentence.provider, default: .init()].requests += 1
                report.ai.by_provider[sentence.provider, default: .init()].cost_nano_usd += sentence.costNanoUsd
            }
        }
        return report
    }

    /// How the changes ended, and how many met each reason on the way.
    private func counted(_ changes: [ChangeRow]) async throws -> Report.Changes {
        var met: [String: Set<ChangeId>] = [:]
        for row in changes {
            if let reason = row.reason { met[reason.rawValue, default: []].insert(row.change.id) }
            for audit in try await client.execution.history(row.change.accountId, changeId: row.change.id) {
                if let reason = audit.reason { met[reason.rawValue, default: []].insert(row.change.id) }
            }
        }
        let with = { status in changes.filter { $0.status == status }.count }
        return Report.Changes(
            queued: changes.count, completed: with(.completed), blocked: with(.blocked), failed: with(.failed),
            by_reason: met.mapValues(\.count))
    }

    /// The live budget of each owner.
    private func live(_ allocation: Allocation?) async throws -> [String: Int64] {
        var known = Set(sandbox.account.ads.map { $0.level == .campaign ? $0.campaignId : $0.adsetId })
        known.formUnion((allocation?.rows ?? []).map(\.ownerId))
        var budgets: [String: Int64] = [:]
        for owner in try await client.execution.owners(sandbox.account.accountId) where known.contains(owner.owner.id) {
            budgets[owner.owner.id] = owner.dailyBudgetMinor
        }
        return budgets
    }
}
