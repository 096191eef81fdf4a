// Who told of an event, as a journal keeps it.

/// The source of an event: none, one that has an id, or one beyond those that have.
@usableFromInline
package struct EventSource: BitwiseCopyable, Equatable, Sendable {
    /// The id plus one; 0: the event named none.
    @usableFromInline package let rawValue: UInt16

    /// Sources that have ids at the most.
    package static let countMax = Int(UInt16.max) - 1

    package static let none = EventSource(rawValue: 0)
    /// One of the sources that came when all ids were given out.
    package static let unknown = EventSource(rawValue: .max)

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// - Precondition: `id` is below `countMax`.
    package init(id: UInt16) {
        precondition(id < Self.countMax)
        rawValue = id + 1
    }

    package var id: UInt16? {
        self == .none || self == .unknown ? nil : rawValue - 1
    }
}

/// What an event was, and who told of it. It has no effect: history tells it.
@usableFromInline
package struct EventOrigin: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var kind: EventKind
    @usableFromInline package var source: EventSource

    @inlinable
    package init(kind: EventKind, source: EventSource) {
        self.kind = kind
        self.source = source
    }
}
