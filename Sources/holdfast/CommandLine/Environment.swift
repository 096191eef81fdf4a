// What the process was started with, and where from.

import Glibc

/// The value of an environment variable; nil when it is not set.
func environment(_ name: String) -> String? {
    // Read before other threads start, and never written.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// The path of the running program; nil where /proc is missing.
func programPath() -> String? {
    var path = [UInt8](repeating: 0, count: 4096)
    let count = unsafe path.withUnsafeMutableBytes { room in
        guard let start = room.baseAddress else { return 0 }
        return unsafe readlink("/proc/self/exe", start, room.count)
    }
    guard count > 0, count < path.count else { return nil }
    return String(decoding: path[..<count], as: UTF8.self)
}

/// Makes or empties a file for writing.
///
/// - Returns: Its descriptor; nil with the reason in `errno`.
func openForWriting(_ path: String) -> Int32? {
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    return number >= 0 ? number : nil
}

/// The error number of the call just made in this thread.
var lastErrorNumber: Int32 { errno }
