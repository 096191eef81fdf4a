import Bytes
import Testing

@Suite struct ByteLanesTests {
    @Test func `a term finds the first lane that holds a byte, next to any other`() {
        for wanted: UInt8 in [0x00, 0x0A, 0x22, 0x2C, 0x5C, 0x7F] {
            for other in UInt8.min...UInt8.max where other != wanted {
                for lane in 0..<8 {
                    var word = lanes(other)
                    word ^= UInt64(wanted ^ other) << UInt64(lane * 8)
                    let mask = laneTerm(word, equalTo: wanted) & ~word & laneHighBits
                    #expect(mask != 0 && firstLane(mask) == lane, "\(wanted) \(other) \(lane)")
                }
                let word = lanes(other)
                #expect(laneTerm(word, equalTo: wanted) & ~word & laneHighBits == 0)
            }
        }
    }

    @Test func `a term finds the bytes below a bound`() {
        for byte in UInt8.min...0x7F {
            for lane in 0..<8 {
                let word = lanes(0x61) ^ UInt64(byte ^ 0x61) << UInt64(lane * 8)
                let mask = laneTerm(word, below: 0x20) & ~word & laneHighBits
                #expect((mask != 0) == (byte < 0x20))
                if mask != 0 { #expect(firstLane(mask) == lane) }
            }
        }
    }

    @Test(arguments: 0..<20)
    func `finds the first of a byte, or the end`(count: Int) {
        for place in 0...count {
            var bytes = [UInt8](repeating: 0x2D, count: count)
            if place < count { bytes[place] = 0x2C }
            for from in 0...count {
                let expected = from <= place ? place : count
                #expect(bytes.span.firstOffset(of: 0x2C, from: from) == expected)
            }
        }
    }

    @Test func `a zero behind the end is not found`() {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(bytes.span.firstOffset(of: 0, from: 0) == 3)
    }

    @Test func `appends the low bytes of a word`() {
        for byteCount in 0...8 {
            var buffer = ByteBuffer()
            buffer.append(UInt8(ascii: "<"))
            buffer.append(word: 0x3837_3635_3433_3231, byteCount: byteCount)
            buffer.append(UInt8(ascii: ">"))
            #expect(buffer.span.text == "<" + "12345678".prefix(byteCount) + ">")
        }
    }

    @Test func `tells whether a text stands somewhere`() {
        let texts: [StaticString] = [
            "", "a", "ab", "abc", "abcd", "abcde", "abcdefg", "abcdefgh", "abcdefghi",
            "abcdefghijklmnop", "abcdefghijklmnopq",
        ]
        for text in texts {
            let length = text.utf8CodeUnitCount
            let bytes = Array("xx\(text)".utf8)
            #expect(bytes.span.holds(text, at: 2) == true)
            #expect(bytes.span.holds(text, at: 3) == false)
            #expect(bytes.span.holds(text, at: 1_000_000) == false)
            for offset in 0..<length {
                var changed = bytes
                changed[2 + offset] ^= 1
                #expect(changed.span.holds(text, at: 2) == false, "\(text) at \(offset)")
            }
        }
    }
}
