// Refusing an object that says the same thing twice.

import Bytes

/// The known keys an object has shown so far, by the caller's own numbers.
@usableFromInline
package struct JSONSeenFields: Sendable {
    @usableFromInline var mask: UInt64 = 0

    @inlinable package init() {}

    /// Notes field `number` (0 ... 63), whose key was just read.
    ///
    /// - Parameter offset: Where the reader stands, for the error.
    /// - Throws: `duplicate_key`.
    @inlinable
    package mutating func note(_ number: Int, at offset: Int) throws(JSONError) {
        precondition(number >= 0 && number < 64)
        let bit = 1 &<< UInt64(number)
        guard mask & bit == 0 else { throw JSONError(.duplicateKey, at: offset) }
        mask |= bit
    }

    /// Whether field `number` was noted.
    @inlinable
    package func contains(_ number: Int) -> Bool {
        precondition(number >= 0 && number < 64)
        return mask &>> UInt64(number) & 1 == 1
    }
}

/// The keys an object has shown so far, where any key may come: at most 64, compared decoded, so
/// that `"a"` and `"\u0061"` are the same key. Takes no memory but its own 1.5 KiB.
package struct JSONSeenKeys: ~Copyable {
    /// How many distinct keys an object may have.
    package static let countMax = 64

    private var hashes = [64 of UInt32](repeating: 0)
    private var keys = [64 of JSONString](
        repeating: JSONString(range: .none, hasEscapes: false))
    package private(set) var count = 0

    package init() {}

    /// Adds `key`, which lies in `bytes` like all the others.
    ///
    /// - Throws: `duplicate_key`, `too_many_keys`.
    /// - Complexity: O(key + count).
    package mutating func insert(
        _ key: JSONString, in bytes: Span<UInt8>
    ) throws(JSONError) {
        let hash = Self.hash(key, in: bytes)
        for index in 0..<count where hashes[index] == hash {
            if keys[index].equals(key, in: bytes) {
                throw JSONError(.duplicateKey, at: key.range.offset)
            }
        }
        guard count < Self.countMax else { throw JSONError(.tooManyKeys, at: key.range.offset) }
        hashes[count] = hash
        keys[count] = key
        count += 1
    }

    /// FNV-1a over the decoded bytes. Collisions only cost one of at most 64 comparisons each.
    private static func hash(_ key: JSONString, in bytes: Span<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        var decoded = DecodedBytes(key)
        while let byte = decoded.next(bytes) { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return hash
    }
}
