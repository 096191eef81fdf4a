import Bytes
import Domain
import Testing

@Suite struct IdentifierTests {
    private func refusal(_ bytes: [UInt8]) -> IdentifierRefusal? {
        do {
            try Identifier.check(bytes.span)
            return nil
        } catch { return error }
    }

    @Test(arguments: 1...64)
    func `a name has 1 to 64 bytes`(count: Int) throws {
        let name = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        #expect(try Identifier(name.span).bytes == name)
    }

    @Test func `no bytes are no name, and 65 are too many`() {
        #expect(refusal([]) == .empty)
        #expect(refusal([UInt8](repeating: UInt8(ascii: "a"), count: 65)) == .tooLong)
    }

    @Test func `64 bytes are counted, not characters`() {
        #expect(refusal(Array(String(repeating: "é", count: 32).utf8)) == nil)
        #expect(refusal(Array((String(repeating: "é", count: 32) + "x").utf8)) == .tooLong)
    }

    @Test func `another limit may be given`() {
        let name = [UInt8](repeating: UInt8(ascii: "a"), count: 128)
        #expect(throws: Never.self) {
            try Identifier.check(name.span, byteCountMax: 128)
        }
        #expect(throws: IdentifierRefusal.tooLong) {
            try Identifier.check(name.span, byteCountMax: 127)
        }
    }

    @Test func `every control character is refused, alone and behind other text, and no other`() {
        for value in UInt32(0)...0x3100 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isControl = scalar.properties.generalCategory == .control
            for prefix in ["", "a", "é"] {
                let found = refusal(Array((prefix + String(Character(scalar))).utf8))
                if found != (isControl ? .controlCharacter : nil) {
                    Issue.record(
                        "U+\(String(value, radix: 16)) behind '\(prefix)': \(found as Any)")
                }
            }
        }
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80],
            [0xFE], [0xFF], [0x61, 0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func `malformed UTF-8 is refused`(bytes: [UInt8]) {
        #expect(refusal(bytes) == .notUTF8)
    }

    @Test(arguments: [0x80, 0xA0, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x1_0000, 0x10_FFFF])
    func `the first and last scalars of each length are read`(value: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(value))
        let expected: IdentifierRefusal? = value == 0x80 ? .controlCharacter : nil
        #expect(refusal(Array(String(Character(scalar)).utf8)) == expected)
    }

    @Test func `random bytes are judged as the standard library judges them`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let leads: [UInt8] = [0x41, 0x80, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0x9F, 0xA0]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? leads.randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0 ... .max, using: &random)
            }
            let text = String(validating: bytes, as: UTF8.self)
            let hasControl = text?.unicodeScalars.contains {
                $0.properties.generalCategory == .control
            }
            let expected: IdentifierRefusal? =
                text == nil ? .notUTF8 : hasControl == true ? .controlCharacter : nil
            if refusal(bytes) != expected {
                Issue.record("seed \(seed): \(bytes) is \(refusal(bytes) as Any)")
                return
            }
        }
    }

    @Test func `refusals come in the documented order`() {
        let invalid = [UInt8](repeating: 0xFF, count: 65)
        #expect(refusal(invalid) == .tooLong)
        #expect(refusal([0x00, 0xFF]) == .notUTF8)
        #expect(refusal([0xC2, 0x85, 0xFF]) == .notUTF8)
    }

    @Test(arguments: [
        (IdentifierRefusal.empty, "identifier_empty"), (.tooLong, "identifier_too_long"),
        (.notUTF8, "identifier_not_utf8"), (.controlCharacter, "identifier_control_character"),
    ])
    func `each refusal has its code`(refusal: IdentifierRefusal, code: String) {
        #expect("\(refusal.code)" == code)
    }

    @Test func `names differ by bytes, and sort by them`() throws {
        #expect(try Identifier("a") != Identifier("A"))
        #expect(try Identifier("é") != Identifier("e\u{301}"))
        #expect(try Identifier("Z") < Identifier("a"))
        #expect(try Identifier("a") < Identifier("a0"))
        #expect(try Identifier("z") < Identifier("é"))
        #expect(try Identifier("é").description == "é")
    }
}
