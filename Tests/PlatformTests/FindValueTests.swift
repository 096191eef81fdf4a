import Platform
import Testing

@Suite struct FindValueTests {
    @Test func `every value of a run is found at its place, and no other`() {
        // Odd numbers at odd offsets: every even number is absent, and no run is aligned.
        let values = (0..<200).map { UInt16($0 * 2 + 1) }
        for count in 8...70 {
            for start in [0, 1, 7, 130] {
                let run = Array(values[start..<start + count])
                for wanted in UInt16(0)...402 {
                    let found = run.withUnsafeBufferPointer { run in
                        unsafe place(of: wanted, in: run.baseAddress.unsafelyUnwrapped, count)
                    }
                    if found != run.firstIndex(of: wanted) {
                        Issue.record(
                            "\(wanted) in \(run) was found at \(String(describing: found))")
                        return
                    }
                }
            }
        }
    }

    @Test func `the largest values and the longest run are told apart`() {
        let run = (0..<65_534).map { UInt16($0 + 1) }
        run.withUnsafeBufferPointer { run in
            let start = unsafe run.baseAddress.unsafelyUnwrapped
            #expect(unsafe place(of: 1, in: start, run.count) == 0)
            #expect(unsafe place(of: 65_534, in: start, run.count) == 65_533)
            #expect(unsafe place(of: 65_535, in: start, run.count) == nil)
            #expect(unsafe place(of: 0, in: start, run.count) == nil)
        }
    }
}
