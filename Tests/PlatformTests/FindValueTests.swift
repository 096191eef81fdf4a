import Platform
import Testing

@Suite struct FindValueTests {
    /// Where `wanted` is found among the values of `run`.
    private func found(_ wanted: UInt16, in run: ArraySlice<UInt16>) -> Int? {
        unsafe run.withUnsafeBufferPointer { run in
            unsafe place(of: wanted, in: run.baseAddress.unsafelyUnwrapped, run.count)
        }
    }

    @Test func `every value of a run is found at its place, and no other`() {
        // Odd numbers, so that every even number is absent; and runs at any alignment.
        let values = (0..<200).map { UInt16($0 * 2 + 1) }
        for count in 8...64 {
            for start in [0, 1, 7, 130] {
                let run = values[start..<start + count]
                for wanted in UInt16(0)...402 {
                    let expected = run.firstIndex(of: wanted).map { $0 - start }
                    if found(wanted, in: run) != expected {
                        Issue.record("\(wanted) is not found where it is in \(run)")
                        return
                    }
                }
            }
        }
    }

    @Test func `the largest values are told apart`() {
        for count in 8...64 {
            let run = (0..<count).map { UInt16(65_535 - count + $0) }[...]
            #expect(found(65_534, in: run) == count - 1)
            #expect(found(UInt16(65_535 - count), in: run) == 0)
            #expect(found(65_535, in: run) == nil)
            #expect(found(0, in: run) == nil)
        }
    }

    /// As a reader may see a run while its owner shifts rows.
    @Test func `a value that is there twice is found anywhere, or nowhere, without a trap`() {
        for count in 8...64 {
            for twice in 1..<count {
                var run = (0..<UInt16(count)).map { $0 * 2 }
                run[twice] = run[twice - 1]
                let place = found(run[twice], in: run[...])
                #expect(place.map { $0 >= 0 && $0 < count } ?? true)
            }
        }
    }
}
