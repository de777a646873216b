import Foundation
import Xynergy
import XynergyNative

/// The SHA-256 of bytes, in hex: by it two runs compare their documents, and a run names its inputs.
public func sha256Hex(_ data: Data) throws -> String {
    try translated { try sha256(bytes: data) }
}
