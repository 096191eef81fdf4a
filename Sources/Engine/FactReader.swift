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
        case badName = "bad_name"
        case badNumber = "bad_number"
        /// A command begins where its first fact is missing.
        case noCommand = "no_command"
    }
}

/// A place in a payload.
package struct FactReader: Sendable {
    private var place = PayloadReader()
    private let time: Milliseconds

    /// - Parameter time: Service time of the frame that the payload came in.
    package init(time: Milliseconds) { self.time = time }

    package var offset: Int { place.offset }

    /// Appends the facts of the next command to `facts`; their ranges are of `payload`.
    ///
    /// - Returns: false at the end of the payload.
    package mutating func readCommand(
        _ payload: Span<UInt8>, into facts: inout Buffer<Fact>
    ) throws(FactError) -> Bool {
        if offset == payload.count { return false }
        guard payload[offset] & FactFormat.startOfCommand != 0 else {
            throw FactError(offset: offset, reason: .noCommand)
        }
        repeat {
            facts.append(try readFact(payload))
        } while offset < payload.count
            && payload[offset] & FactFormat.startOfCommand == 0
        return true
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
            let fingerprint = EventFingerprint(
                first: try place.read(payload), second: try place.read(payload),
                body: try place.read(payload))
            return .remembered(
                RememberedEvent(
                    fingerprint: fingerprint, outcome: try readOutcome(payload), time: time))
        case .parked:
            return .parked(
                EventParked(
                    outcome: try readOutcome(payload), time: time,
                    source: try readText(payload)))
        }
    }

    // MARK: - Fields

    private mutating func readText(_ payload: Span<UInt8>) throws(FactError) -> ByteRange {
        let length: UInt32 = try place.read(payload)
        return try place.readRange(payload, Int(length))
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

    private mutating func readOutcome(_ payload: Span<UInt8>) throws(FactError) -> Outcome {
        let byte: UInt8 = try place.read(payload)
        // What is refused leaves no fact.
        guard let outcome = Outcome(rawValue: byte), outcome.verdict != .rejected else {
            throw place.refusal(.unknownOutcome)
        }
        return outcome
    }
}
