// Where snapshots are: the folder of all of them, and the file system that it is in.

/// The folder of all snapshots.
package struct SnapshotPlace: Sendable {
    let root: String
    let storage: any SnapshotStorage
    /// What is done wrong, for tests of the tests.
    let defects: SnapshotDefects

    package init(
        _ root: String, on storage: any SnapshotStorage = FileSystem(),
        defects: SnapshotDefects = SnapshotDefects()
    ) {
        self.root = root
        self.storage = storage
        self.defects = defects
    }

    /// The folder of a snapshot.
    func folder(_ number: UInt64) -> String { "\(root)/\(number)" }
}
