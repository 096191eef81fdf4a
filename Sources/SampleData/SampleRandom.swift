// The only source of chance in the sample data: integers from a seed, the same on every machine.

/// A stream of pseudo-random numbers: SplitMix64 (Steele, Lea, Flood: "Fast splittable
/// pseudorandom number generators", 2014).
struct SampleRandom {
    /// What a stream is drawn for. Each purpose has a stream of its own, so that more of one thing
    /// changes nothing about another.
    enum Purpose: UInt64 {
        case popularity = 1
        case locations, stock, times, subjects, arrivals
    }

    private var state: UInt64

    /// - Parameter index: Which of the streams for that purpose, where each item has its own.
    init(seed: UInt64, _ purpose: Purpose, index: Int = 0) {
        let stream = purpose.rawValue << 48 | UInt64(index)
        state = Self.mixed(Self.mixed(seed) ^ stream)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func next() -> UInt64 {
        let value = Self.mixed(state)
        state &+= 0x9E37_79B9_7F4A_7C15
        return value
    }

    /// A number of `0 ..< bound`, all as likely but for a bias of `bound` / 2⁶⁴.
    mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0)
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// True once in `count` times.
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    mutating func shuffle(_ elements: inout [Int32]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, below(last + 1))
        }
    }
}

/// Draws indices by weight.
struct WeightedChoice: Sendable {
    /// For each index, the sum of the weights up to and with it.
    private var sums: [Int] = []

    var total: Int { sums.last ?? 0 }
    var isEmpty: Bool { sums.isEmpty }

    init(_ weights: some Sequence<Int>) {
        var sum = 0
        for weight in weights {
            precondition(weight >= 0)
            sum += weight
            sums.append(sum)
        }
    }

    /// - Complexity: O(log of how many there are).
    func draw(_ random: inout SampleRandom) -> Int {
        let target = random.below(total)
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > target { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
