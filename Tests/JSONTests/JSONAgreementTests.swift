import Bytes
import Foundation
import JSON
import Testing

/// Random documents, whole and damaged, against plain data and against Foundation.
@Suite struct JSONAgreementTests {
    @Test func `a random document reads as the data it was written from`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let value = Value.random(depth: 5, using: &random)
            let text = value.written(using: &random)
            var reader = JSONReader()
            let read = try reader.value(text.span)
            try reader.end(text.span)
            #expect(read == value, "seed \(seed)")
            #expect(refusal(of: text) == nil, "seed \(seed)")
        }
    }

    @Test func `walking and skipping agree on damaged documents`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let text = damaged(
                Value.random(depth: 4, using: &random).written(using: &random), &random)
            var walked: JSONError?
            do throws(JSONError) {
                var reader = JSONReader()
                _ = try reader.value(text.span)
                try reader.end(text.span)
            } catch {
                walked = error
            }
            // Walking takes integers alone and sees them before what follows.
            let numbers: [JSONErrorCode] = [
                .notAnInteger, .hasExponent, .negativeZero, .numberOutOfRange,
            ]
            if let code = walked?.code, numbers.contains(code) { continue }
            #expect(walked == refusal(of: text), "seed \(seed): \(text.span.text)")
        }
    }

    @Test func `Foundation accepts and refuses the same damaged documents`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        var accepted = 0
        for _ in 0..<5000 {
            let text = damaged(
                Value.random(depth: 4, using: &random).written(using: &random), &random)
            // Foundation guesses other encodings from zero bytes and from a byte order mark, takes
            // a comma before a closing bracket, and refuses numbers that no Double holds.
            if text.contains(0) || text.starts(with: [0xEF, 0xBB, 0xBF]) { continue }
            if text.starts(with: [0xFE, 0xFF]) || text.starts(with: [0xFF, 0xFE]) { continue }
            let theirs =
                (try? JSONSerialization.jsonObject(
                    with: Data(text), options: [.fragmentsAllowed])) != nil
            let error = refusal(of: text)
            if theirs, let offset = error?.offset, text[offset...].first.map(isClosing) == true,
                text[..<offset].last(where: { $0 > 0x20 }) == UInt8(ascii: ",")
            {
                continue
            }
            let ours = error == nil
            if ours { accepted += 1 }
            #expect(ours == theirs, "seed \(seed): \(text) \(text.span.text)")
        }
        // Most of them are undamaged or damaged harmlessly, so the test says something.
        #expect(accepted > 500)
    }

    private func isClosing(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
    }

    /// `text` with up to two bytes changed, dropped, doubled or put in.
    private func damaged(_ text: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var text = text
        let telling = Array("\"\\{}[]:,0-1.+ \ntfnu/\u{1}".utf8) + [0x80, 0xC3, 0xED, 0xF4, 0xFF]
        for _ in 0..<Int.random(in: 0...2, using: &random) where !text.isEmpty {
            let offset = Int.random(in: 0..<text.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text[offset] = telling.randomElement(using: &random)!
            case 1: text.remove(at: offset)
            case 2: text.insert(text[offset], at: offset)
            default: text.insert(telling.randomElement(using: &random)!, at: offset)
            }
        }
        return text
    }
}
