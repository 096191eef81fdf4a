// New connections: taken, counted, or told that there is no room.

internal import Bytes
internal import Platform

extension Reactor where Handler: ~Copyable {
    /// Connections taken per report; more are reported again.
    private static var acceptCountPerTurn: Int { 64 }

    /// Takes the connections that wait.
    mutating func accept() {
        for _ in 0..<Self.acceptCountPerTurn {
            guard let accepted = listener?.accept() else { return }
            switch consume accepted {
            case .connection(let descriptor, from: let peer): admit(descriptor, from: peer)
            case .vanished: continue
            case .none: return
            case .exhausted:
                // Asking again at once would only spin.
                setListener(resting: true)
                return
            }
        }
    }

    private mutating func admit(_ descriptor: consuming Descriptor, from peer: Address) {
        driver.exchange.counts[.accepted] &+= 1
        let isWelcome = control.census.enter(peer.origin)
        guard let slot = slab.take({ Connection() }) else {
            // Not even a slot to say so from.
            if isWelcome { control.census.leave(peer.origin) }
            driver.exchange.counts[.refused] &+= 1
            return
        }
        slab[slot].open(descriptor, slot: slot, from: peer, at: driver.now)
        slab[slot].isCounted = isWelcome
        if isWelcome { driver.exchange.counts[.open] &+= 1 }
        guard watch(slot) else {
            slab[slot].phase = .closed
            close(slot)
            return
        }
        if isWelcome { return }
        driver.exchange.counts[.refused] &+= 1
        driver.end(
            &slab[slot], status: 503, "too_many_connections",
            "The limit of connections is reached.")
        conclude(slot)
    }

    private mutating func watch(_ slot: Int) -> Bool {
        guard let number = slab[slot].descriptor?.number else { return false }
        slab[slot].interest = [.reading, .peerEnd]
        let added: Void? = try? poller.add(
            number, token: token(slot), interest: slab[slot].interest)
        return added != nil
    }

    /// Stops or resumes the reports about waiting connections.
    mutating func setListener(resting: Bool) {
        isListenerResting = resting
        guard let number = listener?.descriptor.number else { return }
        if resting {
            try? poller.remove(number)
        } else {
            try? poller.add(number, token: Self.listenerToken, interest: listenerInterest)
        }
    }
}
