// What a round reads besides the store: made before, in huge pages like the store itself.

import Platform

/// A fixed number of plain values in huge-page memory.
///
/// - Invariant: `base` points at `count` written values.
@safe
final class SampleArray<Element: BitwiseCopyable> {
    private let memory: PageMemory
    private let base: UnsafeMutablePointer<Element>
    let count: Int

    /// Values by index.
    init(count: Int, _ value: (Int) -> Element) throws(SystemError) {
        let byteCount = max(1, count) * MemoryLayout<Element>.stride
        var memory = try PageMemory(reserving: byteCount)
        try memory.commit(byteCount)
        unsafe base = memory.base.bindMemory(to: Element.self, capacity: count)
        for index in 0..<count { unsafe (base + index).initialize(to: value(index)) }
        self.memory = memory
        self.count = count
    }

    @inline(__always)
    func withSpan<Result>(_ body: (Span<Element>) -> Result) -> Result {
        unsafe body(Span(_unsafeStart: base, count: count))
    }
}
