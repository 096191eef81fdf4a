// The bytes of files as the device gives them back, against what was written.

internal import Bytes
internal import Journal
internal import Platform

/// The size and the hash of a file.
private func measure(_ file: any StoredFile) throws(SystemError) -> (byteCount: Int, hash: UInt64) {
    var hash = XXH64Stream()
    var piece = ByteBuffer()
    var offset = 0
    while true {
        piece.removeAll()
        let count = try file.read(at: offset, 1 << 18, into: &piece)
        if count == 0 { return (offset, hash.hash) }
        hash.update(piece.span)
        offset += count
    }
}

extension SnapshotFile {
    /// Checks that the file in `folder` has the bytes that were written.
    ///
    /// - Parameter isUncached: Drop what memory has of it first.
    func check(
        in folder: String, _ place: SnapshotPlace, isUncached: Bool = false
    ) throws(SnapshotError) {
        if place.defects.has(.hashUnchecked) { return }
        let found: (byteCount: Int, hash: UInt64)
        do throws(SystemError) {
            let file = try place.storage.open("\(folder)/\(name)", isUncached: isUncached)
            found = try measure(file)
        } catch {
            throw error.isMissingFile ? .file(name, .missing) : .system(error)
        }
        guard found.byteCount == bytes else {
            throw .file(name, .wrongSize(expected: bytes, found: found.byteCount))
        }
        guard found.hash == xxh64.value else { throw .file(name, .wrongHash) }
    }
}
