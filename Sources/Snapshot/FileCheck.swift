// The bytes of a file as the device gives them back, against what was written.

internal import Bytes
internal import Journal
internal import Platform

/// The size and the hash of a file.
///
/// - Parameter isUncached: Drop what the page cache has of it first.
func measure(
    _ path: String, isUncached: Bool
) throws(SystemError) -> (byteCount: Int, hash: UInt64) {
    let file = try Descriptor.open(path)
    if isUncached { file.dropCache() }
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
    func check(in folder: String, isUncached: Bool) throws(SnapshotError) {
        let found: (byteCount: Int, hash: UInt64)
        do throws(SystemError) {
            found = try measure("\(folder)/\(name)", isUncached: isUncached)
        } catch {
            throw error.isMissingFile ? .file(name, .missing) : .system(error)
        }
        guard found.byteCount == bytes else {
            throw .file(name, .wrongSize(expected: bytes, found: found.byteCount))
        }
        guard found.hash == xxh64.value else { throw .file(name, .wrongHash) }
    }
}
