// Facts as bytes: what a journal keeps of a shard.
//
//     payload   version 8 · facts of whole commands, one after the other
//     fact      tag 8 (kind; the high bit is set on the first fact of a command) · fields
//     kinds     1 SKU added          length 8 · name
//               2 position added     SKU 32 · location 16
//               3 moved              SKU 32 · location 16 · condition 8 · delta 32 · at 64
//               4 counted            SKU 32 · location 16 · condition 8, bit 7: whole · value 32 · at 64
//               5 categorised        SKU 32 · category 16 · length 32 · name
//               6 remembered         fingerprint 64, 32 · body 32 · outcome 8 · event's kind 8 ·
//                                    source 16 (id plus one; 0: none was named; FFFF: one without an id)
//               7 parked             fingerprint 64, 32 · body 32 (all 0: without an id) ·
//                                    outcome 8 · length 32 · source
//               8 movement recorded  as moved: it came without effect
//               9 count recorded     as counted, never whole: it came without effect
//              10 reason given       length 8 · text: it has no effect
//              11 letter ended       number 64, of the parked event · ending 8 (1 taken, 2 discarded)
//
// Parked events are numbered from 1 as facts set them aside; a parked fact of one that stands aside by
// its fingerprint gives it another outcome.
//
// Numbers are little-endian, signed ones in two's complement. SKUs and locations are ids, counted
// from 0 as facts add them, sources as control facts do. Service time is that of the frame. A change
// of meaning needs a new version.

package import Bytes
package import Domain

/// The encoding of facts.
package enum FactFormat {
    package static let version: UInt8 = 3

    static let startOfCommand: UInt8 = 0x80
    static let wholeCount: UInt8 = 0x80

    /// Bytes of the facts of `commandCount` commands at the most.
    ///
    /// - Parameter textByteCount: Of the text that the commands refer to, each byte at most once.
    package static func byteCountMax(commandCount: Int, textByteCount: Int) -> Int {
        // A SKU (2), two positions (14), four counts (80), the event's id (21), its reason (2), and
        // not more.
        1 + commandCount * 119 + textByteCount
    }

    enum Kind: UInt8 {
        case skuAdded = 1
        case positionAdded
        case moved
        case counted
        case categorised
        case remembered
        case parked
        case movementRecorded
        case countRecorded
        case reasonGiven
        case letterEnded
    }

    /// Appends the facts of one command, which are not none.
    ///
    /// - Parameter text: What ranges in the facts refer to.
    package static func append(
        _ facts: borrowing Buffer<Fact>, _ text: Span<UInt8>, to output: inout ByteBuffer
    ) {
        var start = begin(&output)
        for index in facts.indices {
            append(facts[index], text, start, to: &output)
            start = 0
        }
    }

    /// Appends the facts of a command that has an id and moved units of one position, or would have.
    ///
    /// - Parameter moved: nil where nothing can be told of it.
    static func append(
        _ moved: StockMoved?, _ event: RememberedEvent, _ origin: EventOrigin,
        to output: inout ByteBuffer
    ) {
        var start = begin(&output)
        if let moved {
            let kind = event.outcome == .recorded ? Kind.movementRecorded : .moved
            append(moved, kind.rawValue | start, to: &output)
            start = 0
        }
        append(event, origin, start, to: &output)
    }

    /// Begins a command, and with the first one the payload.
    @inline(__always)
    private static func begin(_ output: inout ByteBuffer) -> UInt8 {
        if output.isEmpty { output.append(version) }
        return startOfCommand
    }

    @inline(__always)
    private static func append(
        _ event: RememberedEvent, _ origin: EventOrigin, _ start: UInt8,
        to output: inout ByteBuffer
    ) {
        output.append(Kind.remembered.rawValue | start)
        append(event.fingerprint, to: &output)
        // Outcome, kind and source are 32 bits.
        output.append(
            littleEndian: UInt32(event.outcome.rawValue) | UInt32(origin.kind.rawValue) << 8
                | UInt32(origin.source.rawValue) << 16)
    }

    @inline(__always)
    private static func append(_ fingerprint: EventFingerprint, to output: inout ByteBuffer) {
        output.append(littleEndian: fingerprint.first)
        output.append(littleEndian: fingerprint.second)
        output.append(littleEndian: fingerprint.body)
    }

    private static func append(
        _ fact: Fact, _ text: Span<UInt8>, _ start: UInt8, to output: inout ByteBuffer
    ) {
        func tag(_ kind: Kind) -> UInt8 { kind.rawValue | start }
        switch fact {
        case .skuAdded(let name):
            output.append(tag(.skuAdded))
            output.append(UInt8(name.count))
            output.append(text.part(name))
        case .positionAdded(let position):
            output.append(tag(.positionAdded))
            append(position, to: &output)
        case .moved(let fact): append(fact, tag(.moved), to: &output)
        case .counted(let fact): append(fact, tag(.counted), to: &output)
        case .movementRecorded(let fact): append(fact, tag(.movementRecorded), to: &output)
        case .countRecorded(let fact): append(fact, tag(.countRecorded), to: &output)
        case .categorised(let fact):
            output.append(tag(.categorised))
            output.append(littleEndian: fact.sku)
            output.append(littleEndian: fact.category)
            append(text.part(fact.name), to: &output)
        case .remembered(let event, let origin):
            append(event, origin, start, to: &output)
        case .reasonGiven(let reason):
            output.append(tag(.reasonGiven))
            output.append(UInt8(reason.count))
            output.append(text.part(reason))
        case .parked(let fact):
            output.append(tag(.parked))
            append(fact.fingerprint, to: &output)
            output.append(fact.outcome.rawValue)
            append(text.part(fact.source), to: &output)
        case .letterEnded(let fact):
            output.append(tag(.letterEnded))
            output.append(littleEndian: fact.number)
            output.append(fact.ending.rawValue)
        }
    }

    @inline(__always)
    private static func append(
        _ fact: StockMoved, _ tag: UInt8, to output: inout ByteBuffer
    ) {
        // Tag, SKU, location and condition are 64 bits.
        output.append(
            littleEndian: UInt64(tag) | UInt64(fact.position.sku) << 8
                | UInt64(fact.position.location) << 40 | UInt64(fact.condition.rawValue) << 56)
        output.append(littleEndian: fact.delta)
        output.append(littleEndian: fact.at)
    }

    private static func append(
        _ fact: StockCounted, _ tag: UInt8, to output: inout ByteBuffer
    ) {
        output.append(tag)
        append(fact.position, to: &output)
        output.append(fact.condition.rawValue | (fact.isWhole ? wholeCount : 0))
        output.append(littleEndian: fact.value)
        output.append(littleEndian: fact.at)
    }

    private static func append(_ position: PositionKey, to output: inout ByteBuffer) {
        output.append(littleEndian: position.sku)
        output.append(littleEndian: position.location)
    }

    private static func append(_ text: Span<UInt8>, to output: inout ByteBuffer) {
        output.append(littleEndian: UInt32(text.count))
        output.append(text)
    }
}
