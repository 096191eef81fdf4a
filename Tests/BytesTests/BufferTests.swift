import Bytes
import Testing

@Suite struct BufferTests {
    @Test func `what is written through a span is held`() {
        var buffer = Buffer<UInt32>()
        buffer.append(7)
        buffer.append(repeating: 0, count: 3)
        var span = buffer.mutableSpan
        for index in span.indices where index > 0 { span[index] = UInt32(index) * 10 }
        buffer.append(40)
        let values = buffer.indices.map { buffer[$0] }
        #expect(values == [7, 10, 20, 30, 40])
    }
}
