// Accepted and parked events by fingerprint, so that a repeat changes nothing.
//
//     identity   96 bits of the keyed hash of (source, id), 32 bits of a hash of the content
//     decision   outcome << 10 | milliseconds of the second of service time
//     second     once for all events in a row that have it
//
// A ring, oldest first out: after the retention time, or when it is full. 18 bytes an id, 4.9 to 9.8 in
// the index, and 8 for each second of a shard in which anything was remembered.

package import Bytes
internal import Columns
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

/// What a remembered event was answered with, and when in its second.
struct Decision: BitwiseCopyable {
    private var word: UInt16

    init(_ outcome: Outcome, milliseconds: Int) {
        word = UInt16(truncatingIfNeeded: Int(outcome.rawValue) << 10 | milliseconds)
    }

    var outcome: Outcome {
        get { Outcome(rawValue: UInt8(truncatingIfNeeded: word >> 10)) ?? .accepted }
        set { self = Decision(newValue, milliseconds: milliseconds) }
    }

    var milliseconds: Int { Int(word & 0x3FF) }
}

/// The remembered events of one shard. Owner only.
package struct RememberedEvents: ~Copyable {
    var index: PlaceIndex
    var identities: Column<Identity>
    var decisions: Column<Decision>
    var seconds: SecondsRing
    // Places in the ring, which is full when they are equal and `count` is not 0.
    var oldest = 0
    var next = 0
    let capacity: Int
    private let retention: Milliseconds

    // Where the index has grown: the events from this place on that are still to be moved.
    private var moving = 0
    private var movingCount = 0

    package internal(set) var count = 0
    var hasForgotten = false
    /// When the oldest event was decided, while there is one.
    private var oldestTime: Milliseconds = 0

    // What `recall` did not find last, if it is not there still: `add` need not look again.
    private var absent = EventFingerprint(first: 0, second: 0, body: 0)
    private var isAbsent = false

    package init(countMax: Int, retention: Milliseconds) throws(SystemError) {
        let countMax = min(countMax, PlaceIndex.placeCountMax)
        let index = try PlaceIndex(placeCount: countMax)
        let identities = try Column<Identity>(rowCountMax: countMax)
        let decisions = try Column<Decision>(rowCountMax: countMax)
        let seconds = try SecondsRing(countMax: countMax)
        self.index = index
        self.identities = identities
        self.decisions = decisions
        self.seconds = seconds
        capacity = countMax
        self.retention = retention
    }

    package var byteCount: Int {
        index.byteCount + identities.committedByteCount + decisions.committedByteCount
            + seconds.byteCount
    }

    /// When the oldest event that is still remembered was decided; nil while none was forgotten.
    package var reach: Milliseconds? {
        if !hasForgotten { return nil }
        return count == 0 ? .max : oldestTime
    }

    func after(_ place: Int) -> Int { place &+ 1 == capacity ? 0 : place &+ 1 }

    @inline(__always)
    package func prefetch(_ fingerprint: EventFingerprint) { index.prefetch(fingerprint.first) }

    /// Asks for what is remembered under a fingerprint; if nothing seems to be, for the next place.
    @inline(always)
    package func prefetchFound(_ fingerprint: EventFingerprint) {
        let place = index.guess(fingerprint.first) ?? next
        identities.prefetch(place)
        decisions.prefetch(place)
    }

    /// Asks for the index lines of the events that remembering more would make it forget.
    ///
    /// - Parameter ahead: How many more, counted from the next.
    @inline(always)
    package func prefetchOldest(_ ahead: Range<Int>) {
        forEachForgotten(ahead) { place in index.prefetch(identities[place].first) }
    }

    /// The same for those that are not at home, behind `prefetchOldest`.
    @inline(always)
    package func prefetchOldestElsewhere(_ ahead: Range<Int>) {
        forEachForgotten(ahead) { place in index.prefetchElsewhere(identities[place].first) }
    }

    /// Hands out the places of the events that remembering more would make it forget.
    @inline(always)
    private func forEachForgotten(_ ahead: Range<Int>, _ body: (Int) -> Void) {
        let first = max(ahead.lowerBound, capacity &- count)
        if first >= ahead.upperBound { return }
        for ahead in first..<ahead.upperBound {
            var place = oldest &+ ahead
            if place >= capacity { place &-= capacity }
            if place < identities.rowCount { body(place) }
        }
    }

    /// What a fingerprint was answered with.
    package enum Recall: Equatable {
        case unknown
        case same(Outcome)
        /// The same id with another content.
        case conflict
    }

    package mutating func recall(_ fingerprint: EventFingerprint) -> Recall {
        guard let place = find(fingerprint) else {
            absent = fingerprint
            isAbsent = true
            return .unknown
        }
        return recall(fingerprint, at: place)
    }

    /// What a fingerprint was answered with that was found at `place`.
    func recall(_ fingerprint: EventFingerprint, at place: Int) -> Recall {
        if UInt32(truncatingIfNeeded: identities[place].rest) != fingerprint.body {
            return .conflict
        }
        return .same(decisions[place].outcome)
    }

    @inline(always)
    func find(_ fingerprint: EventFingerprint) -> Int? {
        index.find(fingerprint.first) { place in
            let identity = identities[place]
            return identity.first == fingerprint.first
                && UInt32(truncatingIfNeeded: identity.rest >> 32) == fingerprint.second
        }
    }

    /// Makes room for `additional` more.
    package mutating func prepare(_ additional: Int = 1) throws(SystemError) {
        let rows = min(additional, capacity - identities.rowCount)
        try identities.prepare(rows: rows)
        try decisions.prepare(rows: rows)
        try seconds.prepare(additional)
        // An index that grows again so soon is rare: it is then moved at once.
        let entries = min(additional, capacity - count)
        if movingCount > 0, index.isFull(for: entries) { move(.max) }
        if try index.prepare(entries: entries) {
            moving = oldest
            movingCount = count
            if count == 0 { index.endMove() }
        }
    }

    /// Remembers an event, for which `prepare` made room; forgets what is too old or too many.
    ///
    /// An event that was decided again (a backfill of what was parked) keeps its turn: only its
    /// outcome changes.
    package mutating func add(_ event: RememberedEvent) {
        let isNew = isAbsent && absent == event.fingerprint
        if !isNew, let place = find(event.fingerprint) {
            decisions.update(place) { $0.outcome = event.outcome }
            return
        }
        addNew(event)
    }

    /// Remembers an event that `find` does not know.
    @inline(always)
    mutating func addNew(_ event: RememberedEvent) {
        if count == capacity { forgetOldest() }
        if next == identities.rowCount {
            identities.appendPrepared(rows: 1)
            decisions.appendPrepared(rows: 1)
        }
        append(event)
        if oldestTime < event.time - retention { forgetOld(before: event.time - retention) }
        if movingCount > 0 { move(8) }
    }

    /// Forgets two at the most, as one is added: the ring shrinks without a long pause.
    @inline(never)
    private mutating func forgetOld(before reach: Milliseconds) {
        for _ in 0..<2 where count > 1 && oldestTime < reach { forgetOldest() }
    }

    /// Adds an event in the next place, which there is.
    @inline(always)
    mutating func append(_ event: RememberedEvent) {
        isAbsent = false
        identities[next] = Identity(event.fingerprint)
        let (second, milliseconds) = SecondsRing.parts(event.time)
        decisions[next] = Decision(event.outcome, milliseconds: milliseconds)
        seconds.append(second)
        index.insert(event.fingerprint.first, next)
        next = after(next)
        if count == 0 { oldestTime = event.time }
        count &+= 1
    }

    @inline(always)
    private mutating func forgetOldest() {
        // Those to be moved are the oldest.
        let isMoved = movingCount == 0 || moving != oldest
        index.remove(identities[oldest].first, oldest, isMoved: isMoved)
        oldest = after(oldest)
        seconds.removeOldest()
        count &-= 1
        if count > 0 {
            oldestTime = seconds.oldest &* 1000 &+ Int64(decisions[oldest].milliseconds)
        }
        hasForgotten = true
        if !isMoved { passMoved() }
    }

    /// Goes on moving what the index held when it grew.
    @inline(never)
    private mutating func move(_ limit: Int) {
        for _ in 0..<min(limit, movingCount) {
            index.move(identities[moving].first, moving)
            passMoved()
        }
    }

    private mutating func passMoved() {
        moving = after(moving)
        movingCount &-= 1
        if movingCount == 0 { index.endMove() }
    }
}
