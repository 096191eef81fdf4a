import Bytes
import Testing

@Suite struct ByteBufferRoomTests {
    private func buffer(_ text: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.append(text)
        return buffer
    }

    @Test func `room is filled behind what is held`() {
        var buffer = buffer("ab")
        unsafe buffer.fillRoom(3) { room in
            unsafe room[0] = UInt8(ascii: "c")
            return 1
        }
        #expect(buffer.span.text == "abc")
    }

    @Test(arguments: [
        (2, 3, 0, "cdedef"), (0, 3, 1, "aabcef"), (0, 6, 0, "abcdef"), (4, 0, 1, "abcdef"),
    ])
    func `bytes move also where they overlap`(
        offset: Int, count: Int, target: Int, expected: String
    ) {
        var buffer = buffer("abcdef")
        buffer.moveBytes(ByteRange(offset: offset, count: count), to: target)
        #expect(buffer.span.text == expected)
    }

    @Test(arguments: [(0, 2, "cdef"), (2, 2, "abef"), (4, 2, "abcd"), (3, 0, "abcdef")])
    func `removing a range closes the gap`(offset: Int, count: Int, expected: String) {
        var buffer = buffer("abcdef")
        buffer.remove(ByteRange(offset: offset, count: count))
        #expect(buffer.span.text == expected)
    }
}
