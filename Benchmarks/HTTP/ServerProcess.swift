// A server in a process of its own, and the processor time that it used.

import Foundation
import Glibc
import Platform

/// A child that listens; ended with its owner.
final class ServerProcess {
    private let process = Process()
    let address: Address

    /// What it says once it listens, up to its address.
    let report: [Substring]

    /// Starts this program again with `arguments`; its first line is what it reports and the address
    /// that it listens on.
    init(_ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8)
        {
            if byte.isEmpty { break }
            line += byte
        }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard let port = words.last?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            process.terminate()
            throw UsageError("a server did not start")
        }
        report = words.dropLast()
        address = .loopback(port: port)
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    /// Ends it without a chance to put anything in order.
    func kill() {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Memory that it has resident, in bytes.
    var residentByteCount: Int {
        // Second field of statm, in pages (proc(5)).
        let fields = Setting.text("/proc/\(process.processIdentifier)/statm").split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
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
