// What the tests of this folder share: seeded randomness, names, threads.

import Bytes
import Columns
import Foundation
import Glibc
import Platform
import Synchronization

/// A repeatable stream of random words: SplitMix64 (Steele, Lea, Flood, 2014).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number below `bound`, quickly: the bias does not matter here.
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 40) }
    }
}

/// A seed that differs from run to run; `TEST_SEED=n` repeats a run that failed with `seed n`.
func testSeed() -> UInt64 {
    if let text = ProcessInfo.processInfo.environment["TEST_SEED"], let seed = UInt64(text) {
        return seed
    }
    var system = SystemRandomNumberGenerator()
    return system.next() >> 32
}

extension KeyedHash {
    convenience init(seed: UInt64) {
        var random = Seeded(seed)
        self.init(using: &random)
    }

    func callAsFunction(_ name: [UInt8]) -> UInt64 { NameKey(name.span, self).hash }
}

extension NameDictionaryView {
    func id(_ name: [UInt8], _ hasher: KeyedHash) -> UInt32? {
        id(name.span, NameKey(name.span, hasher))
    }

    func has(_ name: [UInt8], as id: UInt32) -> Bool { withName(id) { $0.equals(name.span) } }
}

extension NameDictionary {
    mutating func add(_ name: [UInt8], _ hasher: KeyedHash) throws(SystemError) -> UInt32 {
        try prepare()
        return add(name.span, NameKey(name.span, hasher))
    }
}

extension PositionStore {
    mutating func addSKU(_ name: [UInt8], _ hasher: KeyedHash) throws(SystemError) -> UInt32 {
        try prepareForSKU()
        return addSKU(name.span, NameKey(name.span, hasher))
    }

    /// Adds a position as a change of its own, room made first.
    mutating func place(
        _ sku: UInt32, at location: UInt16, expecting expected: Int = 1
    ) throws(SystemError) -> Int {
        try prepare(positions: expected, for: sku)
        beginChange(sku)
        let row = addPosition(sku, at: location, expecting: expected)
        endChange(sku)
        return row
    }
}

/// The name of a number: `prefix`, then eight hexadecimal digits. Different for different numbers.
func numberedName(_ prefix: StaticString, _ number: Int) -> [UInt8] {
    var name: [UInt8] = []
    name.reserveCapacity(prefix.utf8CodeUnitCount + 8)
    for offset in 0..<prefix.utf8CodeUnitCount { unsafe name.append(prefix.utf8Start[offset]) }
    for shift in stride(from: 28, through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: (number >> shift) & 15)
        name.append(digit < 10 ? 48 + digit : 87 + digit)
    }
    return name
}

/// Threads that run one closure each. POSIX threads: ThreadSanitizer knows their start and end.
final class Crew {
    private final class Job {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var threads: [pthread_t] = []

    /// Starts `count` threads; each gets its index.
    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for index in 0..<count {
            let job = unsafe Unmanaged.passRetained(Job { body(index) }).toOpaque()
            var thread = pthread_t()
            let code = unsafe pthread_create(
                &thread, nil,
                { context in
                    guard let context = unsafe context else { return nil }
                    unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body()
                    return nil
                }, job)
            precondition(code == 0)
            threads.append(thread)
        }
    }

    /// Waits until all have ended.
    func join() {
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}

/// What threads tell each other and the test: a flag, two counters, the first finding.
final class Board: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let progressed = Atomic<Int>(0)
    private let counted = Atomic<Int>(0)
    private let first = Mutex<String?>(nil)

    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Set by the owner, read by the others: what is published up to here.
    var progress: Int { progressed.load(ordering: .acquiring) }

    /// How often the others did what they came for.
    var count: Int { counted.load(ordering: .relaxed) }

    /// What went wrong first, if anything did.
    var finding: String? { first.withLock { $0 } }

    func stop() { stopped.store(true, ordering: .releasing) }
    func publish(_ progress: Int) { progressed.store(progress, ordering: .releasing) }
    func add(_ number: Int = 1) { counted.wrappingAdd(number, ordering: .relaxed) }

    func note(_ text: @autoclosure () -> String) {
        first.withLock { if $0 == nil { $0 = text() } }
        stop()
    }
}

/// Milliseconds on a clock that only goes forward: bounds on loops that wait for other threads.
func elapsedMilliseconds(since start: ContinuousClock.Instant) -> Int {
    let elapsed = ContinuousClock.now - start
    return Int(elapsed.components.seconds) * 1000
        + Int(elapsed.components.attoseconds / 1_000_000_000_000_000)
}
