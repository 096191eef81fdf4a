// Accepted and parked events by fingerprint, so that a repeat changes nothing.
//
//     identity   96 bits of the keyed hash of (source, id), 32 bits of a hash of the content
//     decision   service time << 8 | outcome
//
// A ring, oldest first out: after the retention time, or when it is full. 24 bytes an id, and
// 16 to 32 in the index.

package import Bytes
package import Columns
package import Domain
package import Platform

@usableFromInline
struct Identity: BitwiseCopyable {
    var first: UInt64
    var rest: UInt64  // second << 32 | body
}

/// The remembered events of one shard. Owner only.
package struct RememberedEvents: ~Copyable {
    private var index: HashIndex
    private var identities: Column<Identity>
    private var decisions: Column<UInt64>
    private var oldest: UInt64 = 0  // Number of the oldest one still remembered.
    private var next: UInt64 = 0  // Number of the next one; its place is the number mod capacity.
    private let capacity: UInt64
    private let retention: Milliseconds

    package init(
        countMax: Int, retention: Milliseconds, quietPoints: QuietPoints
    ) throws(SystemError) {
        let index = try HashIndex(quietPoints: quietPoints)
        let identities = try Column<Identity>(rowCountMax: countMax)
        let decisions = try Column<UInt64>(rowCountMax: countMax)
        self.index = index
        self.identities = identities
        self.decisions = decisions
        capacity = UInt64(countMax)
        self.retention = retention
    }

    package var count: Int { Int(next - oldest) }

    package var byteCount: Int {
        index.byteCount + identities.committedByteCount + decisions.committedByteCount
    }

    /// When the oldest event that is still remembered was decided; nil while none was forgotten.
    package var reach: Milliseconds? {
        if oldest == 0 { return nil }
        return oldest == next ? .max : Self.time(decisions[Int(oldest % capacity)])
    }

    private static func time(_ decision: UInt64) -> Milliseconds {
        Milliseconds(Int64(bitPattern: decision) >> 8)
    }

    private static func tag(_ fingerprint: EventFingerprint) -> UInt32 {
        UInt32(truncatingIfNeeded: fingerprint.first)
    }

    @inline(__always)
    package func prefetch(_ fingerprint: EventFingerprint) {
        index.view.prefetch(tag: Self.tag(fingerprint))
    }

    /// Asks for the index lines of the events that remembering `count` more would make it forget.
    package func prefetchOldest(_ count: Int, now: Milliseconds) {
        if count == 0 || next == oldest { return }
        let isFull = next - oldest + UInt64(count) > capacity
        if !isFull, Self.time(decisions[Int(oldest % capacity)]) >= now - retention { return }
        for number in oldest..<min(next, oldest + 2 * UInt64(count)) {
            let identity = identities[Int(number % capacity)]
            index.view.prefetch(tag: UInt32(truncatingIfNeeded: identity.first))
        }
    }

    /// What a fingerprint was answered with.
    package enum Recall: Equatable {
        case unknown
        case same(Outcome)
        /// The same id with another content.
        case conflict
    }

    package func recall(_ fingerprint: EventFingerprint) -> Recall {
        guard let place = place(of: fingerprint) else { return .unknown }
        if UInt32(truncatingIfNeeded: identities[place].rest) != fingerprint.body {
            return .conflict
        }
        let code = UInt8(truncatingIfNeeded: decisions[place])
        return .same(Outcome(rawValue: code) ?? .accepted)
    }

    private func place(of fingerprint: EventFingerprint) -> Int? {
        let found = index.view.find(tag: Self.tag(fingerprint)) { place in
            let identity = identities[Int(place)]
            return identity.first == fingerprint.first
                && UInt32(truncatingIfNeeded: identity.rest >> 32) == fingerprint.second
        }
        return found.map { Int($0) }
    }

    /// Makes room for one more.
    package mutating func prepare() throws(SystemError) {
        if next < capacity, Int(next) == identities.rowCount {
            try identities.prepare(rows: 1)
            try decisions.prepare(rows: 1)
        }
        try index.prepare()
    }

    /// Remembers an event, for which `prepare` made room; forgets what is too old or too many.
    ///
    /// An event that was decided again (a backfill of what was parked) keeps its turn: only its
    /// outcome changes.
    package mutating func add(_ event: RememberedEvent) {
        if let place = place(of: event.fingerprint) {
            decisions[place] = decisions[place] & ~0xFF | UInt64(event.outcome.rawValue)
            return
        }
        if next - oldest == capacity { forgetOldest() }
        let place = Int(next % capacity)
        if place == identities.rowCount {
            identities.appendPrepared(rows: 1)
            decisions.appendPrepared(rows: 1)
        }
        let fingerprint = event.fingerprint
        identities[place] = Identity(
            first: fingerprint.first,
            rest: UInt64(fingerprint.second) << 32 | UInt64(fingerprint.body))
        decisions[place] =
            UInt64(bitPattern: event.time) << 8 | UInt64(event.outcome.rawValue)
        index.insertPrepared(tag: Self.tag(fingerprint), value: UInt32(place))
        next += 1
        // Two for each new one at the most: the ring shrinks without a long pause.
        for _ in 0..<2 where next - oldest > 1 {
            let decided = Self.time(decisions[Int(oldest % capacity)])
            if decided < event.time - retention { forgetOldest() } else { break }
        }
    }

    private mutating func forgetOldest() {
        let place = Int(oldest % capacity)
        let tag = UInt32(truncatingIfNeeded: identities[place].first)
        index.remove(tag: tag, value: UInt32(place))
        oldest += 1
    }
}
