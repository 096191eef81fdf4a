// The remembered events as they were at one moment, and as they are put back: oldest first, without
// the index.

package import Bytes
internal import Columns
package import Domain

/// The remembered events of a shard, frozen.
package struct FrozenRememberedEvents: Sendable {
    let identities: FrozenPages<Identity>
    let decisions: FrozenPages<UInt64>
    let oldest: Int
    let capacity: Int

    package let count: Int

    /// Events were forgotten: an older one may be a repeat of them.
    package let hasForgotten: Bool

    /// Appends the events of `range`, counted from the oldest, to `output`.
    package func append(_ range: Range<Int>, to output: inout Buffer<RememberedEvent>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        for number in range {
            var place = oldest + number
            if place >= capacity { place -= capacity }
            let identity = identities[place]
            let decision = decisions[place]
            output.append(
                RememberedEvent(
                    fingerprint: EventFingerprint(
                        first: identity.first,
                        second: UInt32(truncatingIfNeeded: identity.rest >> 32),
                        body: UInt32(truncatingIfNeeded: identity.rest)),
                    outcome: Outcome(rawValue: UInt8(truncatingIfNeeded: decision)) ?? .accepted,
                    time: RememberedEvents.time(decision)))
        }
    }
}

extension RememberedEvents {
    /// The events as they are now, readable from another thread; nothing is copied.
    package mutating func freeze() -> FrozenRememberedEvents {
        FrozenRememberedEvents(
            identities: identities.freeze(), decisions: decisions.freeze(), oldest: oldest,
            capacity: capacity, count: count, hasForgotten: hasForgotten)
    }

    package mutating func thaw() {
        identities.thaw()
        decisions.thaw()
    }

    /// Says that events were forgotten before those that `load` brings.
    package mutating func loadForgotten() { hasForgotten = true }

    /// Remembers an event behind those loaded before, for which `prepare` made room.
    ///
    /// - Precondition: There are fewer than fit, and none was forgotten since the first was loaded.
    /// - Returns: Whether it was not there yet.
    package mutating func load(_ event: RememberedEvent) -> Bool {
        precondition(oldest == 0 && next == count && count < capacity)
        let fingerprint = event.fingerprint
        guard case .vacancy(let slot) = search(fingerprint) else { return false }
        vacancy = -1
        identities.appendPrepared(rows: 1)
        decisions.appendPrepared(rows: 1)
        identities[next] = Identity(fingerprint)
        decisions[next] = Self.decision(event)
        index.insertPrepared(tag: Self.tag(fingerprint), value: UInt32(next), at: slot)
        next = after(next)
        count += 1
        return true
    }
}
