// What is checked of a question besides its items: the channel and the mark.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine

extension AvailabilityRequest {
    /// Checks what concerns the whole request.
    ///
    /// - Parameters:
    ///   - text: What was read.
    ///   - instance: This life of the service, which marks begin with.
    mutating func check(
        _ text: Span<UInt8>, _ engine: Engine, instance: UInt64
    ) throws(RequestRefusal) {
        if !channel.isEmpty { try checkChannel(text, engine) }
        if !after.isEmpty,
            !names.withName(after, text, { Self.isReached($0, engine, instance: instance) })
        {
            throw RequestRefusal(
                409, "unknown_mark", "the mark is of another life of the service, or of none")
        }
    }

    private mutating func checkChannel(
        _ text: Span<UInt8>, _ engine: Engine
    ) throws(RequestRefusal) {
        try names.withName(channel, text) { name throws(RequestRefusal) in
            // A name that is known was checked when it came in.
            if name.count <= Identifier.byteCountMax,
                engine.master.channelNames.id(name, NameKey(name, engine.hasher)) != nil
            {
                return
            }
            do throws(IdentifierRefusal) { try Identifier.check(name) } catch {
                throw RequestRefusal(400, error.code, "channel: \(error.code)")
            }
            if !engine.options.createsUnknown {
                throw RequestRefusal(404, "unknown_channel", "the channel is not known")
            }
        }
    }

    /// Whether a mark of ours is reached. Memory is never behind an answer, so each mark that was
    /// ever answered is.
    private static func isReached(
        _ mark: Span<UInt8>, _ engine: Engine, instance: UInt64
    ) -> Bool {
        var own = ByteBuffer(capacity: 40)
        own.append(hexadecimal: instance)
        own.append(UInt8(ascii: "-"))
        guard mark.count > own.count, mark.extracting(first: own.count).equals(own.span),
            let count = mark.from(own.count).decimalInteger()
        else { return false }
        return count >= 0 && UInt64(count) <= engine.changeCount
    }
}
