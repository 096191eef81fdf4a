// Folders and small files that must survive a loss of power.

internal import Bytes
internal import Glibc

/// What is done to folders and whole small files. Every error names its path.
package enum Folder {
    /// Makes a folder that only its owner may enter, and those above it that are missing, so that
    /// they survive a loss of power; nothing where there is one.
    package static func make(_ path: String) throws(SystemError) {
        if unsafe mkdir(path, 0o700) != 0 {
            if errno == EEXIST { return }
            guard errno == ENOENT, let end = path.lastIndex(of: "/"), end > path.startIndex else {
                throw .last("make the folder", on: path)
            }
            try make(String(path[..<end]))
            guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw .last("make the folder", on: path)
            }
        }
        try sync(parent(of: path))
    }

    /// Whether there is anything of this name.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The names in a folder, without `.` and `..`, in any order.
    package static func names(_ path: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(path) else { throw .last("list", on: path) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes what was created, renamed and removed in a folder survive a loss of power.
    package static func sync(_ path: String) throws(SystemError) {
        let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .last("open", on: path) }
        defer { _ = close(number) }
        guard fsync(number) == 0 else { throw .last("sync", on: path) }
    }

    /// Puts a file with `content`, readable by its owner alone, in the place of any of that name:
    /// after a crash at any moment there is the old one or the new one, whole.
    package static func write(_ content: Span<UInt8>, to path: String) throws(SystemError) {
        let draft = path + ".new"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let number = unsafe open(draft, flags, 0o600)
        guard number >= 0 else { throw .last("create", on: draft) }
        do {
            let file = Descriptor(owning: number)
            var done = 0
            while done < content.count {
                let count = unsafe content.from(done).withUnsafeBufferPointer { source in
                    unsafe Glibc.write(number, source.baseAddress, source.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw SystemError.last("write", on: draft) }
                done += count
            }
            guard fsync(file.number) == 0 else { throw SystemError.last("sync", on: draft) }
        }
        guard unsafe rename(draft, path) == 0 else { throw .last("rename", on: draft) }
        try sync(parent(of: path))
    }

    /// The folder that a path lies in.
    package static func parent(of path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        guard let end = path.lastIndex(of: "/") else { return "." }
        return end == path.startIndex ? "/" : String(path[..<end])
    }
}

/// A file that one process holds as long as it lives: nobody else may have it meanwhile.
package struct FileLock: ~Copyable {
    private let descriptor: Descriptor

    /// - Throws: EWOULDBLOCK when another process holds it.
    package init(_ path: String) throws(SystemError) {
        descriptor = Descriptor(owning: try Self.locked(path))
    }

    private static func locked(_ path: String) throws(SystemError) -> Int32 {
        let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .last("open", on: path) }
        if flock(number, LOCK_EX | LOCK_NB) == 0 { return number }
        let code = errno
        _ = close(number)
        throw SystemError("lock", on: path, code: code)
    }

    /// The code of the error when another process holds it.
    package static var heldElsewhere: Int32 { EWOULDBLOCK }
}
