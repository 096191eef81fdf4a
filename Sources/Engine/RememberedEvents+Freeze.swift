// The remembered events as they were at one moment, and as they are put back: oldest first, without
// the index.

package import Bytes
internal import Columns
package import Domain

/// The remembered events of a shard, frozen.
package struct FrozenRememberedEvents: Sendable {
    let identities: FrozenPages<Identity>
    let decisions: FrozenPages<Decision>
    let runs: FrozenPages<SecondsRun>
    let oldest: Int
    let oldestRun: Int
    let capacity: Int

    package let count: Int

    /// Events were forgotten: an older one may be a repeat of them.
    package let hasForgotten: Bool

    /// Appends the events of `range`, counted from the oldest, to `output`.
    ///
    /// - Complexity: O(events and seconds before the end of `range`).
    package func append(_ range: Range<Int>, to output: inout Buffer<RememberedEvent>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if range.isEmpty { return }
        var place = wrapped(oldest + range.lowerBound)
        var run = oldestRun
        var left = range.lowerBound
        var entry = runs[run]
        for _ in range {
            while left >= entry.count {
                left -= entry.count
                run = wrapped(run + 1)
                entry = runs[run]
            }
            left += 1
            let identity = identities[place]
            let decision = decisions[place]
            output.append(
                RememberedEvent(
                    fingerprint: EventFingerprint(
                        first: identity.first,
                        second: UInt32(truncatingIfNeeded: identity.rest >> 32),
                        body: UInt32(truncatingIfNeeded: identity.rest)),
                    outcome: decision.outcome,
                    time: entry.second * 1000 + Int64(decision.milliseconds)))
            place = wrapped(place + 1)
        }
    }

    private func wrapped(_ place: Int) -> Int { place >= capacity ? place - capacity : place }
}

extension RememberedEvents {
    /// The events as they are now, readable from another thread; nothing is copied.
    package mutating func freeze() -> FrozenRememberedEvents {
        FrozenRememberedEvents(
            identities: identities.freeze(), decisions: decisions.freeze(),
            runs: seconds.runs.freeze(), oldest: oldest, oldestRun: seconds.oldestRun,
            capacity: capacity, count: count, hasForgotten: hasForgotten)
    }

    package mutating func thaw() {
        identities.thaw()
        decisions.thaw()
        seconds.runs.thaw()
    }

    /// Says that events were forgotten before those that `load` brings.
    package mutating func loadForgotten() { hasForgotten = true }

    /// Remembers an event behind those loaded before, for which `prepare` made room.
    ///
    /// - Precondition: There are fewer than fit, and none was forgotten since the first was loaded.
    /// - Returns: Whether it was not there yet.
    package mutating func load(_ event: RememberedEvent) -> Bool {
        precondition(oldest == 0 && next == count && count < capacity)
        if find(event.fingerprint) != nil { return false }
        identities.appendPrepared(rows: 1)
        decisions.appendPrepared(rows: 1)
        append(event)
        return true
    }
}
