import Foundation
import Xynergy

/// A sandbox and a client that talks to it, for one test.
///
///     final class MyTests: XCTestCase {
///         func testAnswer() async throws {
///             try await withSandbox { fixture in
///                 let answer = try await fixture.client.ai.generate("Hello")
///                 XCTAssertFalse(answer.text.isEmpty)
///             }
///         }
///     }
public struct SandboxFixture: Sendable {
    public let sandbox: Sandbox
    public let client: Client
    /// The time of both, when the fixture was made with one.
    public let clock: ManualClock?

    /// Starts a sandbox and builds a client. Call ``stop()`` in `tearDown`.
    public static func start(
        _ setup: Sandbox.Setup = Sandbox.Setup(), clock: ManualClock? = nil, seed: UInt64? = 7
    ) async throws -> SandboxFixture {
        let sandbox = try await Sandbox.start(setup, clock: clock)
        let client = try Client(sandbox.configuration, secrets: sandbox.secrets, clock: clock, seed: seed)
        return SandboxFixture(sandbox: sandbox, client: client, clock: clock)
    }

    /// Closes the client and stops the sandbox.
    public func stop() async {
        try? await client.close(graceMs: 1_000)
        await sandbox.stop()
    }
}

/// Runs `body` with a sandbox and a client, and ends both however it ends.
public func withSandbox<T: Sendable>(
    _ setup: Sandbox.Setup = Sandbox.Setup(), clock: ManualClock? = nil, seed: UInt64? = 7,
    _ body: (SandboxFixture) async throws -> T
) async throws -> T {
    let fixture = try await SandboxFixture.start(setup, clock: clock, seed: seed)
    do {
        let result = try await body(fixture)
        await fixture.stop()
        return result
    } catch {
        await fixture.stop()
        throw error
    }
}
