// What a journal needs of memory: allocated once, before the first frame.

package import Platform

/// The outboxes, the shared words and the room to gather in. May serve one journal after another.
package final class JournalMemory {
    let shared = SharedState()
    let outboxes: [Outbox]
    let staging: Region

    /// - Parameter doorbells: For each shard, then for the control stream, the bell of the thread
    ///   that owns it; fewer or nil: nobody is woken.
    package init(
        _ configuration: JournalConfiguration, doorbells: [Doorbell?] = []
    ) throws(SystemError) {
        configuration.check()
        var outboxes: [Outbox] = []
        for index in 0...configuration.shardCount {
            outboxes.append(
                try Outbox(
                    byteCount: configuration.outboxByteCount,
                    doorbell: index < doorbells.count ? doorbells[index] : nil))
        }
        self.outboxes = outboxes
        staging = try Region(byteCount: configuration.stagingByteCount)
    }
}
