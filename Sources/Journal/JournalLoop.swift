// The journal thread: steps the core while there is work, sleeps while there is none.

internal import Platform
internal import Synchronization

/// What the thread needs.
struct JournalLoop: Sendable {
    let core: CoreHandover
    let doorbell: Doorbell
    let requests: Requests
    let configuration: JournalConfiguration

    /// How long a full journal waits before it looks for space again.
    static let spaceCheckMilliseconds: Int32 = 100

    /// Runs until a close was asked for.
    func run() {
        guard var core = core.take() else { return }
        do {
            var poller = try Poller()
            try poller.add(
                doorbell.waker.descriptor, token: 0, interest: Interest.reading.with(.edge))
            loop(&core, &poller)
        } catch {
            core.fail(error)
        }
        core.close()
        requests.failure.withLock { $0 = core.failure }
    }

    private func loop(_ core: inout JournalCore<FileStorage>, _ poller: inout Poller) {
        var lastSync = Clock.monotonicNanoseconds
        // Acquire: pairs with the release in `Journal.close`.
        while !requests.isClosing.load(ordering: .acquiring) {
            trim(&core)
            if requests.wantsSync.exchange(false, ordering: .acquiring) {
                _ = core.step()
                core.syncWritten()
            }
            if core.step() {
                syncIfDue(&core, &lastSync)
                continue
            }
            doorbell.prepareToSleep()
            // Looked at after the announcement: see `Doorbell`.
            if core.step() {
                doorbell.awake()
                continue
            }
            if let failure = core.failure { requests.failure.withLock { $0 = failure } }
            let isQuiet = poller.wait(timeoutMilliseconds: Self.patience(core)) == 0
            doorbell.awake()
            syncIfDue(&core, &lastSync)
            if isQuiet { _ = core.markIdle() }
        }
    }

    private func trim(_ core: inout JournalCore<FileStorage>) {
        let trims = requests.trims.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
        // An error has fenced the journal, which says so itself.
        for sequences in trims { _ = try? core.trim(through: sequences) }
    }

    private func syncIfDue(_ core: inout JournalCore<FileStorage>, _ lastSync: inout UInt64) {
        guard case .interval(let milliseconds) = configuration.durability else { return }
        let now = Clock.monotonicNanoseconds
        guard now - lastSync >= UInt64(milliseconds) * 1_000_000 else { return }
        core.syncWritten()
        lastSync = now
    }

    /// How long to sleep at most, in milliseconds; −1: until the bell rings.
    static func patience(_ core: borrowing JournalCore<some Storage>) -> Int32 {
        guard core.isTakingFrames else { return -1 }
        var patience = Int32.max
        if core.hasUnsynced, case .interval(let milliseconds) = core.configuration.durability {
            patience = Int32(milliseconds)
        }
        if core.needsIdleMark {
            patience = min(patience, Int32(core.configuration.idleMilliseconds))
        }
        if core.state == .full { patience = min(patience, spaceCheckMilliseconds) }
        return patience == .max ? -1 : patience
    }
}
