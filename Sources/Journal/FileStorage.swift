// The real thing: a folder of files.

internal import CLinux
internal import Glibc
package import Platform
internal import Synchronization

/// A storage in a folder of a file system.
///
/// One thread writes; others may have storages of their own on the same folder to read.
package final class FileStorage: Storage {
    private let folder: String
    private let isReadOnly: Bool
    private let lockFile = Mutex<FileLock?>(nil)

    /// - Parameters:
    ///   - folder: Must exist.
    ///   - isReadOnly: Files are opened for reading alone, so that nothing can be changed.
    package init(folder: String, isReadOnly: Bool = false) {
        self.folder = folder
        self.isReadOnly = isReadOnly
    }

    /// The file of a segment in the folder of a journal.
    package static func segmentPath(_ base: UInt64, in folder: String) -> String {
        "\(folder)/\(segmentFileName(base))"
    }

    private func path(_ name: FileName) -> String {
        switch name {
        case .segment(let base): Self.segmentPath(base, in: folder)
        case .preparing: "\(folder)/next.preparing"
        case .ballast: "\(folder)/ballast"
        }
    }

    private func failure(_ operation: String, _ name: FileName) -> SystemError {
        SystemError(operation, on: path(name), code: errno)
    }

    package func lock() throws(SystemError) {
        var taken: FileLock? = try FileLock("\(folder)/lock")
        lockFile.withLock { $0 = taken.take() }
    }

    package func unlock() { lockFile.withLock { $0 = nil } }

    package func segments() throws(SystemError) -> [UInt64] {
        try Files.names(in: folder).compactMap { name in
            guard name.utf8.count == 24, name.hasSuffix(".journal"),
                let base = UInt64(name.prefix(16), radix: 16), segmentFileName(base) == name
            else { return nil }
            return base
        }
    }

    package func exists(_ name: FileName) -> Bool { unsafe access(path(name), F_OK) == 0 }

    package func create(_ name: FileName, byteCount: Int) throws(SystemError) -> FileNumber {
        let flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC
        let number = unsafe Glibc.open(path(name), flags, 0o600)
        guard number >= 0 else { throw failure("create", name) }
        // Asked for as a whole, so that a full disk is noticed before anything is written and
        // the blocks lie together. File systems that cannot find out by writing zeros.
        if holdfast_allocate(number, byteCount) != 0, errno != EOPNOTSUPP {
            let error = failure("allocate", name)
            _ = Glibc.close(number)
            throw error
        }
        return FileNumber(number)
    }

    package func open(_ name: FileName) throws(SystemError) -> FileNumber {
        let access = isReadOnly ? O_RDONLY : O_RDWR
        let number = unsafe Glibc.open(path(name), access | O_CLOEXEC)
        guard number >= 0 else { throw failure("open", name) }
        return FileNumber(number)
    }

    package func close(_ file: FileNumber) { _ = Glibc.close(file.value) }

    package func byteCount(_ file: FileNumber) throws(SystemError) -> Int {
        var status = stat()
        guard unsafe fstat(file.value, &status) == 0 else {
            throw SystemError("look at a segment of", on: folder, code: errno)
        }
        return Int(status.st_size)
    }

    package func rename(_ name: FileName, to new: FileName) throws(SystemError) {
        guard unsafe Glibc.rename(path(name), path(new)) == 0 else {
            throw failure("rename", name)
        }
    }

    package func remove(_ name: FileName) throws(SystemError) {
        guard unsafe Glibc.unlink(path(name)) == 0 else { throw failure("remove", name) }
    }

    package func syncDirectory() throws(SystemError) { try Files.syncFolder(folder) }

    package func freeByteCount() throws(SystemError) -> Int { try Files.freeByteCount(folder) }

    package func write(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        let count = unsafe pwrite(
            file.value, region.address(range.lowerBound, range.count), range.count, off_t(offset))
        // Nothing written of something, without an error, is treated as a device that is broken.
        guard count > 0 else {
            throw SystemError("write to", on: folder, code: count == 0 ? EIO : errno)
        }
        return count
    }

    package func read(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        let count = unsafe pread(
            file.value, region.address(range.lowerBound, range.count), range.count, off_t(offset))
        guard count >= 0 else { throw SystemError("read", on: folder, code: errno) }
        return count
    }

    package func sync(_ file: FileNumber) throws(SystemError) {
        // The size of a segment never changes after it was prepared, and fdatasync brings the size
        // of a new one along: it is needed to read the data back.
        guard fdatasync(file.value) == 0 else {
            throw SystemError("sync", on: folder, code: errno)
        }
    }

    package func openUncached(_ name: FileName) throws(SystemError) -> FileNumber {
        // Direct reads write dirty pages out first, but leave clean ones: those that a failed sync
        // could not write would go to the device with what is written beside them later.
        let direct = unsafe holdfast_open_direct(path(name))
        let file = direct >= 0 ? FileNumber(direct) : try open(name)
        _ = posix_fadvise(file.value, 0, 0, Int32(POSIX_FADV_DONTNEED))
        return file
    }
}
