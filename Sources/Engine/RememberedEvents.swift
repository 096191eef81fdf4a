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

    init(_ fingerprint: EventFingerprint) {
        first = fingerprint.first
        rest = UInt64(fingerprint.second) << 32 | UInt64(fingerprint.body)
    }
}

/// The remembered events of one shard. Owner only.
package struct RememberedEvents: ~Copyable {
    var index: HashIndex
    var identities: Column<Identity>
    var decisions: Column<UInt64>
    // Places in the ring, which is full when they are equal and `count` is not 0.
    var oldest = 0
    var next = 0
    let capacity: Int
    private let retention: Milliseconds

    package internal(set) var count = 0
    var hasForgotten = false

    // What `recall` did not find last, and where the index has a place for it: `add` need not look
    // again. The place is below 0 when anything changed since.
    private var absent = EventFingerprint(first: 0, second: 0, body: 0)
    var vacancy = -1

    package init(
        countMax: Int, retention: Milliseconds, quietPoints: QuietPoints
    ) throws(SystemError) {
        let index = try HashIndex(quietPoints: quietPoints)
        let identities = try Column<Identity>(rowCountMax: countMax)
        let decisions = try Column<UInt64>(rowCountMax: countMax)
        self.index = index
        self.identities = identities
        self.decisions = decisions
        capacity = countMax
        self.retention = retention
    }

    package var byteCount: Int {
        index.byteCount + identities.committedByteCount + decisions.committedByteCount
    }

    /// When the oldest event that is still remembered was decided; nil while none was forgotten.
    package var reach: Milliseconds? {
        if !hasForgotten { return nil }
        return count == 0 ? .max : oldestTime
    }

    private var oldestTime: Milliseconds { Self.time(decisions[oldest]) }

    func after(_ place: Int) -> Int { place &+ 1 == capacity ? 0 : place &+ 1 }

    static func decision(_ event: RememberedEvent) -> UInt64 {
        UInt64(bitPattern: event.time) << 8 | UInt64(event.outcome.rawValue)
    }

    static func time(_ decision: UInt64) -> Milliseconds {
        Milliseconds(Int64(bitPattern: decision) >> 8)
    }

    static func tag(_ fingerprint: EventFingerprint) -> UInt32 {
        UInt32(truncatingIfNeeded: fingerprint.first)
    }

    @inline(__always)
    package func prefetch(_ fingerprint: EventFingerprint) {
        index.prefetch(tag: Self.tag(fingerprint))
    }

    /// Asks for what is remembered under a fingerprint; if nothing seems to be, for the next place.
    @inline(__always)
    package func prefetchFound(_ fingerprint: EventFingerprint) {
        let place = index.guess(
            tag: Self.tag(fingerprint), otherwise: UInt32(truncatingIfNeeded: next))
        identities.prefetch(Int(place))
        decisions.prefetch(Int(place))
    }

    /// Asks for the index line of an event that remembering `ahead` more would make it forget.
    @inline(__always)
    package func prefetchOldest(ahead: Int) {
        if count &+ ahead < capacity { return }
        var place = oldest &+ ahead
        if place >= capacity { place &-= capacity }
        if place >= identities.rowCount { return }
        index.prefetch(tag: UInt32(truncatingIfNeeded: identities[place].first))
    }

    /// What a fingerprint was answered with.
    package enum Recall: Equatable {
        case unknown
        case same(Outcome)
        /// The same id with another content.
        case conflict
    }

    @inline(__always)
    package mutating func recall(_ fingerprint: EventFingerprint) -> Recall {
        let place: Int
        switch search(fingerprint) {
        case .value(let found): place = Int(found)
        case .vacancy(let slot):
            absent = fingerprint
            vacancy = slot
            return .unknown
        }
        if UInt32(truncatingIfNeeded: identities[place].rest) != fingerprint.body {
            return .conflict
        }
        let code = UInt8(truncatingIfNeeded: decisions[place])
        return .same(Outcome(rawValue: code) ?? .accepted)
    }

    @inline(__always)
    func search(_ fingerprint: EventFingerprint) -> HashSearch {
        index.search(tag: Self.tag(fingerprint)) { place in
            let identity = identities[Int(place)]
            return identity.first == fingerprint.first
                && UInt32(truncatingIfNeeded: identity.rest >> 32) == fingerprint.second
        }
    }

    /// Makes room for `additional` more.
    package mutating func prepare(_ additional: Int = 1) throws(SystemError) {
        let rows = min(additional, capacity - identities.rowCount)
        try identities.prepare(rows: rows)
        try decisions.prepare(rows: rows)
        try index.prepare(values: min(additional, capacity - count))
        vacancy = -1
    }

    /// Remembers an event, for which `prepare` made room; forgets what is too old or too many.
    ///
    /// An event that was decided again (a backfill of what was parked) keeps its turn: only its
    /// outcome changes.
    @inline(__always)
    package mutating func add(_ event: RememberedEvent) {
        let fingerprint = event.fingerprint
        if vacancy < 0 || absent != fingerprint {
            switch search(fingerprint) {
            case .value(let found):
                let place = Int(found)
                decisions[place] = decisions[place] & ~0xFF | UInt64(event.outcome.rawValue)
                return
            case .vacancy(let slot): vacancy = slot
            }
        }
        let tag = Self.tag(fingerprint)
        var slot = vacancy
        vacancy = -1
        if count == capacity {
            slot = index.vacancy(slot, for: tag, afterRemovalAt: forgetOldest())
        }
        if next == identities.rowCount {
            identities.appendPrepared(rows: 1)
            decisions.appendPrepared(rows: 1)
        }
        identities[next] = Identity(fingerprint)
        decisions[next] = Self.decision(event)
        index.insertPrepared(tag: tag, value: UInt32(truncatingIfNeeded: next), at: slot)
        next = after(next)
        count &+= 1
        // Two for each new one at the most: the ring shrinks without a long pause.
        let reach = event.time - retention
        for _ in 0..<2 where count > 1 {
            if oldestTime < reach { forgetOldest() } else { break }
        }
    }

    /// - Returns: The slot of the index that is empty now.
    @discardableResult
    private mutating func forgetOldest() -> Int {
        let tag = UInt32(truncatingIfNeeded: identities[oldest].first)
        guard let slot = index.remove(tag: tag, value: UInt32(truncatingIfNeeded: oldest)) else {
            fatalError("an event that is remembered is not in the index")
        }
        oldest = after(oldest)
        count &-= 1
        hasForgotten = true
        return slot
    }
}
