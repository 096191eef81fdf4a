// What all shards share besides stock: locations, groups, channels, categories and rules, and the
// tables compiled from them.
//
// Readers hold an immutable `Policy` for a turn and look whether there is a newer one between
// turns: one relaxed load. Changing it takes a lock and compiles a new one; that is rare.

package import Bytes
internal import Columns
package import Domain
internal import Platform
internal import Synchronization

/// What kind of place a location is.
package enum LocationKind: String, Sendable, CaseIterable {
    case store, warehouse, supplier, marketplace
}

package struct Location: Equatable, Sendable {
    package var name: Identifier
    package var kind: LocationKind
    package var groups: [Identifier]
    package var isOpen: Bool
    /// Minutes east of UTC.
    package var utcOffsetMinutes: Int

    package init(
        name: Identifier, kind: LocationKind = .store, groups: [Identifier] = [],
        isOpen: Bool = true, utcOffsetMinutes: Int = 0
    ) {
        self.name = name
        self.kind = kind
        self.groups = groups
        self.isOpen = isOpen
        self.utcOffsetMinutes = utcOffsetMinutes
    }
}

package struct Channel: Equatable, Sendable {
    package var name: Identifier
    package var defaultTTLSeconds: Int

    package init(name: Identifier, defaultTTLSeconds: Int = 900) {
        self.name = name
        self.defaultTTLSeconds = defaultTTLSeconds
    }
}

/// A named set of locations or groups.
package struct Group: Equatable, Sendable {
    package var name: Identifier
    package var members: [Identifier]

    package init(name: Identifier, members: [Identifier]) {
        self.name = name
        self.members = members
    }
}

/// A set of location ids.
package struct LocationSet: Sendable {
    private var words: [UInt64]

    package init(locationCount: Int) {
        words = [UInt64](repeating: 0, count: (locationCount + 63) / 64)
    }

    package mutating func insert(_ location: UInt16) {
        let word = Int(location) / 64
        while words.count <= word { words.append(0) }
        words[word] |= 1 << UInt64(location % 64)
    }

    @inline(__always)
    package func contains(_ location: UInt16) -> Bool {
        let word = Int(location) / 64
        return word < words.count && words[word] & (1 << UInt64(location % 64)) != 0
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
}

/// One version of everything shared; immutable.
package final class Policy: Sendable {
    /// Counts the policies, from 0.
    package let generation: UInt64
    package let rules: RuleSet
    package let safetyStock: SafetyStockTable
    /// Members of each group, by group id.
    package let groups: [LocationSet]
    /// Closed locations, as ids.
    package let closed: LocationSet
    package let hasClosed: Bool
    /// When a rule comes into force or ends next.
    package let nextBoundary: Milliseconds

    init(
        generation: UInt64, rules: RuleSet, safetyStock: SafetyStockTable, groups: [LocationSet],
        closed: LocationSet, nextBoundary: Milliseconds
    ) {
        self.generation = generation
        self.rules = rules
        self.safetyStock = safetyStock
        self.groups = groups
        self.closed = closed
        hasClosed = !closed.isEmpty
        self.nextBoundary = nextBoundary
    }

    @inline(__always)
    package func isOpen(_ location: UInt16) -> Bool { !hasClosed || !closed.contains(location) }

    @inline(__always)
    func isMember(_ location: UInt16, of group: UInt16) -> Bool {
        Int(group) < groups.count && groups[Int(group)].contains(location)
    }
}
