// Numbered places for values that live and die often, without an allocation for each.

/// A fixed number of slots that are taken and given back.
///
/// A slot's value is made when the slot is first taken and stays until the slab ends: whoever takes
/// a slot again finds the value as it was left, with its memory. Slots given back last are taken
/// first, so few of them are touched. Memory of slots never taken is reserved but not used.
///
/// - Invariant: The first `touchedCount` elements at `base` are initialised.
@safe
struct Slab<Element: ~Copyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    private var free: [Int32] = []

    let capacity: Int

    /// Slots below this number have been taken at some time.
    private(set) var touchedCount = 0

    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= Int32.max)
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity)
    }

    deinit {
        unsafe base.deinitialize(count: touchedCount)
        unsafe base.deallocate()
    }

    /// A slot nobody has; nil when all are taken.
    mutating func take(_ make: () -> Element) -> Int? {
        if let slot = free.popLast() { return Int(slot) }
        guard touchedCount < capacity else { return nil }
        unsafe (base + touchedCount).initialize(to: make())
        touchedCount += 1
        return touchedCount - 1
    }

    /// - Precondition: `slot` is taken; it is not given back twice.
    mutating func giveBack(_ slot: Int) {
        free.append(Int32(slot))
    }

    subscript(slot: Int) -> Element {
        unsafeAddress {
            precondition(slot >= 0 && slot < touchedCount)
            return unsafe UnsafePointer(base + slot)
        }
        unsafeMutableAddress {
            precondition(slot >= 0 && slot < touchedCount)
            return unsafe base + slot
        }
    }
}
