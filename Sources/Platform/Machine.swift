// What the process can know about the machine and itself, and the kernel's random bytes.

internal import Bytes
internal import CLinux
internal import Glibc

package enum Machine {
    /// How many processors the calling thread may run on, at least 1.
    package static var processorCount: Int { Int(holdfast_processor_count()) }

    /// Bytes in a memory page.
    package static var pageByteCount: Int { sysconf(Int32(_SC_PAGESIZE)) }

    /// Bytes of memory that the process occupies (its resident set); 0 where /proc is missing.
    package static var residentByteCount: Int {
        // Second field of /proc/self/statm, in pages (proc(5)).
        guard let text = try? readFile("/proc/self/statm", limit: 4096) else { return 0 }
        let fields = text.span.text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * pageByteCount
    }

    /// How many descriptors the process has open; 0 where /proc is missing.
    package static var openDescriptorCount: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while let entry = unsafe readdir(folder) {
            // Names start with a digit but for `.` and `..`.
            if unsafe entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count - 1  // The folder's own.
    }

    /// Raises the number of descriptors that may be open to the most the system allows.
    ///
    /// - Returns: The limit that holds now.
    @discardableResult
    package static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 0
        }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
            limit = raised
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// `count` bytes that nobody can foretell, for secrets and keys.
    package static func randomBytes(_ count: Int) throws(SystemError) -> [UInt8] {
        precondition(count >= 0)
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { room in
                unsafe holdfast_random(
                    room.baseAddress?.advanced(by: filled), min(256, count - filled))
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw .last("draw random bytes")
            }
            filled += got
        }
        return bytes
    }

    /// A random word, for keyed hashes.
    package static func randomWord() throws(SystemError) -> UInt64 {
        try randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

package enum Terminal {
    package static let standardInput: Int32 = 0
    package static let standardOutput: Int32 = 1
    package static let standardError: Int32 = 2

    /// Whether `number` is a terminal rather than a file or a pipe.
    package static func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

    /// Columns of the terminal at `number`; 80 when it is none.
    package static func columnCount(_ number: Int32 = standardOutput) -> Int {
        let columns = Int(holdfast_terminal_columns(number))
        return columns > 0 ? columns : 80
    }

    /// Writes all of `bytes` to a standard descriptor, without buffering.
    package static func write(_ bytes: Span<UInt8>, to number: Int32) throws(SystemError) {
        // Borrowed for the call: the standard descriptors are never closed by us.
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .last("write to descriptor", on: "\(number)") }
        try Descriptor(owning: copy).write(bytes)
    }
}
