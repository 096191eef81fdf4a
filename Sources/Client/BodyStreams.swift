// Bodies that are not kept in memory.

package import Bytes

/// Gets a body as it comes. What it throws ends the call.
package typealias BodySink = (Span<UInt8>) throws(ClientError) -> Void

/// Appends the next bytes of a body; none at its end. What it throws ends the call.
package typealias BodySource = (inout ByteBuffer) throws(ClientError) -> Void
