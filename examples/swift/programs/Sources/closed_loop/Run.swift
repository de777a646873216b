import Foundation
import Xynergy

/// The name under which the client finds the key of jitter and fuzz, which comes from the seed.
private let drawKey = "XYNERGY_EXAMPLE_DRAW_KEY"

/// One run, from the first click to the last change.
final class Run {
    let options: CommandLineOptions
    let inputs: Inputs
    let id: String
    let clock: ManualClock
    let sandbox: Sandbox
    let client: Client
    private(set) var problems: [String]
    private(set) var counts = Counts()
    private(set) var sentences: [Sentence] = []

    /// What the inputs hold.
    struct Counts {
        var clicks: UInt64 = 0
        var rejectedClicks: UInt64 = 0
        var verified: UInt64 = 0
        var rejectedDeliveries: UInt64 = 0
        var events: UInt64 = 0
    }

    /// A line on a change, and what it cost.
    struct Sentence {
        let provider: String
        let costNanoUsd: UInt64
        let cacheHit: Bool
    }

    init(_ options: CommandLineOptions, _ inputs: Inputs) async throws {
        self.options = options
        self.inputs = inputs
        let asked = options.now ?? inputs.newest
        id = try inputs.runId(seed: options.seed, now: asked)
        clock = ManualClock(asked)
        sandbox = try await Sandbox.start(
            Sandbox.Setup(
                ads: options.file("ads").map { .string($0.path) }, crm: options.file("crm").map { .string($0.path) },
                faults: options.file("faults").map { .string($0.path) }),
            clock: clock)
        problems = sandbox.problems + inputs.problems
        var config = try sandbox.config.decoded(as: Config.self)
        config.execution.preset = options.preset
        config.execution.drawKey = .env(drawKey)
        guard case .values(var secrets) = sandbox.secrets else { fatalError("a sandbox's credentials are values") }
        secrets[drawKey] = "closed loop, seed \(options.seed)"
        client = try Client(.config(config), secrets: .values(secrets), clock: clock, seed: options.seed ^ (1 << 32))
    }

    /// Every stage up to the last change that is due within an hour, and a sentence on each change.
    func go() async throws {
        try await ingestClicks()
        try await acceptWebhooks()
        while try await client.closedLoop.process(sandbox.account, limit: 100) > 0 {}
        let allocation = try await client.closedLoop.allocate(account: sandbox.account, allocationId: id, seed: options.seed)
        let changes = try await client.closedLoop.changes(
            account: sandbox.account, allocationId: id, allocation: allocation)
        _ = try await client.execution.queue(changes)
        try await execute()
        try await explain()
    }

    func end() async {
        try? await client.close()
        await sandbox.stop()
    }

    private func ingestClicks() async throws {
        for start in stride(from: 0, to: inputs.clicks.count, by: 1_000) {
            let batch = inputs.clicks[start..<min(start + 1_000, inputs.clicks.count)]
            // A line that is not UTF-8 is no JSON, and is refused as such.
            let texts = batch.map { JSONValue.string(String(data: $0.line, encoding: .utf8) ?? "not UTF-8") }
            let tracked = try await client.attribution.trackClicks(texts, source: id)
            counts.clicks += UInt64(batch.count - tracked.rejected.count)
            counts.rejectedClicks += UInt64(tracked.rejected.count)
            for rejected in tracked.rejected {
                problems.append("clicks, line \(inputs.clicks[start + Int(rejected.index)].number): \(rejected.problem)")
            }
        }
    }

    private func acceptWebhooks() async throws {
        counts.rejectedDeliveries = inputs.brokenDeliveries
        for (number, delivery) in inputs.deliveries {
            do {
                let accepted = try await client.hubspot.accept(
                    method: delivery.method, url: delivery.url, headers: delivery.headers, body: Data(delivery.body.utf8),
                    receivedAt: delivery.receivedAt, source: id)
                counts.verified += 1
                counts.events += accepted.events + accepted.duplicates
                problems += accepted.skipped.map { "webhooks, line \(number): \($0.problem)" }
            } catch let error as XynergyError where [.unauthorized, .invalidInput].contains(error.kind) {
                counts.rejectedDeliveries += 1
                problems.append("webhooks, line \(number): \(error.message)")
            }
        }
    }

    /// Does what is due, moves the clock to what is due next, and ends when nothing is due within an hour.
    private func execute() async throws {
        let horizon: Int64 = 3_600_000_000
        while true {
            while try await client.execution.runOnce() != nil {}
            let due = [try await client.execution.nextDue(), try await sandbox.nextDue()].compactMap { $0 }.min()
            guard let due, due.microseconds <= clock.now.microseconds + horizon else { return }
            guard due > clock.now else {
                throw XynergyError(
                    kind: .unexpected, message: "something is due at \(due), but nothing was done: the run would never end",
                    operation: "closed_loop")
            }
            clock.now = due
            try await sandbox.applyDue()
        }
    }

    /// The changes of this run by owner.
    func changes() async throws -> [ChangeRow] {
        try await client.execution.list(allocationId: id).sorted { $0.change.owner.id.utf8.lexicographicallyPrecedes($1.change.owner.id.utf8) }
    }

    private func explain() async throws {
        for change in try await changes() where change.status == .completed || change.status == .blocked {
            do {
                let answer = try await client.ai.generate(prompt(on: change), temperature: 0)
                sentences.append(
                    Sentence(provider: answer.provider, costNanoUsd: answer.costNanoUsd ?? 0, cacheHit: answer.cacheHit))
            } catch let error as XynergyError {
                // The changes are done and audited; a sentence on them is a courtesy.
                problems.append("the sentence on \(change.change.owner.id): \(error)")
            }
        }
    }
}

/// The prompt of a change. It has the reason and a rounded percentage and no name, so that equal cases are one prompt.
private func prompt(on change: ChangeRow) -> String {
    let (from, target) = (change.change.expectedFrom, change.change.target)
    let direction = target < from ? "cut" : "raise"
    let twentieths = abs(target - from) * 40 / max(from, 1)
    let percent = (twentieths + 1) / 2 * 5
    let done = change.status == .completed ? "was applied" : "was blocked"
    let because = change.reason.map { ", \(words(on: $0))" } ?? ""
    return "Tell an advertiser in one plain sentence: a \(direction) of the daily budget by about \(percent) % \(done)\(because)."
}

/// A reason as part of a sentence.
private func words(on reason: Reason) -> String {
    switch reason {
    case .aboveCeiling: return "because it is above the ceiling that was set for it"
    case .accountCap: return "because the account's daily total would be exceeded"
    case .awaitingCuts: return "because the cuts that make room for it are not done yet"
    case .belowFloor: return "because it is below the floor that was set for it"
    case .conflict: return "because what became of it cannot be told without a person looking"
    case .drifted: return "because somebody had changed the budget by hand since it was proposed"
    case .edited: return "because somebody edited the object by hand after it was proposed"
    case .expired: return "because it had waited for too long"
    case .killSwitch: return "because changes are switched off"
    case .landedLate: return "although its reply was lost and it took effect later than expected"
    case .learningPhase: return "because it would start the platform's learning phase anew"
    case .rateLimitAccount, .rateLimitCampaign, .rateLimitOwner: return "because too many changes were made within the hour"
    case .reconciled: return "although the reply was lost: reading the platform showed that it had happened"
    case .throttled: return "because the ad platform asked to slow down"
    case .velocity: return "because the budget would have moved by more than 20 % within six hours"
    default: return "because of \(reason.rawValue.replacingOccurrences(of: "_", with: " "))"
    }
}
