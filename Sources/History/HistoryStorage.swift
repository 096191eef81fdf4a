// History and journal as one storage that is only read: segments of both, one behind the other. What reads
// a journal reads this as well, with all its checks.

package import Journal
package import Platform
internal import Synchronization
internal import Zstd

/// EROFS and EBADMSG, the same on every Linux.
private let readOnly: Int32 = 30
let badMessage: Int32 = 74

/// The segments of the journal, and before them those of the history.
package final class HistoryStorage: Storage {
    private let journal: FileStorage
    private let history: HistoryFolder
    private let bases: ClosedRange<UInt64>

    /// Archived segments that are open, by numbers below zero.
    private let archived = Mutex<[Int32: OpenSegment]>([:])

    /// Unchecked: used under the lock alone.
    private final class OpenSegment: @unchecked Sendable {
        let path: String
        var segment: ArchivedSegment

        init(_ path: String, _ segment: consuming ArchivedSegment) {
            self.path = path
            self.segment = segment
        }
    }

    /// - Parameters:
    ///   - journal: The folder of the journal.
    ///   - first: The base of the first segment that there shall be; 0: all.
    ///   - last: That of the last one.
    package init(
        journal: String, history: HistoryFolder, from first: UInt64 = 0, through last: UInt64 = .max
    ) {
        self.journal = FileStorage(folder: journal, isReadOnly: true)
        self.history = history
        bases = first...last
    }

    package func segments() throws(SystemError) -> [UInt64] {
        // The journal's last: what it hands over meanwhile is seen twice rather than never.
        let kept = try history.bases()
        return Set(kept).union(try journal.segments()).filter { bases.contains($0) }.sorted()
    }

    package func exists(_ name: FileName) -> Bool {
        guard case .segment(let base) = name else { return false }
        return journal.exists(name) || Files.exists(history.file(base))
    }

    package func open(_ name: FileName) throws(SystemError) -> FileNumber {
        try open(name, isUncached: false)
    }

    package func openUncached(_ name: FileName) throws(SystemError) -> FileNumber {
        try open(name, isUncached: true)
    }

    private func open(_ name: FileName, isUncached: Bool) throws(SystemError) -> FileNumber {
        guard case .segment(let base) = name else { throw refused() }
        if journal.exists(name) {
            do throws(SystemError) {
                return isUncached ? try journal.openUncached(name) : try journal.open(name)
            } catch {
                // Handed over meanwhile.
                if !error.isMissingFile { throw error }
            }
        }
        let path = history.file(base)
        let opened: OpenSegment
        do throws(HistoryError) {
            opened = OpenSegment(path, try ArchivedSegment(path, isUncached: isUncached))
        } catch { throw Self.failure(error, path) }
        return archived.withLock { archived in
            let number = (archived.keys.min() ?? 0) - 1
            archived[number] = opened
            return FileNumber(number)
        }
    }

    package func close(_ file: FileNumber) {
        let wasArchived = archived.withLock { $0.removeValue(forKey: file.value) != nil }
        if !wasArchived { journal.close(file) }
    }

    package func byteCount(_ file: FileNumber) throws(SystemError) -> Int {
        if let opened = archived.withLock({ $0[file.value] }) { return opened.segment.byteCount }
        return try journal.byteCount(file)
    }

    /// - Precondition: A segment of the history is read from front to back.
    package func read(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        guard let opened = archived.withLock({ $0[file.value] }) else {
            return try journal.read(file, at: offset, region, range)
        }
        precondition(opened.segment.position == offset, "archived segments are read in order")
        do throws(HistoryError) {
            return try opened.segment.read(range.count) { bytes in
                region.store(bytes, at: range.lowerBound)
            }
        } catch { throw Self.failure(error, opened.path) }
    }

    private static func failure(_ error: HistoryError, _ path: String) -> SystemError {
        switch error {
        case .system(let error): SystemError("read", on: path, code: error.code)
        case .damaged(_, let error):
            SystemError("decompress (\(error.code))", on: path, code: badMessage)
        default: SystemError("read", on: path, code: badMessage)
        }
    }

    // MARK: - Nothing is changed

    private func refused() -> SystemError {
        SystemError("change", on: history.path, code: readOnly)
    }

    package func lock() throws(SystemError) { throw refused() }
    package func unlock() {}
    package func create(_ name: FileName, byteCount: Int) throws(SystemError) -> FileNumber {
        throw refused()
    }
    package func rename(_ name: FileName, to new: FileName) throws(SystemError) { throw refused() }
    package func remove(_ name: FileName) throws(SystemError) { throw refused() }
    package func syncDirectory() throws(SystemError) { throw refused() }
    package func freeByteCount() throws(SystemError) -> Int { throw refused() }
    package func sync(_ file: FileNumber) throws(SystemError) { throw refused() }
    package func write(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int { throw refused() }
}
