// What can go wrong with a journal, in words an operator can act on.

package import Platform

/// Why a journal was not opened or read.
package enum JournalError: Error, Equatable, CustomStringConvertible {
    /// Another process has the folder.
    case locked
    /// A frame of a later program; the segment's base and the offset in it.
    case newerVersion(UInt8, segment: UInt64, offset: Int)
    /// Frames that were durable are not as they were.
    case damaged(Damage)
    /// What is asked for was trimmed; the first sequence there is.
    case trimmed(first: UInt64)
    /// The journal was written with another number of shards.
    case shardCount(UInt64)
    /// Who reads the frames cannot use one.
    case unusable(stream: UInt16, sequence: UInt64, reason: String)
    /// The system refused.
    case storage(SystemError)

    package var description: String {
        switch self {
        case .locked: "the journal is in use by another process"
        case .newerVersion(let version, let segment, let offset):
            "\(segmentFileName(segment)), offset \(offset): written by a newer version "
                + "(format \(version), this program reads \(FrameHeader.version))"
        case .damaged(let damage): damage.description
        case .trimmed(let first): "trimmed; the first sequence kept is \(first)"
        case .shardCount(let count): "the journal has \(count) shards"
        case .unusable(let stream, let sequence, let reason):
            "stream \(stream), sequence \(sequence): \(reason)"
        case .storage(let error): error.description
        }
    }
}

/// Runs `body`; what the system refuses becomes an error of the journal.
func storing<Value: ~Copyable>(
    _ body: () throws(SystemError) -> Value
) throws(JournalError) -> Value {
    do { return try body() } catch { throw .storage(error) }
}

/// Where a journal is not as it was written.
package struct Damage: Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case badFrame = "a frame that was durable is damaged"
        case misplaced = "a frame lies where it was not written"
        case missingSegment = "a segment is missing before this one"
        case badSegment = "the file is not one that a segment can be: its length or its name"
        case badSegmentMark = "the first segment does not begin with its mark"
    }

    package var reason: Reason

    /// The base of the segment, and where in its file.
    package var segment: UInt64
    package var offset: Int

    /// What the bytes there say that they are, as far as they can be read.
    package var stream: UInt16?
    package var sequence: UInt64?

    package var description: String {
        var text = "\(segmentFileName(segment)), offset \(offset): \(reason.rawValue)"
        if let stream, let sequence { text += " (stream \(stream), sequence \(sequence))" }
        return text
    }
}

/// Where a journal stands.
package enum JournalState: UInt8, Sendable {
    case open = 0
    /// No space could be prepared: frames are taken as long as what was prepared lasts.
    case full = 1
    /// A write or a sync has failed: nothing is acknowledged any more.
    case failed = 2
    case closed = 3
}

/// What became of a frame.
package enum FrameOutcome: Equatable, Sendable {
    case durable(UInt64)
    /// It may be in the journal or not; opening it again tells.
    case unknown
}

/// Whether the answer of a frame may leave, by the durability that was chosen.
package enum Acknowledgement: Equatable, Sendable {
    case given
    case pending
    /// The journal has failed: the frame may be in it or not.
    case unknown
}

/// The answer to an append.
package enum Appended: Equatable, Sendable {
    /// Under way, under this sequence.
    case taken(UInt64)
    /// The stream does not stand where the caller thinks, but here.
    case fenced(head: UInt64)
    /// Too much is under way; nothing was taken.
    case busy
    /// The journal has failed or is closed; nothing was taken.
    case failed
}

/// `0000000004000000.journal`: sixteen hexadecimal digits of the base, so names sort by position.
func segmentFileName(_ base: UInt64) -> String {
    let digits = String(base, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits + ".journal"
}
