import Foundation
import Xynergy

/// Wrong use: nothing was started.
struct WrongUse: Error {
    let message: String
}

/// The command line.
struct CommandLineOptions {
    static let usage = """
        usage: closed_loop [--clicks FILE] [--webhooks FILE] [--crm FILE] [--ads FILE] [--faults FILE|none]
                           [--seed N] [--now RFC3339] [--preset NAME] [--json]
        """

    private var files: [String: URL] = [:]
    var seed: UInt64 = 7
    var now: Timestamp?
    var preset = "seed"
    var json = false

    init(_ arguments: some Sequence<String>) throws {
        var rest = arguments.makeIterator()
        while let name = rest.next() {
            if name == "--json" {
                json = true
                continue
            }
            guard let value = rest.next() else { throw WrongUse(message: "\(name): no such option, or its value is missing\n\(Self.usage)") }
            switch name {
            case "--clicks", "--webhooks", "--crm", "--ads", "--faults":
                files[String(name.dropFirst(2))] = URL(fileURLWithPath: value)
            case "--seed":
                guard let number = UInt64(value) else { throw WrongUse(message: "--seed: \(value) is no number: give 0 or more") }
                seed = number
            case "--now":
                do { now = try Timestamp(value) } catch { throw WrongUse(message: "--now: \(error)") }
            case "--preset": preset = value
            default: throw WrongUse(message: "\(name): no such option\n\(Self.usage)")
            }
        }
    }

    /// The file that an option names, or the bundled one; nothing for `none`.
    func file(_ name: String) -> URL? {
        let given = files[name]
        if name == "faults", given?.lastPathComponent == "none" { return nil }
        let bundled = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../../data").standardized
        let ending = ["clicks", "webhooks"].contains(name) ? "ndjson" : "json"
        return given ?? bundled.appendingPathComponent("\(name).\(ending)")
    }
}
