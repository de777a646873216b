import Foundation
import XynergyNative

/// Stand-ins on this machine for the AI providers, the ad platform and the CRM: nothing leaves it, nothing costs.
public final class Sandbox: Sendable {
    private let native: NativeSandbox
    private let described: Described

    private struct Described: Decodable {
        let urls: JSONValue
        let config: JSONValue
        let secrets: [String: String]
        let account: AdAccount
        let problems: [String]
    }

    /// What it serves; everything may be absent.
    public struct Setup: Encodable, Sendable {
        /// The ad account: an ads file's content, or its path as text.
        public var ads: JSONValue?
        /// Deals and contacts: a CRM file's content, or its path as text.
        public var crm: JSONValue?
        /// Rules of faults, or the path of a file of them as text.
        public var faults: JSONValue?
        /// The file of its log; in memory when absent.
        public var log: String?
        /// The port; a free one when absent.
        public var port: UInt16

        public init(ads: JSONValue? = nil, crm: JSONValue? = nil, faults: JSONValue? = nil, log: String? = nil, port: UInt16 = 0) {
            self.ads = ads
            self.crm = crm
            self.faults = faults
            self.log = log
            self.port = port
        }
    }

    private init(_ native: NativeSandbox) throws {
        self.native = native
        described = try JSONText.read(Described.self, try translated { try native.describe() })
    }

    /// Starts one. With a clock, it runs in that simulated time.
    public static func start(_ setup: Setup = Setup(), clock: ManualClock? = nil) async throws -> Sandbox {
        let options = try JSONText.write(setup)
        return try Sandbox(try await translated { try await NativeSandbox.start(options: options, clock: clock?.native) })
    }

    /// Its addresses.
    public var urls: JSONValue { described.urls }

    /// The configuration of a client that talks to it.
    public var configuration: Configuration { .json(described.config) }

    /// The same as JSON, to add to.
    public var config: JSONValue { described.config }

    /// The credentials of such a client. They open nothing else.
    public var secrets: Secrets { .values(described.secrets) }

    /// Its ad account, as the closed loop takes it.
    public var account: AdAccount { described.account }

    /// The rows of the files that were skipped, and why.
    public var problems: [String] { described.problems }

    /// When the next late effect lands; nothing when none is on its way.
    public func nextDue() async throws -> Timestamp? {
        try await translated { try await native.nextDue() }.map(Timestamp.init(microseconds:))
    }

    /// Lets late effects land whose time has come.
    public func applyDue() async throws {
        try await translated { try await native.applyDue() }
    }

    /// Its state, with every late effect that is due.
    public func state() async throws -> JSONValue {
        try JSONText.read(JSONValue.self, try await translated { try await native.state() })
    }

    /// Stops it. Stopping twice does nothing.
    public func stop() async {
        try? await native.stop()
    }
}

/// A JSON text in the one form that is the same, byte for byte, in every language.
public func canonicalJSON(_ value: some Encodable) throws -> String {
    let text = try JSONText.write(value)
    return try translated { try canonicalJson(text: text) }
}
