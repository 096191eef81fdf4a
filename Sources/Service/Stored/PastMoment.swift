// Moments of the past, and how they are written.
//
//     2025-11-28T20:00:00Z           a time; also milliseconds since 1970
//     16c1f0a2b3d4e5f6-1-123         a mark as answers give it: the directory, its life, the frames of all
//                                    shards
//     3:120 · control:4              a frame of the journal as `inspect --facts` shows it

package import Bytes
internal import Domain
internal import Engine
internal import Journal

/// A frame of the journal: what is told is the state right behind it, in the order of the file.
package enum JournalPoint: Equatable, Sendable {
    /// The one that made so many frames of all shards together.
    case mark(identity: UInt64, life: UInt64, changes: UInt64)
    case frame(stream: UInt16, sequence: UInt64)

    /// nil where `text` is neither a mark nor STREAM:SEQUENCE.
    package init?(_ text: Span<UInt8>) {
        let text = text.text
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 3, parts[0].utf8.count <= 16,
            let identity = UInt64(parts[0], radix: 16), let life = Self.number(parts[1]),
            let changes = Self.number(parts[2])
        {
            self = .mark(identity: identity, life: life, changes: changes)
            return
        }
        let pair = text.split(separator: ":", omittingEmptySubsequences: false)
        guard pair.count == 2, let sequence = Self.number(pair[1]), sequence > 0 else { return nil }
        if pair[0] == "control" {
            self = .frame(stream: StreamNumber.control, sequence: sequence)
        } else if let stream = Self.number(pair[0]), stream < 256 {
            self = .frame(stream: UInt16(stream), sequence: sequence)
        } else {
            return nil
        }
    }

    private static func number(_ digits: Substring) -> UInt64? {
        digits.utf8.allSatisfy { (48...57).contains($0) } ? UInt64(digits) : nil
    }
}

/// A moment of the past.
package enum PastMoment: Equatable, Sendable {
    /// With what took effect by then, among all that is known.
    case asOf(Milliseconds)
    /// What the journal knew then.
    case knownAt(Milliseconds)
    /// What the journal held up to there.
    case behind(JournalPoint)

    /// How much later than a base the first effective time lies that it serves for.
    package static let asOfLag = futureToleranceMilliseconds

    /// nil where `text` is no time.
    package init?(asOf text: Span<UInt8>) {
        guard let time = Self.time(text) else { return nil }
        self = .asOf(time)
    }

    /// nil where `text` is no time, no mark and no frame.
    package init?(knownAt text: Span<UInt8>) {
        if let time = Self.time(text) {
            self = .knownAt(time)
        } else if let point = JournalPoint(text) {
            self = .behind(point)
        } else {
            return nil
        }
    }

    private static func time(_ text: Span<UInt8>) -> Milliseconds? {
        text.rfc3339Milliseconds() ?? text.decimalInteger()
    }
}
