// Frames of shards build on those of the control stream: they are never in the journal without them.

import Platform
import Testing

@testable import Journal

@Suite struct JournalOrderTests {
    @Test func `a frame that comes while a commit gathers waits for what it builds on`() throws {
        let files = SimulatedStorage(seed: 1, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        var control = core.writer(of: StreamNumber.control)
        var first = core.writer(of: 0)
        var second = core.writer(of: 1)
        for round: UInt64 in 1...6 {
            core.lookAtShards()
            control.append(count: 1)
            first.append(count: 1)
            second.append(count: 1)
            equal(core.commitSeen(), true)
            #expect(control.durableSequence == round)
            #expect(first.durableSequence == round - 1)
            #expect(second.durableSequence == round - 1)
            core.settle()
            #expect(first.durableSequence == round)
            #expect(second.durableSequence == round)
        }
    }

    @Test func `the control stream's frames come first in every commit`() throws {
        let files = SimulatedStorage(seed: 2, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        var control = core.writer(of: StreamNumber.control)
        var first = core.writer(of: 0)
        var second = core.writer(of: 1)
        for _ in 0..<12 {
            first.append(count: 1)
            control.append(count: 1)
            second.append(count: 1)
            core.settle()
        }
        core.abandon(SimulatedFixture(files))
        var order: [UInt16] = []
        let memory = try JournalMemory(small)
        _ = try JournalCore.open(files, small, memory) { header, _ in order.append(header.stream) }
        #expect(order.count == 36)
        for start in stride(from: 0, to: order.count, by: 3) {
            #expect(order[start] == StreamNumber.control)
        }
    }

    @Test func `shards wait while the control stream finds no room in a segment`() throws {
        let files = SimulatedStorage(seed: 3, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        var control = core.writer(of: StreamNumber.control)
        var shard = core.writer(of: 0)
        for _ in 0..<60 {
            control.append(count: 1, byteCount: 200)
            shard.append(count: 1, byteCount: 0)
            while shard.durableSequence < shard.sequence {
                _ = core.step()
                // They are submitted in pairs.
                #expect(shard.durableSequence <= control.durableSequence)
            }
        }
        #expect(core.current > 3)
    }
}
