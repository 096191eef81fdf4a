// What the kernel refused, in words an operator can act on.

internal import Glibc

/// A system call that failed: which, on what, and why.
@usableFromInline
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb: `listen on`, `read`.
    package let operation: String

    /// The file or address it was tried on; empty when there is none.
    package let subject: String

    /// The errno of the call.
    package let code: Int32

    package init(_ operation: String, on subject: String = "", code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The error of the call just made in this thread.
    static func last(_ operation: String, on subject: String = "") -> SystemError {
        SystemError(operation, on: subject, code: errno)
    }

    /// ENOSPC, the same on every Linux.
    package static let noSpace: Int32 = 28

    /// The disk, or what this user may have of it, is full.
    package var isForSpace: Bool { code == Self.noSpace || code == EDQUOT }

    /// The kernel's reason: `Address already in use`.
    package var reason: String { systemMessage(code) }

    /// `cannot listen on 127.0.0.1:8080: Address already in use (errno 98)`.
    @usableFromInline package var description: String {
        let target = subject.isEmpty ? "" : " \(subject)"
        return "cannot \(operation)\(target): \(reason) (errno \(code))"
    }
}

/// The text of an errno.
package func systemMessage(_ code: Int32) -> String {
    // glibc's strerror answers from thread-local memory since 2.32.
    guard let text = unsafe strerror(code) else { return "unknown error" }
    return unsafe String(cString: text)
}
