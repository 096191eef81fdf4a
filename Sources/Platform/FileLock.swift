// A file that says that a process is at work on what lies beside it.

internal import Glibc

/// A file that one process holds as long as it lives: nobody else may have it meanwhile.
package struct FileLock: ~Copyable {
    private let descriptor: Descriptor

    /// - Throws: EWOULDBLOCK when another process holds it.
    package init(_ path: String) throws(SystemError) {
        let flags = O_RDWR | O_CREAT | O_CLOEXEC
        descriptor = Descriptor(owning: try Self.locked(path, flags, LOCK_EX))
    }

    /// Takes a share of a lock whose file is there, and changes nothing: others may have shares too,
    /// but nobody the whole.
    ///
    /// - Throws: EWOULDBLOCK when another process holds all of it.
    package init(sharing path: String) throws(SystemError) {
        descriptor = Descriptor(owning: try Self.locked(path, O_RDONLY | O_CLOEXEC, LOCK_SH))
    }

    private static func locked(
        _ path: String, _ flags: Int32, _ kind: Int32
    ) throws(SystemError) -> Int32 {
        let number = unsafe open(path, flags, 0o600)
        guard number >= 0 else { throw .last("open", on: path) }
        if flock(number, kind | LOCK_NB) == 0 { return number }
        let code = errno
        _ = close(number)
        throw SystemError("lock", on: path, code: code)
    }

    /// The code of the error when another process holds it.
    package static var heldElsewhere: Int32 { EWOULDBLOCK }
}
