// Why a snapshot is not written, not used or not loaded.

package import Engine
package import Parquet
package import Platform
internal import Zstd

package enum SnapshotError: Error, Equatable, Sendable {
    case system(SystemError)
    case outOfMemory
    /// The caller asked to stop; what was written so far is no snapshot.
    case cancelled
    /// A file of the snapshot is wrong. The name is that in the snapshot's folder.
    case file(String, Problem)
    /// It was written with another number of shards.
    case shardCount(expected: Int, found: Int)

    package enum Problem: Error, Equatable, Sendable {
        case missing
        case wrongSize(expected: Int, found: Int)
        case wrongHash
        /// The manifest is no manifest, or says what cannot be; the text says what.
        case manifest(String)
        case parquet(ParquetError)
        /// The table has not the columns or rows that it should have.
        case wrongTable
        /// The name belongs to another shard, or to another key of names.
        case foreignSKU(row: Int)
        case unknownName(String)
        case contradiction(String, row: Int)
        case master(ReplayError)
    }

    init(_ error: ZstdError) { self = .outOfMemory }

    init(_ error: LoadError, _ file: String) {
        switch error {
        case .notEmpty: self = .file(file, .contradiction("the shard has state already", row: 0))
        case .outOfMemory: self = .outOfMemory
        case .contradiction(let what, let row): self = .file(file, .contradiction(what, row: row))
        }
    }
}

extension SnapshotError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let error): error.description
        case .outOfMemory: "out of memory"
        case .cancelled: "cancelled"
        case .file(let name, let problem): "\(name): \(problem)"
        case .shardCount(let expected, let found):
            "written with \(found) shards, and there are \(expected)"
        }
    }
}

extension SnapshotError.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "is missing"
        case .wrongSize(let expected, let found): "has \(found) bytes in the place of \(expected)"
        case .wrongHash: "has not the bytes that were written"
        case .manifest(let what): what
        case .parquet(let error): error.description
        case .wrongTable: "has not the columns or the rows that it should have"
        case .foreignSKU(let row):
            "row \(row): the SKU belongs to another shard, or the names have another key"
        case .unknownName(let name): "the name \(name) is not among the shared data"
        case .contradiction(let what, let row): "row \(row): \(what)"
        case .master(let error): "\(error)"
        }
    }
}
