import Foundation
import Xynergy
import XynergyTesting

/// One webhook delivery as HubSpot sent it.
struct Delivery: Decodable {
    let receivedAt: Timestamp
    let method: String
    let url: String
    let headers: [String: String]
    let body: String

    enum CodingKeys: String, CodingKey {
        case receivedAt = "received_at"
        case method
        case url
        case headers
        case body
    }
}

/// Everything a run is computed from.
struct Inputs {
    /// One click a line, with the number of its line.
    let clicks: [(number: Int, line: Data)]
    /// The deliveries that could be read, with the number of their line.
    private(set) var deliveries: [(number: Int, delivery: Delivery)] = []
    private(set) var brokenDeliveries: UInt64 = 0
    /// The newest time of a click or a delivery.
    let newest: Timestamp
    private(set) var problems: [String] = []
    private let bytes: Data

    init(_ options: CommandLineOptions) throws {
        var bytes = Data()
        var read: [String: Data] = [:]
        for name in ["clicks", "webhooks", "crm", "ads"] {
            guard let url = options.file(name), let data = try? Data(contentsOf: url) else {
                throw WrongUse(message: "--\(name): \(options.file(name)?.path ?? "") cannot be read: give the path of a readable file")
            }
            bytes += littleEndian(UInt64(data.count)) + data
            read[name] = data
        }
        self.bytes = bytes
        clicks = lines(read["clicks", default: Data()])
        let decoder = JSONDecoder()
        for (number, line) in lines(read["webhooks", default: Data()]) {
            do {
                deliveries.append((number, try decoder.decode(Delivery.self, from: line)))
            } catch {
                brokenDeliveries += 1
                problems.append("webhooks, line \(number): \(error)")
            }
        }
        struct Time: Decodable {
            let ts: Timestamp
        }
        let newestClick = clicks.compactMap { try? decoder.decode(Time.self, from: $0.line).ts }.max()
        let newestDelivery = deliveries.map(\.delivery.receivedAt).max()
        newest = [newestClick, newestDelivery].compactMap { $0 }.max() ?? Timestamp(microseconds: 0)
    }

    /// The id of the run: the same inputs, seed and start give the same.
    func runId(seed: UInt64, now: Timestamp) throws -> String {
        let all = bytes + littleEndian(seed) + littleEndian(UInt64(bitPattern: now.microseconds))
        return String(try sha256Hex(all).prefix(32))
    }
}

private func littleEndian(_ number: UInt64) -> Data {
    withUnsafeBytes(of: number.littleEndian) { Data($0) }
}

/// The lines of an NDJSON file with their numbers, without the empty ones and a byte-order mark.
private func lines(_ data: Data) -> [(number: Int, line: Data)] {
    let text = data.starts(with: [0xef, 0xbb, 0xbf]) ? data.dropFirst(3) : data
    let blanks: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0c, 0x0d]
    return text.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().compactMap { index, line in
        let start = line.firstIndex { !blanks.contains($0) }
        let end = line.lastIndex { !blanks.contains($0) }
        guard let start, let end else { return nil }
        return (index + 1, Data(line[start...end]))
    }
}
