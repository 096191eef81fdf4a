// Files and folders as a snapshot needs them: written from front to back, synced, read back past the
// page cache, moved by name.

package import Bytes
internal import Glibc

extension Descriptor {
    /// Creates a file, or empties the one that is there, for writing.
    package static func create(_ path: String) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let number = unsafe Glibc.open(path, flags, 0o644)
        guard number >= 0 else { throw .last("create", on: path) }
        return Descriptor(owning: number)
    }

    /// Opens a file or a folder for reading.
    package static func open(_ path: String) throws(SystemError) -> Descriptor {
        let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw .last("open", on: path) }
        return Descriptor(owning: number)
    }

    /// Lets the owner of the file alone read and write it.
    package func protect() throws(SystemError) {
        guard fchmod(number, 0o600) == 0 else { throw .last("protect a file") }
    }

    /// Waits until what was written is on the device; of a folder, its names.
    package func sync() throws(SystemError) {
        guard fsync(number) == 0 else { throw .last("sync") }
    }

    /// Drops what the page cache has of the file, as far as it is on the device.
    ///
    /// Advice only: a kernel that keeps it answers reads from memory.
    package func dropCache() {
        _ = posix_fadvise(number, 0, 0, Int32(POSIX_FADV_DONTNEED))
    }

    /// Bytes in the file.
    package func byteCount() throws(SystemError) -> Int {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw .last("look at a file") }
        return Int(status.st_size)
    }

    /// Appends at most `count` bytes of the file, from `offset` on, to `buffer`.
    ///
    /// - Returns: How many; fewer at the end of the file only.
    package func read(
        at offset: Int, _ count: Int, into buffer: inout ByteBuffer
    ) throws(SystemError) -> Int {
        var done = 0
        while done < count {
            var got = 0
            unsafe buffer.fillRoom(count - done) { room in
                got = unsafe pread(number, room.baseAddress, room.count, off_t(offset + done))
                return max(0, got)
            }
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw .last("read")
            }
            done += got
        }
        return done
    }
}

/// Names in the file system.
package enum Files {
    /// Makes a folder that survives a loss of power, and says nothing when it is there already.
    package static func makeFolder(_ path: String) throws(SystemError) {
        if unsafe mkdir(path, 0o755) != 0 {
            if errno == EEXIST { return }
            throw .last("make the folder", on: path)
        }
        try syncFolder(folder(of: path))
    }

    /// Makes what was created, renamed and removed in a folder survive a loss of power.
    package static func syncFolder(_ path: String) throws(SystemError) {
        do throws(SystemError) { try Descriptor.open(path).sync() } catch {
            throw SystemError("sync", on: path, code: error.code)
        }
    }

    /// The folder that a path lies in.
    package static func folder(of path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        guard let end = path.lastIndex(of: "/") else { return "." }
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// Makes a folder, and those above it that are missing.
    package static func makeFolders(_ path: String) throws(SystemError) {
        if let end = path.lastIndex(of: "/"), end > path.startIndex, !exists(path) {
            try makeFolders(String(path[..<end]))
        }
        try makeFolder(path)
    }

    /// Bytes that may still be written where a folder lies.
    package static func freeByteCount(_ folder: String) throws(SystemError) -> Int {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { throw .last("look at", on: folder) }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// Whether there is anything of this name.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Puts a file with `content`, which its owner alone may read, in the place of any of that name:
    /// after a crash at any moment there is the old one or the new one, whole.
    package static func replace(
        _ path: String, with content: Span<UInt8>
    ) throws(SystemError) {
        let draft = path + ".new"
        try create(draft, with: content)
        try rename(draft, to: path)
        try syncFolder(folder(of: path))
    }

    private static func create(
        _ path: String, with content: Span<UInt8>
    ) throws(SystemError) {
        let file = try Descriptor.create(path)
        try file.protect()
        try file.write(content)
        try file.sync()
    }

    /// Gives what is at `path` another name, in the place of a file or a link that has it.
    package static func rename(_ path: String, to target: String) throws(SystemError) {
        guard unsafe Glibc.rename(path, target) == 0 else { throw .last("rename", on: path) }
    }

    /// Makes a symbolic link.
    package static func link(_ path: String, to target: String) throws(SystemError) {
        guard unsafe symlink(target, path) == 0 else { throw .last("make the link", on: path) }
    }

    /// Gives a file a second name; the bytes stay as long as one of both does.
    package static func shareFile(_ path: String, as name: String) throws(SystemError) {
        guard unsafe Glibc.link(path, name) == 0 else { throw .last("share", on: path) }
    }

    /// Whether there is a file of this name that is neither folder, link, pipe nor device.
    package static func isPlainFile(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether there is a folder of this name, or a link to one.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether there is a symbolic link of this name.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Removes a file, a link or an empty folder; says nothing when there is none.
    package static func remove(_ path: String) throws(SystemError) {
        if unsafe Glibc.remove(path) != 0, errno != ENOENT { throw .last("remove", on: path) }
    }

    /// Removes what is at `path`: of a folder also all that is in it. A link is not followed.
    package static func removeTree(_ path: String) throws(SystemError) {
        if !isLink(path) {
            for name in try names(in: path) { try removeTree("\(path)/\(name)") }
        }
        try remove(path)
    }

    /// The names in a folder, in order; none when there is no such folder.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .last("list", on: path)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

extension SystemError {
    /// There is no such file.
    package var isMissingFile: Bool { code == ENOENT }

    /// There is already something of that name.
    package var isExistingFile: Bool { code == EEXIST }
}
