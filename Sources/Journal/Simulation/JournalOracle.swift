// What a simulation knows of every frame: what was submitted, what was acknowledged.
//
// After a crash each stream must be a prefix of what was submitted that holds all that was
// acknowledged, byte for byte. A frame that was cut off and written anew with other content must
// never come back: a ghost. And where a shard's frame is, the frames of the control stream must be
// that were submitted before it.

/// Submitted and acknowledged frames of all streams of a journal.
package struct JournalOracle {
    /// For each stream, by sequence − 1, what the frame was made of.
    private var contents: [[UInt64]]

    /// For each stream, by sequence − 1, how many frames the control stream, the last, had then.
    private var controlCounts: [[Int]]

    /// For each stream, the last sequence that was said to be durable.
    private var acknowledged: [UInt64]

    /// For each stream, what recovery has delivered last.
    private var delivered: [UInt64]

    /// For each stream, the last sequence that may be trimmed.
    private var trimmable: [UInt64]

    /// The disk has lied about more than a journal can tell: its newest frames may be gone.
    package var allowsLoss = false

    /// The first thing that was not as it must be.
    package private(set) var finding: String?

    package init(streamCount: Int) {
        contents = Array(repeating: [], count: streamCount)
        controlCounts = Array(repeating: [], count: streamCount)
        acknowledged = Array(repeating: 0, count: streamCount)
        delivered = acknowledged
        trimmable = acknowledged
    }

    package mutating func reset() {
        for index in contents.indices {
            contents[index].removeAll(keepingCapacity: true)
            controlCounts[index].removeAll(keepingCapacity: true)
            acknowledged[index] = 0
            trimmable[index] = 0
        }
        finding = nil
    }

    package mutating func note(_ text: String) {
        if finding == nil { finding = text }
    }

    package func submittedCount(_ index: Int) -> Int { contents[index].count }
    package func acknowledged(_ index: Int) -> UInt64 { acknowledged[index] }

    package mutating func submitted(_ index: Int, _ sequence: UInt64, content: UInt64) {
        if sequence != UInt64(contents[index].count) + 1 {
            note("stream \(index): sequence \(sequence) follows \(contents[index].count)")
            return
        }
        contents[index].append(content)
        controlCounts[index].append(contents[contents.count - 1].count)
    }

    package mutating func acknowledged(_ index: Int, through sequence: UInt64) {
        if sequence < acknowledged[index] {
            note("stream \(index): acknowledged \(acknowledged[index]), then \(sequence)")
        }
        if sequence > UInt64(contents[index].count) {
            note("stream \(index): acknowledged \(sequence), submitted \(contents[index].count)")
        }
        acknowledged[index] = sequence
    }

    /// Allows all up to `sequence` to be trimmed.
    package mutating func mayTrim(_ index: Int, through sequence: UInt64) {
        trimmable[index] = max(trimmable[index], sequence)
    }

    package mutating func beginRecovery() {
        for index in delivered.indices { delivered[index] = 0 }
    }

    /// A frame that recovery delivers; its payload is compared word by word.
    package mutating func recovered(_ index: Int, _ header: FrameHeader, _ frame: Span<UInt8>) {
        let sequence = header.sequence
        if delivered[index] == 0 {
            if sequence > trimmable[index] + 1 {
                note("stream \(index): begins with \(sequence), trimmable \(trimmable[index])")
            }
        } else if sequence != delivered[index] + 1 {
            note("stream \(index): \(sequence) follows \(delivered[index])")
        }
        delivered[index] = sequence
        guard sequence >= 1, sequence <= UInt64(contents[index].count) else {
            note("stream \(index): \(sequence) was never submitted")
            return
        }
        let content = contents[index][Int(sequence) - 1]
        if !Self.matches(header, frame, content) {
            note("stream \(index): \(sequence) is not what was submitted: a ghost")
        }
    }

    /// Recovery has delivered all: what it does not hold is forgotten, unless it must be there.
    package mutating func endRecovery(heads: (Int) -> UInt64) {
        let control = contents.count - 1
        for index in contents.indices {
            let head = heads(index)
            if head > 0, head <= UInt64(contents[index].count),
                controlCounts[index][Int(head) - 1] > heads(control), !allowsLoss
            {
                note("stream \(index): \(head) is there, what it builds on is not")
            }
            if delivered[index] != 0, delivered[index] != head {
                note("stream \(index): head \(head), delivered \(delivered[index])")
            }
            if head < acknowledged[index], !allowsLoss {
                note("stream \(index): acknowledged \(acknowledged[index]), kept \(head)")
            }
            if head > UInt64(contents[index].count) {
                note("stream \(index): head \(head), submitted \(contents[index].count)")
            }
            if delivered[index] == 0, head > trimmable[index] {
                note("stream \(index): nothing delivered of \(head)")
            }
            let lost = contents[index].count - Int(head)
            if lost > 0 {
                contents[index].removeLast(lost)
                controlCounts[index].removeLast(lost)
            }
            // What was recovered was synced: it stays.
            acknowledged[index] = head
        }
    }

    // MARK: Frames made of a word

    /// Bytes of the payload that belongs to `content`.
    package static func payloadByteCount(_ content: UInt64) -> Int { Int(content &>> 58) &* 3 }

    /// Byte `index` of the payload.
    private static func byte(_ content: UInt64, _ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: content &>> UInt64(index & 7 &* 8) &+ UInt64(index))
    }

    package static func fill(_ payload: inout [UInt8], _ content: UInt64) {
        payload.removeAll(keepingCapacity: true)
        for index in 0..<payloadByteCount(content) { payload.append(byte(content, index)) }
    }

    package static func matches(
        _ header: FrameHeader, _ frame: Span<UInt8>, _ content: UInt64
    ) -> Bool {
        guard header.firstEvent == content, header.time == Int64(bitPattern: ~content),
            header.payloadByteCount == payloadByteCount(content)
        else { return false }
        for index in 0..<header.payloadByteCount
        where frame[FrameHeader.byteCount + index] != byte(content, index) {
            return false
        }
        return true
    }
}
