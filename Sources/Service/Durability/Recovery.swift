// What a start has read from its data directory.

package import Bytes
package import Journal

/// What a start has read.
package struct RecoverySummary: Sendable {
    /// nil where there is no data directory.
    package var journal: RecoveryReport?
    package var factCount = 0
    /// Service time of the newest frame; nil when there is none.
    package var newestTime: Milliseconds?
    package var replayMilliseconds = 0
    package var rulesMilliseconds = 0
}
