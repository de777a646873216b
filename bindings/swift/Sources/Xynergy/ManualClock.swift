import Foundation
import XynergyNative

/// A clock that stands still until it is moved: for tests and simulated runs.
public final class ManualClock: Sendable {
    package let native: NativeClock

    /// A clock that stands at `now`.
    public init(_ now: Timestamp) {
        native = NativeClock(micros: now.microseconds)
    }

    /// The time.
    public var now: Timestamp {
        get { Timestamp(microseconds: native.now()) }
        set { native.set(micros: newValue.microseconds) }
    }

    /// Moves the time forwards.
    public func advance(milliseconds: UInt64) {
        native.advance(micros: milliseconds.multipliedReportingOverflow(by: 1_000).overflow ? .max : milliseconds * 1_000)
    }
}
