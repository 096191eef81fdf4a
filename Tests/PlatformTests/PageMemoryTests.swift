// Reserved memory: what was written stays while the usable part grows.

import Platform
import Testing

struct PageMemoryTests {
    /// Bytes committed step by step, across the first huge page and the threshold behind it.
    private static let sizes = [
        64 << 10, 1 << 20, (2 << 20) - 4096, (2 << 20) + 1, 5 << 20, 17 << 20,
    ]

    @Test func `what was written stays while memory grows into huge pages`() throws {
        var memory = try PageMemory(reserving: 32 << 20)
        var written = 0
        for size in Self.sizes {
            try memory.commit(size)
            #expect(memory.committedByteCount >= size)
            let words = unsafe memory.base.assumingMemoryBound(to: UInt64.self)
            while written < size / 8 {
                #expect(unsafe words[written] == 0, "fresh memory reads as zero")
                unsafe words[written] = UInt64(written) &* 0x9E37_79B9_7F4A_7C15
                written += 1
            }
            for index in stride(from: 0, to: written, by: 61)
            where unsafe words[index] != UInt64(index) &* 0x9E37_79B9_7F4A_7C15 {
                Issue.record("word \(index) of \(written) is lost")
            }
        }
    }

    @Test func `committing less than is usable changes nothing`() throws {
        var memory = try PageMemory(reserving: 8 << 20)
        try memory.commit(1 << 20)
        let usable = memory.committedByteCount
        try memory.commit(10)
        #expect(memory.committedByteCount == usable)
    }
}
