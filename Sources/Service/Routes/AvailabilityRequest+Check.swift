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
    ///   - state: Of the service, which knows its marks.
    mutating func check(
        _ text: Span<UInt8>, _ engine: Engine, state: ServiceState
    ) throws(RequestRefusal) {
        if !channel.isEmpty { try checkChannel(text, engine) }
        if !after.isEmpty,
            !names.withName(after, text, { state.isReached($0, changes: engine.changeCount) })
        {
            throw RequestRefusal(
                409, "unknown_mark",
                "the mark is of another directory, or of changes that did not last")
        }
    }

    private mutating func checkChannel(
        _ text: Span<UInt8>, _ engine: Engine
    ) throws(RequestRefusal) {
        if names.withName(channel, text, { $0.equals(acceptedChannel.span) }) { return }
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
        acceptedChannel.removeAll()
        names.withName(channel, text) { acceptedChannel.append($0) }
    }
}
