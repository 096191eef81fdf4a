// XXH64 with seed 0, after the xxHash specification (Y. Collet, XXH64 algorithm description,
// version 0.2.0): the checksum of frames.
//
// Keyless on purpose: it guards against devices, not against people, and other programs must be able
// to check a journal. Instead of a pair of CRC32C: one pass over four lanes of 64-bit multiplications
// is as fast as the memory it reads, needs no special instruction, and every one of its 64 bits
// depends on every bit of the frame.

enum XXH64 {
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
        var offset = 0
        var hash: UInt64
        if count >= 32 {
            var lane1 = prime1 &+ prime2
            var lane2 = prime2
            var lane3: UInt64 = 0
            var lane4 = 0 &- prime1
            while offset &+ 32 <= count {
                lane1 = unsafe round(lane1, word(start, offset))
                lane2 = unsafe round(lane2, word(start, offset &+ 8))
                lane3 = unsafe round(lane3, word(start, offset &+ 16))
                lane4 = unsafe round(lane4, word(start, offset &+ 24))
                offset &+= 32
            }
            hash = rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
            hash = merge(merge(merge(merge(hash, lane1), lane2), lane3), lane4)
        } else {
            hash = prime5
        }
        hash &+= UInt64(count)
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

/// The XXH64 of some bytes, with seed 0.
package func xxh64(_ bytes: Span<UInt8>) -> UInt64 {
    unsafe bytes.withUnsafeBytes { source in
        guard let start = source.baseAddress else {
            return unsafe XXH64.hash(UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped, 0)
        }
        return unsafe XXH64.hash(start, source.count)
    }
}
