import Bytes
import Foundation
import Platform
import Synchronization
import Testing

@Suite struct MachineTests {
    @Test func `a thread runs its body on the processor asked for`() throws {
        let ran = Counter()
        let thread = try Platform.Thread.start(name: "pinned", processor: 0) {
            ran.value.store(Machine.processorCount, ordering: .relaxed)
        }
        thread.join()
        #expect(ran.value.load(ordering: .relaxed) == 1)
    }

    @Test func `clocks move forwards and agree about the date`() {
        let boot = Clock.bootNanoseconds
        let monotonic = Clock.monotonicNanoseconds
        let wall = Clock.wallMilliseconds
        Platform.Thread.sleep(milliseconds: 5)
        #expect((5_000_000...5_000_000_000).contains(Clock.bootNanoseconds - boot))
        #expect((5_000_000...5_000_000_000).contains(Clock.monotonicNanoseconds - monotonic))
        #expect(abs(Double(wall) / 1000 - Date().timeIntervalSince1970) < 60)
    }

    @Test func `memory in use grows with what is touched`() {
        // Far more than what tests beside this one give back meanwhile.
        let before = Machine.residentByteCount
        let bytes = [UInt8](repeating: 1, count: 1 << 30)
        let after = Machine.residentByteCount
        #expect(before > 1 << 20)
        #expect(after - before > 256 << 20)
        #expect(bytes[before % bytes.count] == 1)
    }

    @Test func `random bytes have the length asked for and differ`() throws {
        #expect(try Machine.randomBytes(0).isEmpty)
        let one = try Machine.randomBytes(1000)
        let other = try Machine.randomBytes(1000)
        #expect(one.count == 1000)
        #expect(one != other)
        #expect(Set(one.suffix(300)).count > 100)
    }

    @Test func `signals are read as numbers by the thread that took them`() throws {
        let seen = Counter()
        // SIGUSR1, to its own thread: the test process as a whole is left alone.
        let thread = try Platform.Thread.start(name: "signals") {
            guard let signals = try? TerminationSignals([SIGUSR1]) else { return }
            if signals.wait(timeoutMilliseconds: 0) != nil { return }
            pthread_kill(pthread_self(), SIGUSR1)
            seen.value.store(Int(signals.wait(timeoutMilliseconds: 5000) ?? -1), ordering: .relaxed)
        }
        thread.join()
        #expect(seen.value.load(ordering: .relaxed) == Int(SIGUSR1))
    }

    @Test func `a file is read whole or in pieces`() throws {
        let path = NSTemporaryDirectory() + "holdfast-reader-\(UUID().uuidString)"
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let whole = try readFile(path)
        let isWhole = whole.span.equals(content.span)
        #expect(isWhole)
        let reader = try FileReader(path)
        #expect(reader.byteCount == 100_000)
        var pieces = ByteBuffer()
        while try reader.read(into: &pieces, room: 777) > 0 {}
        let isSame = pieces.span.equals(content.span)
        #expect(isSame)
        #expect(throws: SystemError("read", on: path, code: EFBIG)) {
            _ = try readFile(path, limit: 99_999)
        }
    }

    @Test func `a file that is not there is an error that names it`() {
        let error = #expect(throws: SystemError.self) { _ = try FileReader("/no/such/file") }
        #expect(
            error?.description == "cannot open /no/such/file: No such file or directory (errno 2)")
    }
}
