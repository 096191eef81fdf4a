// What the JSON tests share: a seeded source of random documents, and a naive reading of them.

import Bytes
import JSON

/// A repeatable source of random numbers (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// A JSON value as plain data; numbers are integers.
indirect enum Value: Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([Value])
    case object([Member])

    struct Member: Equatable {
        let key: String
        let value: Value
    }

    static func random(depth: Int, using random: inout SeededRandom) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
        case 0: return .null
        case 1: return .boolean(Bool.random(using: &random))
        case 2:
            let bits = Int.random(in: 0...63, using: &random)
            return .integer(Int64(truncatingIfNeeded: random.next()) >> Int64(bits))
        case 3: return .string(randomString(using: &random))
        case 4, 5:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    .random(depth: depth - 1, using: &random)
                })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map { index in
                    Member(
                        key: randomString(using: &random) + "\(index)",
                        value: .random(depth: depth - 1, using: &random))
                })
        }
    }

    static func randomString(using random: inout SeededRandom) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "\u{7F}", "\u{80}", "é",
            "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}", "😀", "\u{10FFFF}", "{", "]", ",", ":",
        ]
        var string = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let isPlain = Int.random(in: 0..<3, using: &random) > 0
            string.append(isPlain ? "x" : alphabet.randomElement(using: &random)!)
        }
        return String(string)
    }

    /// The value as JSON, with random white space and each character written in a random way.
    func written(using random: inout SeededRandom) -> [UInt8] {
        var text: [UInt8] = []
        write(to: &text, &random)
        return text
    }

    private func write(to text: inout [UInt8], _ random: inout SeededRandom) {
        space(&text, &random)
        switch self {
        case .null: text += Array("null".utf8)
        case .boolean(let value): text += Array("\(value)".utf8)
        case .integer(let value): text += Array("\(value)".utf8)
        case .string(let value): Self.write(value, to: &text, &random)
        case .array(let elements):
            text.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                element.write(to: &text, &random)
            }
            space(&text, &random)
            text.append(UInt8(ascii: "]"))
        case .object(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                space(&text, &random)
                Self.write(member.key, to: &text, &random)
                space(&text, &random)
                text.append(UInt8(ascii: ":"))
                member.value.write(to: &text, &random)
            }
            space(&text, &random)
            text.append(UInt8(ascii: "}"))
        }
        space(&text, &random)
    }

    private func space(_ text: inout [UInt8], _ random: inout SeededRandom) {
        while Int.random(in: 0..<4, using: &random) == 0 {
            text.append([0x20, 0x09, 0x0A, 0x0D].randomElement(using: &random)!)
        }
    }

    private static func write(
        _ string: String, to text: inout [UInt8], _ random: inout SeededRandom
    ) {
        text.append(UInt8(ascii: "\""))
        for scalar in string.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if !mustEscape, Int.random(in: 0..<5, using: &random) > 0 {
                text += Array(String(scalar).utf8)
            } else if scalar == "\n", Bool.random(using: &random) {
                text += Array("\\n".utf8)
            } else if scalar == "/" || scalar == "\"" || scalar == "\\" {
                text += Array("\\\(scalar)".utf8)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                    text += Array(
                        "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
                }
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

extension JSONReader {
    /// The value that comes next, as plain data.
    mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> Value {
        switch try peek(bytes) {
        case .null:
            try null(bytes)
            return .null
        case .true, .false: return .boolean(try boolean(bytes))
        case .number: return .integer(try integer(bytes))
        case .string: return .string(decoded(try string(bytes), bytes))
        case .array:
            var elements: [Value] = []
            try beginArray(bytes)
            while try nextElement(bytes) { elements.append(try value(bytes)) }
            return .array(elements)
        case .object:
            var members: [Value.Member] = []
            try beginObject(bytes)
            while let key = try nextKey(bytes) {
                members.append(.init(key: decoded(key, bytes), value: try value(bytes)))
            }
            return .object(members)
        }
    }
}

func decoded(_ string: JSONString, _ bytes: Span<UInt8>) -> String {
    var buffer = ByteBuffer()
    buffer.append(unescaped: string, from: bytes)
    return buffer.span.text
}

/// Why `text` is no document; nil when it is one.
func refusal(of text: [UInt8], depthMax: Int = 16) -> JSONError? {
    do throws(JSONError) {
        var reader = JSONReader(depthMax: depthMax)
        try reader.skipValue(text.span)
        try reader.end(text.span)
        return nil
    } catch {
        return error
    }
}

func refusal(of text: String, depthMax: Int = 16) -> JSONError? {
    refusal(of: Array(text.utf8), depthMax: depthMax)
}
