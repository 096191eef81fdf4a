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
    package private(set) var offset = 0
    private let time: Milliseconds

    /// - Parameter time: Service time of the frame that the payload came in.
    package init(time: Milliseconds) { self.time = time }

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
        let tag: UInt8 = try read(payload)
        guard let kind = FactFormat.Kind(rawValue: tag & ~FactFormat.startOfCommand) else {
            throw FactError(offset: offset - 1, reason: .unknownKind)
        }
        switch kind {
        case .skuAdded:
            let length: UInt8 = try read(payload)
            guard (1...Identifier.byteCountMax).contains(Int(length)) else {
                throw FactError(offset: offset - 1, reason: .badName)
            }
            return .skuAdded(try readRange(payload, Int(length)))
        case .positionAdded:
            return .positionAdded(try readPosition(payload))
        case .moved:
            return .moved(
                StockMoved(
                    position: try readPosition(payload), condition: try readCondition(payload).0,
                    delta: try read(payload), at: try read(payload)))
        case .counted:
            let position = try readPosition(payload)
            let (condition, isWhole) = try readCondition(payload)
            return .counted(
                StockCounted(
                    position: position, condition: condition, value: try read(payload),
                    at: try read(payload), isWhole: isWhole))
        case .categorised:
            return .categorised(
                SKUCategorised(
                    sku: try read(payload), category: try read(payload),
                    name: try readText(payload)))
        case .remembered:
            let fingerprint = EventFingerprint(
                first: try read(payload), second: try read(payload), body: try read(payload))
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

    private mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _ payload: Span<UInt8>
    ) throws(FactError) -> Value {
        let byteCount = MemoryLayout<Value>.size
        guard payload.count - offset >= byteCount else {
            throw FactError(offset: offset, reason: .truncated)
        }
        defer { offset += byteCount }
        return payload.littleEndian(at: offset)
    }

    private mutating func readRange(
        _ payload: Span<UInt8>, _ length: Int
    ) throws(FactError) -> ByteRange {
        guard payload.count - offset >= length else {
            throw FactError(offset: offset, reason: .truncated)
        }
        defer { offset += length }
        return ByteRange(offset: offset, count: length)
    }

    private mutating func readText(_ payload: Span<UInt8>) throws(FactError) -> ByteRange {
        let length: UInt32 = try read(payload)
        return try readRange(payload, Int(length))
    }

    private mutating func readPosition(_ payload: Span<UInt8>) throws(FactError) -> PositionKey {
        PositionKey(sku: try read(payload), location: try read(payload))
    }

    private mutating func readCondition(
        _ payload: Span<UInt8>
    ) throws(FactError) -> (Condition, isWhole: Bool) {
        let byte: UInt8 = try read(payload)
        guard let condition = Condition(rawValue: byte & ~FactFormat.wholeCount) else {
            throw FactError(offset: offset - 1, reason: .unknownCondition)
        }
        return (condition, byte & FactFormat.wholeCount != 0)
    }

    private mutating func readOutcome(_ payload: Span<UInt8>) throws(FactError) -> Outcome {
        let byte: UInt8 = try read(payload)
        guard let outcome = Outcome(rawValue: byte) else {
            throw FactError(offset: offset - 1, reason: .unknownOutcome)
        }
        return outcome
    }
}
