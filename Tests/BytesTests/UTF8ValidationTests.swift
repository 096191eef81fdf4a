import Bytes
import Testing

@Suite struct UTF8ValidationTests {
    @Test func `each scalar is one sequence, and each cut of it needs more`() {
        for value in stride(from: UInt32(0), through: 0x10FFFF, by: 1) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            // Every scalar near a border, and a share of the others.
            guard value < 0x1000 || value % 61 == 0 || value & 0xFFF > 0xFF0 else { continue }
            let bytes = Array(String(scalar).utf8)
            if bytes.span.utf8SequenceLength(at: 0) != bytes.count {
                Issue.record("U+\(String(value, radix: 16))")
            }
            for count in 1..<max(bytes.count, 1) {
                if Array(bytes[..<count]).span.utf8SequenceLength(at: 0) != -1 {
                    Issue.record("U+\(String(value, radix: 16)) cut at \(count)")
                }
            }
        }
    }

    @Test func `every pair of bytes is judged as the standard library judges it`() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second, 0x80, 0x80]
                for count in 1...4 {
                    let part = Array(bytes[..<count])
                    let isValid = String(validating: part, as: UTF8.self) != nil
                    if (part.span.firstInvalidUTF8() == nil) != isValid {
                        Issue.record("\(part)")
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<20)
    func `finds the first malformed byte wherever it stands`(place: Int) {
        for bad: [UInt8] in [[0xFF], [0xC3, 0x41], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            let bytes = [UInt8](repeating: 0x61, count: place) + bad
            #expect(bytes.span.firstInvalidUTF8() == place)
            let after = Array("é".utf8) + [UInt8](repeating: 0x61, count: place) + bad + [0x61]
            #expect(after.span.firstInvalidUTF8() == place + 2)
        }
    }
}
