import Foundation
import XCTest
import Xynergy
import XynergyTesting

/// The cases that every language runs, through this package's public API. `tests/vectors/README.md` says what they mean.
final class VectorTests: XCTestCase {
    private var folder: URL {
        let given = ProcessInfo.processInfo.environment["XYNERGY_VECTORS"].map { URL(fileURLWithPath: $0) }
        return given
            ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../../tests/vectors")
                .standardized
    }

    private func read(_ name: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    func testTheMatchersAreTheOnesOfEveryLanguage() throws {
        guard case .array(let cases) = try read("matchers.json") else { return XCTFail("no list") }
        XCTAssertGreaterThan(cases.count, 20)
        for item in cases {
            XCTAssertEqual(mismatch(item["expect"]!, item["value"]!) == nil, item["matches"]?.bool, "\(item)")
        }
    }

    func testEveryCase() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".json") && !["surface.json", "matchers.json"].contains($0)
        }
        var passed = 0
        var leftOut: [String] = []
        for name in files.sorted() {
            let file = try read(name)
            guard case .array(let cases) = file["cases"] else { return XCTFail(name) }
            for item in cases {
                let title = "\(name): \(item["name"]?.string ?? "")"
                if isLeftOut(item) {
                    leftOut.append(title)
                    continue
                }
                do {
                    try await VectorCase(file, item).run()
                    passed += 1
                } catch {
                    XCTFail("\(title): \(error)")
                }
            }
        }
        print("swift: \(passed) cases passed, \(leftOut.count) left out\n" + leftOut.map { "  left out: \($0)" }.joined(separator: "\n"))
        XCTAssertGreaterThan(passed, 200)
    }
}

private func isLeftOut(_ item: JSONValue) -> Bool {
    guard case .array(let languages) = item["not_in"] else { return false }
    return languages.contains("swift")
}

/// One case under way.
private final class VectorCase {
    private let item: JSONValue
    private var names: [String: JSONValue]
    private let setup: JSONValue
    private var scripts: [String: Script] = [:]
    private var clock: ManualClock?
    private var sandbox: Sandbox?
    private var client: Client!
    private var open: (() throws -> Client)!

    struct Differs: Error, CustomStringConvertible {
        let description: String
    }

    init(_ file: JSONValue, _ item: JSONValue) throws {
        self.item = item
        names = file["values"]?.fields ?? [:]
        let made = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
        names["folder"] = .string(made.path)
        setup = try resolve(merge(file["setup"] ?? .null, item["client"] ?? .null), names)
    }

    func run() async throws {
        do {
            try await build()
            guard item["expect_error"] == nil else { throw Differs(description: "the client was built") }
            if case .array(let steps) = item["steps"] {
                for (number, step) in steps.enumerated() where !isLeftOut(step) {
                    do {
                        try await self.step(step)
                    } catch {
                        throw Differs(description: "step \(number + 1): \(error)")
                    }
                }
            }
        } catch {
            await end()
            if let expected = item["expect_error"], let error = error as? XynergyError {
                try judge(expected, error)
                return
            }
            throw error
        }
        await end()
    }

    private func end() async {
        try? await client?.close(graceMs: 1_000)
        await sandbox?.stop()
        if let made = names["folder"]?.string { try? FileManager.default.removeItem(atPath: made) }
    }

    private func script(_ place: String, _ given: JSONValue) -> Script {
        let script = Script(given)
        scripts[place] = script
        return script
    }

    private func build() async throws {
        clock = try setup["now"]?.string.map { ManualClock(try Timestamp($0)) }
        var config = setup["config"]
        var secrets = setup["secrets"].map(\.fields)?.mapValues { $0.string ?? "" }
        if let options = setup["sandbox"], options != .null {
            let given = Sandbox.Setup(ads: options["ads"], crm: options["crm"], faults: options["faults"])
            let started = try await Sandbox.start(given, clock: clock)
            sandbox = started
            config = merge(started.config, config ?? .null)
            if setup["hosts"]?["secrets"] == nil, case .values(let own) = started.secrets {
                secrets = own.merging(secrets ?? [:]) { _, given in given }
            }
        }
        let hosts = setup["hosts"]?.fields ?? [:]
        func objects<T>(_ kind: String, _ make: (Script) throws -> T) throws -> [String: T] {
            var made: [String: T] = [:]
            for (name, given) in hosts[kind]?.fields ?? [:] {
                made[name] = try make(script("\(kind).\(name)", given))
            }
            return made
        }
        let providers: [String: any Provider] = try objects("providers") { try ScriptedProvider($0) }
        let caches: [String: any ResponseCache] = try objects("caches") { ScriptedCache(script: $0) }
        let crms: [String: any Crm] = try objects("crms") { ScriptedCrm(script: $0) }
        let ads: [String: any AdPlatform] = try objects("ad_platforms") {
            try ScriptedAds($0, now: self.clock?.now ?? Timestamp(Date()))
        }
        var stores = HostStores()
        for (name, given) in hosts["stores"]?.fields ?? [:] {
            switch name {
            case "state": stores.state = ScriptedState(script: script("stores.state", given))
            case "clicks": stores.clicks = ScriptedClicks(script: script("stores.clicks", given))
            case "revenue": stores.revenue = ScriptedRevenue(script: script("stores.revenue", given))
            default: throw Unwritten(what: "stores.\(name)")
            }
        }
        var source: Secrets? = secrets.map { .values($0) }
        if let given = hosts["secrets"] {
            source = .source(ScriptedSecrets(script: script("secrets", given)))
        }
        let configuration: Configuration? = setup["config_toml"]?.string.map { .toml($0) } ?? config.map { .json($0) }
        let (clock, setup, placed) = (clock, setup, stores)
        open = {
            try Client(
                configuration, providers: providers, caches: caches, crms: crms, adPlatforms: ads, stores: placed, secrets: source,
                clock: clock, seed: setup["seed"]?.int.map(UInt64.init), hostTimeoutMs: setup["host_timeout_ms"]?.int.map(UInt64.init))
        }
        client = try open()
    }

    private func step(_ step: JSONValue) async throws {
        if let to = step["clock"] {
            clock?.now = try Timestamp(try resolve(to, names).string ?? "")
            try await sandbox?.applyDue()
        }
        if let ms = step["advance_ms"]?.int {
            clock?.advance(milliseconds: UInt64(ms))
            try await sandbox?.applyDue()
        }
        if step["close"] == true || step["reopen"] == true { try await client.close(graceMs: 1_000) }
        if step["reopen"] == true { client = try open() }
        if let what = step["sandbox"]?.string {
            let value = what == "state" ? try await sandbox!.state() : try JSONValue(encoding: try await sandbox!.nextDue())
            try judge(step, .success(value))
        }
        if let place = step["host"]?.string { try await look(step, place) }
        if let method = step["call"]?.string {
            let args = try resolve(step["args"] ?? [:], names)
            let outcomes = await withTaskGroup(of: Result<JSONValue, any Error>.self) { group in
                for _ in 0..<(step["times"]?.int ?? 1) {
                    group.addTask { [client, names] in await outcome(client!, step, method, args, names) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for outcome in outcomes { try judge(step, outcome) }
        }
    }

    /// What a host is to see may take a moment.
    private func look(_ step: JSONValue, _ place: String) async throws {
        for _ in 0..<100 {
            if mismatch(try resolve(step["expect"] ?? .null, names), scripts[place]?.seen ?? .null) == nil { return }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
        try judge(step, .success(scripts[place]?.seen ?? .null))
    }

    private func judge(_ step: JSONValue, _ outcome: Result<JSONValue, any Error>) throws {
        switch outcome {
        case .failure(let error):
            guard let expected = step["expect_error"], let error = error as? XynergyError else { throw error }
            try judge(try resolve(expected, names), error)
        case .success(let value):
            if step["expect_error"] != nil { throw Differs(description: "it should have failed, and gave \(value)") }
            if let expected = step["expect"], let problem = mismatch(try resolve(expected, names), value) {
                throw Differs(description: problem)
            }
            for (name, pointer) in step["save"]?.fields ?? [:] {
                guard let found = value.at(pointer: pointer.string ?? "") else { throw Differs(description: "nothing at \(pointer)") }
                names[name] = found
            }
        }
    }

    private func judge(_ expected: JSONValue, _ error: XynergyError) throws {
        let found: [String: JSONValue] = [
            "kind": .string(error.kind.rawValue), "message": .string(error.message), "operation": .string(error.operation),
            "retryable": .bool(error.retryable), "retry_after_ms": error.retryAfterMs.map { .int(Int64($0)) } ?? .null,
            "context": .object(error.context.mapValues { .string($0) }),
        ]
        for (name, wanted) in expected.fields {
            let problem =
                name == "message_contains"
                ? mismatch(["$contains": wanted], found["message"]!) : mismatch(wanted, found[name] ?? .null, at: name)
            if let problem { throw Differs(description: "\(problem); the error is \(error)") }
        }
    }
}

/// Makes one call on the client, or on a scope of it where the step names one.
private func outcome(
    _ client: Client, _ step: JSONValue, _ method: String, _ args: JSONValue, _ names: [String: JSONValue]
) async -> Result<JSONValue, any Error> {
    let work = Task { () throws -> JSONValue in
        let timeoutMs = step["timeout_ms"]?.int.map(UInt64.init)
        guard let scope = step["scope"] else { return try await made(client, client.ai, step, method, args, timeoutMs) }
        let given = try resolve(scope, names)
        let scoped = client.scope(
            tenant: given["tenant"]?.string ?? "default", actor: given["actor"]?.string, requestId: given["request_id"]?.string,
            traceparent: given["traceparent"]?.string)
        return try await made(scoped, scoped.ai, step, method, args, timeoutMs)
    }
    if let ms = step["cancel_after_ms"]?.int {
        try? await Task.sleep(nanoseconds: UInt64(ms) * 1_000_000)
        work.cancel()
    }
    return await work.result
}

private func made(
    _ target: any HasAreas, _ ai: AIArea, _ step: JSONValue, _ method: String, _ args: JSONValue, _ timeoutMs: UInt64?
) async throws -> JSONValue {
    guard method == "ai.stream" else { return try await call(target, method, args, timeoutMs: timeoutMs) }
    struct Given: Decodable {
        let request: ChatRequest
    }
    var text = ""
    var last: ChatChunk?
    var taken: Int64 = 0
    for try await chunk in ai.stream(try written(args, as: Given.self).request, timeoutMs: timeoutMs) {
        text += chunk.text
        last = chunk
        taken += 1
        if taken == step["take"]?.int { break }
    }
    return ["text": .string(text), "last": try JSONValue(encoding: last)]
}
