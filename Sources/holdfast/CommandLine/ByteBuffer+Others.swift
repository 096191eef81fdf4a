// Appending from another buffer of the same owner: a span of one property cannot be held while
// another property is changed, a whole buffer can be borrowed.

import Bytes
import JSON

extension ByteBuffer {
    mutating func append(contentsOf other: borrowing ByteBuffer) { append(other.span) }

    mutating func append(_ range: ByteRange, of other: borrowing ByteBuffer) {
        append(other.span.part(range))
    }

    /// Appends the text of `other` as a JSON string.
    mutating func append(jsonStringOf other: borrowing ByteBuffer) {
        append(jsonString: other.span)
    }
}
