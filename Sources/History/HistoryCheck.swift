// Looking at the files of a history one by one: each must decompress to what its checksum says.

package import Platform

/// A segment of the history as it was found.
package struct ArchivedCheck: Sendable {
    package let base: UInt64

    /// Bytes of the file.
    package let storedByteCount: Int

    /// Bytes that it holds; nil where that cannot be told.
    package let byteCount: Int?

    /// nil: it is whole.
    package let problem: HistoryError?

    package var fileName: String { HistoryFolder.fileName(base) }
}

extension HistoryFolder {
    /// Decompresses every file.
    ///
    /// - Complexity: O(bytes).
    package func check() throws(SystemError) -> [ArchivedCheck] {
        var checks: [ArchivedCheck] = []
        for base in try bases() {
            let storedByteCount: Int
            do throws(SystemError) { storedByteCount = try self.byteCount(base) } catch {
                // A service may have removed it meanwhile.
                if error.isMissingFile { continue }
                throw error
            }
            let (byteCount, problem) = content(base)
            checks.append(
                ArchivedCheck(
                    base: base, storedByteCount: storedByteCount, byteCount: byteCount,
                    problem: problem))
        }
        return checks
    }

    private func content(_ base: UInt64) -> (byteCount: Int?, problem: HistoryError?) {
        var byteCount: Int?
        do throws(HistoryError) {
            var segment = try ArchivedSegment(file(base))
            byteCount = segment.byteCount
            while try segment.read(1 << 20, { _ in }) > 0 {}
            return (byteCount, nil)
        } catch { return (byteCount, error) }
    }
}
