// Names in the folder of all snapshots.
//
//     <number>              a snapshot
//     <number>.writing      one that is not whole yet
//     <number>.removing     one that is being removed
//     latest                a link to the newest, for those who read tables

internal import Platform

enum SnapshotFolders {
    static let writingSuffix = ".writing"
    static let removingSuffix = ".removing"
    static let linkName = "latest"
    static let newLinkName = "latest.new"

    static var subfolders: [String] { SnapshotTable.allCases.map(\.rawValue) + ["master"] }

    /// The number of a snapshot whose folder has this name.
    static func number(_ name: String) -> UInt64? {
        guard let number = UInt64(name), "\(number)" == name else { return nil }
        return number
    }

    /// Whether the name is of something that a crash left.
    static func isLeftover(_ name: String) -> Bool {
        name.hasSuffix(writingSuffix) || name.hasSuffix(removingSuffix)
    }

    /// Removes a folder with what a snapshot may have in it.
    static func remove(_ folder: String, _ storage: any SnapshotStorage) throws(SystemError) {
        for name in try storage.names(in: folder) {
            for inner in try storage.names(in: "\(folder)/\(name)") {
                try storage.remove("\(folder)/\(name)/\(inner)")
            }
            try storage.remove("\(folder)/\(name)")
        }
        try storage.remove(folder)
    }
}
