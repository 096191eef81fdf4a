// XXH64 with seed 0, after the xxHash specification (Y. Collet, XXH64 algorithm description,
// version 0.2.0): the checksum of frames.
//
// Keyless on purpose: it guards against devices, not against people, and other programs must be able
// to check a journal. Instead of a pair of CRC32C: one pass over four lanes of 64-bit multiplications
// is as fast as the memory it reads, needs no special instruction, and every one of its 64 bits
// depends on every bit of the frame.

package enum XXH64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    @inline(__always)
    private static func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 {
        word &<< bits | word &>> (64 &- bits)
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ round(0, lane)) &* prime1 &+ prime4
    }

    @inline(__always)
    private static func word(_ start: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The hash of `count` bytes at `start`.
    ///
    /// - Complexity: O(`count`), about 32 bytes in 4 multiplications side by side.
    static func hash(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var lanes = Lanes()
        let offset = unsafe lanes.mix(start, count)
        return unsafe finish(lanes, total: count, start + offset, count - offset)
    }

    /// Four sums side by side, one for each 8 bytes of a block of 32.
    struct Lanes {
        var lane1 = prime1 &+ prime2
        var lane2 = prime2
        var lane3: UInt64 = 0
        var lane4 = 0 &- prime1

        /// Takes in the whole blocks among `count` bytes; answers how many bytes these are.
        @inline(__always)
        mutating func mix(_ start: UnsafeRawPointer, _ count: Int) -> Int {
            var offset = 0
            var (lane1, lane2, lane3, lane4) = (self.lane1, self.lane2, self.lane3, self.lane4)
            while offset &+ 32 <= count {
                lane1 = unsafe round(lane1, word(start, offset))
                lane2 = unsafe round(lane2, word(start, offset &+ 8))
                lane3 = unsafe round(lane3, word(start, offset &+ 16))
                lane4 = unsafe round(lane4, word(start, offset &+ 24))
                offset &+= 32
            }
            (self.lane1, self.lane2, self.lane3, self.lane4) = (lane1, lane2, lane3, lane4)
            return offset
        }
    }

    /// The hash of `total` bytes, of which all but the `count` last, less than a block, are in `lanes`.
    @inline(__always)
    static func finish(
        _ lanes: Lanes, total: Int, _ start: UnsafeRawPointer, _ count: Int
    ) -> UInt64 {
        var offset = 0
        var hash: UInt64
        if total >= 32 {
            hash = rotate(lanes.lane1, 1) &+ rotate(lanes.lane2, 7)
            hash &+= rotate(lanes.lane3, 12) &+ rotate(lanes.lane4, 18)
            hash = merge(merge(hash, lanes.lane1), lanes.lane2)
            hash = merge(merge(hash, lanes.lane3), lanes.lane4)
        } else {
            hash = prime5
        }
        hash &+= UInt64(total)
        while offset &+ 8 <= count {
            hash = unsafe rotate(hash ^ round(0, word(start, offset)), 27) &* prime1 &+ prime4
            offset &+= 8
        }
        if offset &+ 4 <= count {
            let half = unsafe UInt32(
                littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            hash = rotate(hash ^ UInt64(half) &* prime1, 23) &* prime2 &+ prime3
            offset &+= 4
        }
        while offset < count {
            let byte = unsafe start.load(fromByteOffset: offset, as: UInt8.self)
            hash = rotate(hash ^ UInt64(byte) &* prime5, 11) &* prime1
            offset &+= 1
        }
        hash = (hash ^ hash &>> 33) &* prime2
        hash = (hash ^ hash &>> 29) &* prime3
        return hash ^ hash &>> 32
    }
}

/// The hash of bytes that come in pieces.
package struct XXH64Stream {
    private var lanes = XXH64.Lanes()
    private var total = 0
    /// What does not make up a block yet.
    private var rest: [UInt8] = []

    package init() {}

    package mutating func update(_ bytes: Span<UInt8>) {
        total += bytes.count
        var taken = 0
        if !rest.isEmpty {
            taken = min(32 - rest.count, bytes.count)
            for offset in 0..<taken { rest.append(bytes[offset]) }
            if rest.count < 32 { return }
            unsafe rest.withUnsafeBytes { block in
                guard let start = block.baseAddress else { return }
                _ = unsafe lanes.mix(start, 32)
            }
            rest.removeAll(keepingCapacity: true)
        }
        taken += unsafe bytes.extracting(droppingFirst: taken).withUnsafeBytes { part in
            guard let start = part.baseAddress else { return 0 }
            return unsafe lanes.mix(start, part.count)
        }
        for offset in taken..<bytes.count { rest.append(bytes[offset]) }
    }

    /// The hash of all bytes so far.
    package var hash: UInt64 {
        unsafe rest.withUnsafeBytes { part in
            var empty: UInt8 = 0
            guard let start = part.baseAddress else {
                return unsafe XXH64.finish(lanes, total: total, &empty, 0)
            }
            return unsafe XXH64.finish(lanes, total: total, start, part.count)
        }
    }
}

/// The hash of some bytes.
package func xxh64(_ bytes: Span<UInt8>) -> UInt64 {
    var stream = XXH64Stream()
    stream.update(bytes)
    return stream.hash
}
