// A server in a process of its own, and the processor time that it used.

import Foundation
import Platform

/// A child that listens; ended with its owner.
final class ServerProcess {
    private let process = Process()
    let address: Address

    /// Starts this program again with `arguments`; its first line ends with the port that it
    /// listens on.
    init(_ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) {
            if byte.isEmpty { break }
            line += byte
        }
        let words = String(decoding: line, as: UTF8.self).split(separator: ":")
        guard let port = words.last.flatMap({ UInt16($0) }) else {
            process.terminate()
            throw UsageError("a server did not start")
        }
        address = .loopback(port: port)
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    /// Processor time of all threads so far, in nanoseconds, the kernel's work for them included.
    ///
    /// The first number of each thread's schedstat (Linux, Documentation/scheduler/sched-stats).
    var processorNanoseconds: UInt64 {
        let folder = "/proc/\(process.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.map { thread -> UInt64 in
            let text = Setting.text("\(folder)/\(thread)/schedstat")
            return text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
        }.reduce(0, +)
    }
}
