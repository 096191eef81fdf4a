// Signals as values: read by one thread, at a moment of its choice.

internal import CLinux
internal import Glibc

/// The signals that ask the process to end, taken out of their default handling.
///
/// To be made by the first thread before it starts others: threads inherit the block, so no
/// other thread is struck by the signal.
package struct TerminationSignals: ~Copyable {
    /// Readable when a signal waits.
    package let descriptor: Descriptor

    /// Takes SIGTERM and SIGINT, or the numbers given.
    package init(_ signals: [Int32] = [SIGTERM, SIGINT]) throws(SystemError) {
        var mask: UInt64 = 0
        for signal in signals {
            precondition((1..<64).contains(signal))
            mask |= 1 << UInt64(signal)
        }
        let number = holdfast_signal_descriptor(mask)
        guard number >= 0 else { throw .last("take over signals") }
        descriptor = Descriptor(owning: number)
    }

    /// Waits for a signal.
    ///
    /// - Parameter timeoutMilliseconds: At most so long; −1 waits for ever.
    /// - Returns: Its number, or nil when the time is over.
    package func wait(timeoutMilliseconds: Int32 = -1) -> Int32? {
        while true {
            let signal = holdfast_next_signal(descriptor.number, timeoutMilliseconds)
            if signal > 0 { return signal }
            if signal == 0 { return nil }
            // Interrupted, or another reader was faster: only then ask again.
            if errno != EINTR && errno != EAGAIN { return nil }
        }
    }

    /// Makes writing to a closed pipe an error of the write instead of the end of the process.
    package static func ignoreBrokenPipes() {
        _ = holdfast_ignore_broken_pipes()
    }
}
