// A file that says that a process is at work on what lies beside it.

internal import Glibc

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
