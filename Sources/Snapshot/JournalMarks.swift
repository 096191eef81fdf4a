// Where a snapshot stands in the journal, and which frames lie behind it.

package import Journal

/// The marks of all streams of a snapshot: of each shard, then of the control stream.
package struct JournalMarks: Sendable {
    /// Empty: there is no snapshot.
    private let marks: [StreamMark]
    private let isUnchecked: Bool
    private let allowsGap: Bool

    /// - Parameter snapshot: nil: the journal begins with its first frame.
    package init(_ snapshot: Manifest?, defects: SnapshotDefects = SnapshotDefects()) {
        marks = snapshot.map { $0.shards + [$0.control] } ?? []
        isUnchecked = defects.has(.markUnchecked)
        allowsGap = defects.has(.gapUnchecked)
    }

    /// Where all streams begin in a journal that is not there yet.
    package var starting: [StreamHead] {
        marks.isEmpty ? [] : marks.map(\.head) + [StreamHead()]
    }

    /// Whether a frame lies behind the snapshot; those up to it are passed.
    ///
    /// - Throws: At a marker that is not the one the snapshot was taken at.
    package func isBehind(_ header: FrameHeader) throws(JournalError) -> Bool {
        if marks.isEmpty { return true }
        let isShared = header.stream == StreamNumber.control
        let mark = marks[isShared ? marks.count - 1 : Int(header.stream)]
        try check(header.stream, header.sequence, header.hash, against: mark)
        return header.sequence > mark.sequence
    }

    /// Checks that a frame is the one the snapshot was taken at, if it has its number.
    private func check(
        _ stream: UInt16, _ sequence: UInt64, _ hash: UInt64, against mark: StreamMark
    ) throws(JournalError) {
        guard sequence == mark.sequence, hash != mark.hash.value, !isUnchecked else { return }
        throw .unusable(
            stream: stream, sequence: sequence,
            reason: "the snapshot was taken at another frame of this number")
    }

    /// Compares where the streams of a journal begin and end with the snapshot.
    ///
    /// - Parameter extents: Of each shard, then of the control stream; more may follow.
    package func check(_ extents: [Extent]) throws(JournalError) {
        if allowsGap { return }
        if marks.isEmpty, let extent = extents.first(where: { $0.lacksFrames }) {
            throw .unusable(
                stream: extent.stream, sequence: 1,
                reason: "the journal begins at \(extent.first), and there is no whole snapshot")
        }
        for (extent, mark) in zip(extents, marks) {
            if extent.first > mark.sequence + 1 {
                throw .unusable(
                    stream: extent.stream, sequence: mark.sequence + 1,
                    reason: "the journal begins at \(extent.first), behind the snapshot")
            }
            // The marker itself may have been trimmed; what comes behind it names its hash.
            try check(extent.stream, extent.start.sequence, extent.start.hash, against: mark)
            if extent.head.sequence < mark.sequence {
                throw .unusable(
                    stream: extent.stream, sequence: extent.head.sequence + 1,
                    reason: "the journal ends here, and the snapshot at \(mark.sequence): the "
                        + "device has lost what was synced")
            }
        }
    }
}

extension Extent {
    /// Frames of facts were trimmed. Marks of the journal itself are needed by nobody.
    fileprivate var lacksFrames: Bool { first > 1 && stream != StreamNumber.journal }
}
