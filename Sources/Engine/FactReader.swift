// Reading facts back, one command at a time. Trusts nothing: what does not decode has an offset.

package import Bytes
package import Domain

/// Where a payload is not what `FactFormat` says.
package struct FactError: Error, Equatable, Sendable {
    /// Offset in the payload.
    package var offset: Int
    package var reason: Reason

    package enum Reason: String, Sendable {
        case truncated
        case unknownKind = "unknown_kind"
        case unknownCondition = "unknown_condition"
        case unknownOutcome = "unknown_outcome"
        case unknownEvent = "unknown_event"
        case unknownEnding = "unknown_ending"
        case badName = "bad_name"
        case badReason = "bad_reason"
        case badNumber = "bad_number"
        /// A command begins where its first fact is missing.
        case noCommand = "no_command"
        /// The facts are of another version of the format.
        case olderVersion = "older_version"
        case newerVersion = "newer_version"
    }
}

extension FactError: CustomStringConvertible {
    /// In words, for whoever has to act on it.
    package var description: String {
        switch reason {
        case .olderVersion: "its facts were written by an older version of the program"
        case .newerVersion: "its facts were written by a newer version of the program"
        default: "byte \(offset) of the payload is no fact (\(reason.rawValue))"
        }
    }
}

/// A place in a payload.
package struct FactReader: Sendable {
    private var place = PayloadReader()
    private let time: Milliseconds

    /// - Parameter time: Service time of the frame that the payload came in.
    package init(time: Milliseconds) { self.time = time }

    package var offset: Int { place.offset }

    /// Where the command begins that was read last.
    private(set) var commandOffset = 0

    /// Appends the facts of the next command to `facts`; their ranges are of `payload`.
    ///
    /// - Returns: false at the end of the payload.
    package mutating func readCommand(
        _ payload: Span<UInt8>, into facts: inout Buffer<Fact>
    ) throws(FactError) -> Bool {
        if offset == 0, payload.count > 0 { try readVersion(payload) }
        if offset == payload.count { return false }
        commandOffset = offset
        guard payload[offset] & FactFormat.startOfCommand != 0 else {
            throw FactError(offset: offset, reason: .noCommand)
        }
        repeat {
            facts.append(try readFact(payload))
        } while offset < payload.count
            && payload[offset] & FactFormat.startOfCommand == 0
        return true
    }

    private mutating func readVersion(_ payload: Span<UInt8>) throws(FactError) {
        let version: UInt8 = try place.read(payload)
        // The first version began with a command.
        if version & FactFormat.startOfCommand != 0 || version < FactFormat.version {
            throw place.refusal(.olderVersion)
        }
        guard version == FactFormat.version else { throw place.refusal(.newerVersion) }
    }

    private mutating func readFact(_ payload: Span<UInt8>) throws(FactError) -> Fact {
        let tag: UInt8 = try place.read(payload)
        guard let kind = FactFormat.Kind(rawValue: tag & ~FactFormat.startOfCommand) else {
            throw place.refusal(.unknownKind)
        }
        switch kind {
        case .skuAdded:
            let length: UInt8 = try place.read(payload)
            guard (1...Identifier.byteCountMax).contains(Int(length)) else {
                throw place.refusal(.badName)
            }
            return .skuAdded(try place.readRange(payload, Int(length)))
        case .positionAdded:
            return .positionAdded(try readPosition(payload))
        case .moved: return .moved(try readMovement(payload))
        case .counted: return .counted(try readCount(payload))
        case .movementRecorded: return .movementRecorded(try readMovement(payload))
        case .countRecorded: return .countRecorded(try readCount(payload))
        case .categorised:
            return .categorised(
                SKUCategorised(
                    sku: try place.read(payload), category: try place.read(payload),
                    name: try readText(payload)))
        case .remembered:
            let event = RememberedEvent(
                fingerprint: try readFingerprint(payload), outcome: try readOutcome(payload),
                time: time)
            return .remembered(event, try readOrigin(payload))
        case .parked:
            return .parked(
                EventParked(
                    fingerprint: try readFingerprint(payload),
                    outcome: try readOutcome(payload), time: time,
                    source: try readText(payload)))
        case .letterEnded:
            let number: UInt64 = try place.read(payload)
            guard let ending = LetterEnded.Ending(rawValue: try place.read(payload)) else {
                throw place.refusal(.unknownEnding)
            }
            return .letterEnded(LetterEnded(number: number, ending: ending, time: time))
        case .reasonGiven:
            let length: UInt8 = try place.read(payload)
            guard length > 0 else { throw place.refusal(.badReason) }
            return .reasonGiven(try place.readRange(payload, Int(length)))
        }
    }

    // MARK: - Fields

    private mutating func readText(_ payload: Span<UInt8>) throws(FactError) -> ByteRange {
        let length: UInt32 = try place.read(payload)
        return try place.readRange(payload, Int(length))
    }

    @inline(__always)
    private mutating func readFingerprint(
        _ payload: Span<UInt8>
    ) throws(FactError) -> EventFingerprint {
        EventFingerprint(
            first: try place.read(payload), second: try place.read(payload),
            body: try place.read(payload))
    }

    private mutating func readPosition(_ payload: Span<UInt8>) throws(FactError) -> PositionKey {
        PositionKey(sku: try place.read(payload), location: try place.read(payload))
    }

    @inline(__always)
    private mutating func readMovement(_ payload: Span<UInt8>) throws(FactError) -> StockMoved {
        StockMoved(
            position: try readPosition(payload), condition: try readCondition(payload).0,
            delta: try place.read(payload), at: try place.read(payload))
    }

    private mutating func readCount(_ payload: Span<UInt8>) throws(FactError) -> StockCounted {
        let position = try readPosition(payload)
        let (condition, isWhole) = try readCondition(payload)
        return StockCounted(
            position: position, condition: condition, value: try place.read(payload),
            at: try place.read(payload), isWhole: isWhole)
    }

    private mutating func readCondition(
        _ payload: Span<UInt8>
    ) throws(FactError) -> (Condition, isWhole: Bool) {
        let byte: UInt8 = try place.read(payload)
        guard let condition = Condition(rawValue: byte & ~FactFormat.wholeCount) else {
            throw place.refusal(.unknownCondition)
        }
        return (condition, byte & FactFormat.wholeCount != 0)
    }

    private mutating func readOrigin(_ payload: Span<UInt8>) throws(FactError) -> EventOrigin {
        guard let kind = EventKind(rawValue: try place.read(payload)) else {
            throw place.refusal(.unknownEvent)
        }
        return EventOrigin(kind: kind, source: EventSource(rawValue: try place.read(payload)))
    }

    private mutating func readOutcome(_ payload: Span<UInt8>) throws(FactError) -> Outcome {
        let byte: UInt8 = try place.read(payload)
        // What is refused leaves no fact.
        guard let outcome = Outcome(rawValue: byte), outcome.verdict != .rejected else {
            throw place.refusal(.unknownOutcome)
        }
        return outcome
    }
}
