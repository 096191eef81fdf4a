// What only the real file system can show.

import Glibc
import Platform
import Testing

@testable import Journal

@Suite struct FileStorageTests {
    /// Pages of a file that the kernel holds in memory.
    private func residentPageCount(_ path: String, byteCount: Int) throws -> Int {
        let file = unsafe open(path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        let start = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, file, 0)
        guard let memory = unsafe start else { return 0 }
        let isMapped = unsafe memory != MAP_FAILED
        try #require(isMapped)
        defer { unsafe munmap(memory, byteCount) }
        var pages = [UInt8](repeating: 0, count: byteCount / 4096)
        let isAnswered = unsafe mincore(memory, byteCount, &pages) == 0
        try #require(isAnswered)
        return pages.count { $0 & 1 == 1 }
    }

    /// Writes and syncs a file, and has `drop` do something with it.
    ///
    /// - Returns: Pages in memory before and after.
    private func residentPageCounts(
        _ drop: (FileStorage, _ path: String) throws -> Void
    ) throws -> (before: Int, after: Int) {
        let folder = try TemporaryFolder()
        let files = FileStorage(folder: folder.path)
        let byteCount = 16 * 4096
        let region = try Region(byteCount: byteCount)
        let file = try files.create(.segment(0), byteCount: byteCount)
        try files.writeAll(file, at: 0, region, 0..<byteCount)
        try files.sync(file)
        files.close(file)
        let path = "\(folder.path)/\(segmentFileName(0))"
        let before = try residentPageCount(path, byteCount: byteCount)
        try drop(files, path)
        return (before, try residentPageCount(path, byteCount: byteCount))
    }

    @Test func `a start drops what memory holds of a segment`() throws {
        let opened = try residentPageCounts { files, _ in
            files.close(try files.openUncached(.segment(0)))
        }
        // As far as the file system can: one in memory has no other place.
        let advised = try residentPageCounts { _, path in
            let file = unsafe open(path, O_RDONLY)
            try #require(posix_fadvise(file, 0, 0, Int32(POSIX_FADV_DONTNEED)) == 0)
            close(file)
        }
        #expect(opened.before == 16)
        #expect(opened.after == advised.after)
    }
}
