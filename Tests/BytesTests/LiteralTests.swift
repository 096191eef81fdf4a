import Bytes
import Testing

@Suite struct LiteralTests {
    @Test func `literals follow one another, growing as needed`() {
        var buffer = ByteBuffer()
        for _ in 0..<100 {
            buffer.append(literal: "ab")
            buffer.append(literal: "")
            buffer.append(literal: "cé")
        }
        #expect(buffer.span.text == String(repeating: "abcé", count: 100))
    }
}
