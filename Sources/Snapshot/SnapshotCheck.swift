// Looking at a snapshot as a whole: everything that is wrong with it, not only the first thing.

/// A snapshot's files compared with its manifest.
package struct SnapshotCheck: Sendable {
    package let number: UInt64

    /// nil when it cannot be read.
    package let manifest: Manifest?

    /// What is wrong; empty: the snapshot is whole.
    package let problems: [SnapshotError]
}

extension SnapshotReader {
    /// Compares all files of a snapshot with its manifest.
    ///
    /// - Complexity: O(bytes): each file is read once.
    package func check(_ number: UInt64) -> SnapshotCheck {
        var problems: [SnapshotError] = []
        do throws(SnapshotError) {
            let manifest = try manifest(of: number)
            for name in Manifest.fileNames(shardCount: manifest.shardCount) {
                do throws(SnapshotError) {
                    try manifest.file(name).check(in: place.folder(number), place)
                } catch { problems.append(error) }
            }
            return SnapshotCheck(number: number, manifest: manifest, problems: problems)
        } catch {
            return SnapshotCheck(number: number, manifest: nil, problems: [error])
        }
    }
}

extension Manifest {
    /// Of all its files.
    package var byteCount: Int { files.reduce(0) { $0 + $1.bytes } }
}
