internal import Glibc

/// A system call that failed.
@usableFromInline
package struct SystemError: Error, CustomStringConvertible {
    package let operation: String
    package let code: Int32
    package init(operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }
    @usableFromInline package var description: String { "\(operation): errno \(code)" }
}
