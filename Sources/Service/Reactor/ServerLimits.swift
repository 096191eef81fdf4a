// What one server takes before it refuses, waits or cuts. RELIABILITY §5 has the table.

package import HTTP

/// Every limit of the network side in one place.
package struct ServerLimits: Sendable {
    /// Request line, header and chunk sizes.
    package var http = HTTPLimits.standard

    /// Connections of the whole server. One more is answered 503 and closed.
    package var connectionCountMax = 10_000

    /// Connections from one IPv4 address or IPv6 /64. A load test from one machine raises it.
    package var connectionCountMaxPerAddress = 1000

    /// From the first byte of a head to its last.
    package var headMilliseconds = 5000

    /// How long a connection may lie idle between requests, or before its first.
    package var idleMilliseconds = 60_000

    /// A body that is awaited must bring `transferByteRateMin` in every window of this length.
    package var bodyWindowMilliseconds = 5000

    /// Answers that wait for a slow reader must move at `transferByteRateMin` in every window of
    /// this length, or the connection is cut.
    package var unsentWindowMilliseconds = 10_000

    /// Bytes a second.
    package var transferByteRateMin = 1024

    /// Unsent answers of one connection at which no more of its requests are read.
    package var unsentByteCountMax = 1 << 20

    /// Received and unsent bytes that all connections may hold; beyond it the biggest is cut.
    package var bufferByteCountMax = 256 << 20

    /// What a handler of a streamed body may leave untaken before the item counts as too large.
    package var pieceByteCountMax = 1 << 20

    /// An unread body up to this size is skipped to keep the connection; beyond, it is closed.
    package var skippedBodyByteCountMax = 64 << 10

    /// After the last answer: how long, and for how many bytes, a peer that still sends is listened
    /// to, so that a reset does not take the answer away from it (RFC 9112 §9.6).
    package var lingerMilliseconds = 2000
    package var lingerByteCountMax = 1 << 20

    /// Requests, or steps of an answer, that one connection gets per turn of the loop.
    package var stepCountPerTurn = 512

    /// Bytes read from one connection per turn of the loop.
    package var readByteCount = 256 << 10

    /// From the wish to stop to the end of all connections, finished or not.
    package var drainMilliseconds = 10_000

    /// How often time-outs are looked for.
    package var tickMilliseconds = 250

    package init() {}
}
