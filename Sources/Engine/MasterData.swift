// The one place where shared data changes: locations, groups, channels, categories, rules.
//
// Names are looked up by any thread without a lock. Everything else changes under a mutex; a change
// raises the generation, and whoever next asks for the policy compiles it once for all.

package import Bytes
package import Columns
package import Domain
package import Journal
package import Platform
internal import Synchronization

/// Why a change of shared data is refused; nothing has changed then.
package enum MasterDataRefusal: Error, Sendable {
    /// Somebody changed it since: the version named is not the current one.
    case versionMismatch(current: UInt64)
    case groupCycle(Identifier)
    case tooMany(StaticString)
    case outOfMemory
    /// Its facts do not fit a frame of the journal.
    case tooLarge
    /// The journal takes no more just now.
    case busy
    case journalFull
    /// The journal has failed.
    case readOnly

    package var code: StaticString {
        switch self {
        case .versionMismatch: "version_mismatch"
        case .groupCycle: "group_cycle"
        case .tooMany: "too_many_names"
        case .outOfMemory: "out_of_memory"
        case .tooLarge: "document_too_large"
        case .busy: "busy"
        case .journalFull: "journal_full"
        case .readOnly: "read_only"
        }
    }

    /// In words, for answers.
    package var detail: String {
        switch self {
        case .versionMismatch(let current):
            "it was changed since: the version is now v\(current)"
        case .groupCycle(let name): "the group \(name) would contain itself"
        case .tooMany(let what): "no room for another \(what)"
        case .outOfMemory: "no memory for the change"
        case .tooLarge: "the document is too large for the journal; send it in parts"
        case .busy: "the journal takes no more just now; send it again"
        case .journalFull: Outcome.journalFull.detail.description
        case .readOnly: Outcome.readOnly.detail.description
        }
    }
}

/// Names that all shards share, and what belongs to them.
package final class MasterData: Sendable {
    package static let locationCountMax = Int(UInt16.max)
    package static let categoryCountMax = Int(UInt16.max) - 1
    package static let channelCountMax = 4096
    package static let groupCountMax = 65_536

    package let locationNames: NameDictionaryView
    package let channelNames: NameDictionaryView
    package let groupNames: NameDictionaryView
    package let categoryNames: NameDictionaryView
    package let sourceNames: NameDictionaryView

    private let hasher: KeyedHash
    private let defects: EngineDefects
    let state: Mutex<MasterState>
    /// No further source gets an id.
    private let hasAllSources = Atomic(false)
    private let published = Atomic<UInt64>(0)
    /// Service time, for frames of the journal.
    private let time = Atomic<Int64>(0)

    package init(
        hasher: KeyedHash, quietPoints: QuietPoints, defects: EngineDefects = EngineDefects()
    ) throws(SystemError) {
        let locations = try NameDictionary(
            nameCountMax: Self.locationCountMax, quietPoints: quietPoints)
        let channels = try NameDictionary(
            nameCountMax: Self.channelCountMax, quietPoints: quietPoints)
        let groups = try NameDictionary(nameCountMax: Self.groupCountMax, quietPoints: quietPoints)
        let categories = try NameDictionary(
            nameCountMax: Self.categoryCountMax, quietPoints: quietPoints)
        let sources = try NameDictionary(
            nameCountMax: EventSource.countMax, quietPoints: quietPoints)
        locationNames = locations.view
        channelNames = channels.view
        groupNames = groups.view
        categoryNames = categories.view
        sourceNames = sources.view
        self.hasher = hasher
        self.defects = defects
        state = Mutex(
            MasterState(
                hasher: hasher, locationNames: locations, channelNames: channels,
                groupNames: groups, categoryNames: categories, sourceNames: sources))
    }

    /// Counts the changes: a policy of another generation is out of date.
    ///
    /// Acquire: pairs with the release in `change`.
    package var generation: UInt64 { published.load(ordering: .acquiring) }

    /// The policy as it is now, compiled if need be.
    package func policy(now: Milliseconds) -> Policy {
        state.withLock { $0.policy(now: now) }
    }

    /// Raises the generation when a rule came into force or ended by `now`; once, however many
    /// callers still have the policy from before `boundary`.
    package func advance(to now: Milliseconds, past boundary: Milliseconds) {
        // Relaxed: any turn's time will do.
        time.store(now, ordering: .relaxed)
        if now < boundary || defects.has(.boundaryMissed) { return }
        state.withLock { state in
            if now < state.boundary { return }
            state.invalidate()
            published.store(state.generation, ordering: .releasing)
        }
    }

    /// - Parameter factByteCount: Bytes that the facts of the change take at the most.
    private func change<Result>(
        factByteCount: Int,
        _ body: (inout MasterState) throws(MasterDataRefusal) -> Result
    ) throws(MasterDataRefusal) -> Result {
        try state.withLock { (state) throws(MasterDataRefusal) -> Result in
            try state.reserve(factByteCount)
            // Also what was changed before a refusal.
            defer { state.appendFacts(time: time.load(ordering: .relaxed)) }
            let result = try body(&state)
            // Release: who sees the number sees, under the lock, what it stands for.
            published.store(state.generation, ordering: .releasing)
            return result
        }
    }

    /// The same for a document.
    private func change<Result>(
        _ fact: MasterFact, expecting expected: UInt64?,
        _ body: (inout MasterState) throws(MasterDataRefusal) -> Result
    ) throws(MasterDataRefusal) -> Result {
        // Every name in it may be a new one, and then has a fact of its own; rules bring none.
        var factByteCount = fact.byteCount
        if case .rules = fact {} else { factByteCount *= 2 }
        return try change(factByteCount: factByteCount) { (state) throws(MasterDataRefusal) in
            let current = state.version(of: fact)
            if let expected, expected != current { throw .versionMismatch(current: current) }
            return try body(&state)
        }
    }

    // MARK: - Names

    /// The id of a location; it comes into being if it is not known.
    ///
    /// - Precondition: `name` is a checked identifier.
    package func addLocation(_ name: Span<UInt8>) throws(MasterDataRefusal) -> UInt16 {
        try add(name, to: locationNames) { (state, name) throws(MasterDataRefusal) in
            try state.locationID(name)
        }
    }

    /// The id of a channel; it comes into being if it is not known.
    package func addChannel(_ name: Span<UInt8>) throws(MasterDataRefusal) -> UInt16 {
        try add(name, to: channelNames) { (state, name) throws(MasterDataRefusal) in
            try state.channelID(name)
        }
    }

    /// The id of a category; it comes into being if it is not known.
    package func addCategory(_ name: Span<UInt8>) throws(MasterDataRefusal) -> UInt16 {
        try add(name, to: categoryNames) { (state, name) throws(MasterDataRefusal) in
            try state.categoryID(name)
        }
    }

    /// How facts name the source of an event; it gets an id if it has none, as long as there are any.
    ///
    /// - Precondition: `name` is a checked identifier.
    package func eventSource(_ name: Span<UInt8>) throws(MasterDataRefusal) -> EventSource {
        if let id = sourceNames.id(name, NameKey(name, hasher)) {
            return EventSource(id: UInt16(truncatingIfNeeded: id))
        }
        // Relaxed: it is never taken back, and who sees it late is refused an id again.
        if hasAllSources.load(ordering: .relaxed) { return .unknown }
        do throws(MasterDataRefusal) {
            let id = try add(name, to: sourceNames) { (state, name) throws(MasterDataRefusal) in
                try state.sourceID(name)
            }
            return EventSource(id: id)
        } catch {
            guard case .tooMany = error else { throw error }
            hasAllSources.store(true, ordering: .relaxed)
            return .unknown
        }
    }

    private func add(
        _ name: Span<UInt8>, to names: NameDictionaryView,
        _ makeID: (inout MasterState, Identifier) throws(MasterDataRefusal) -> UInt16
    ) throws(MasterDataRefusal) -> UInt16 {
        if let id = names.id(name, NameKey(name, hasher)) { return UInt16(id) }
        guard let identifier = try? Identifier(name) else {
            preconditionFailure("a name that was not checked")
        }
        return try change(factByteCount: 2 + name.count) { (state) throws(MasterDataRefusal) in
            try makeID(&state, identifier)
        }
    }

    // MARK: - Documents

    /// A collection and its version, which counts its changes from 0.
    package typealias Versioned<Value> = (version: UInt64, value: Value)

    package var locations: Versioned<[Location]> {
        state.withLock { ($0.locationsVersion, $0.locations) }
    }
    /// How many locations, categories and sources have ids.
    package var nameCounts: NameCounts {
        state.withLock { state in
            NameCounts(
                locations: state.locations.count, categories: state.categories.count,
                sources: state.sourceNames.count)
        }
    }
    package var groups: Versioned<[Group]> {
        state.withLock { state in
            (state.groupsVersion, state.groups.values.sorted { $0.name < $1.name })
        }
    }
    package var channels: Versioned<[Channel]> {
        state.withLock { ($0.channelsVersion, $0.channels) }
    }
    package var rules: Versioned<RuleSet> { state.withLock { ($0.rules.version, $0.rules) } }

    /// Adds or changes the locations named.
    ///
    /// - Parameter expected: The version that the change is based on; nil for any.
    /// - Returns: The new version.
    package func put(
        locations changed: [Location], expecting expected: UInt64? = nil
    ) throws(MasterDataRefusal) -> UInt64 {
        try change(.locations(changed), expecting: expected) {
            (state) throws(MasterDataRefusal) in
            try state.put(changed)
        }
    }

    /// Adds or changes the groups named.
    package func put(
        groups changed: [Group], expecting expected: UInt64? = nil
    ) throws(MasterDataRefusal) -> UInt64 {
        try change(.groups(changed), expecting: expected) {
            (state) throws(MasterDataRefusal) in
            try state.put(changed)
        }
    }

    /// Adds or changes the channels named.
    package func put(
        channels changed: [Channel], expecting expected: UInt64? = nil
    ) throws(MasterDataRefusal) -> UInt64 {
        try change(.channels(changed), expecting: expected) {
            (state) throws(MasterDataRefusal) in
            try state.put(changed)
        }
    }

    /// Puts another rule set, checked already, in the place of the current one.
    package func put(
        rules: [SafetyStockRule], expecting expected: UInt64? = nil
    ) throws(MasterDataRefusal) -> UInt64 {
        try change(.rules(rules), expecting: expected) {
            (state) throws(MasterDataRefusal) in
            state.put(rules)
        }
    }

    // MARK: - Facts

    /// Writes changes to the control stream from here on.
    package func attach(_ journal: consuming StreamWriter) {
        let end = StreamEnd(journal)
        state.withLock { $0.journal = end }
    }

    /// The control stream's newest frame: that of the newest change, or a later one.
    package var sequence: UInt64 { state.withLock { $0.journal?.writer.sequence ?? 0 } }

    /// Whether a change may be answered whose frame is this one or an earlier one.
    package func acknowledgement(of sequence: UInt64) -> Acknowledgement {
        if defects.has(.documentNotHeld) { return .given }
        return state.withLock { state in
            state.hasLostFacts
                ? .unknown : state.journal?.writer.acknowledgement(of: sequence) ?? .given
        }
    }

    /// Applies the changes of a control frame.
    ///
    /// - Throws: At the first that is malformed or does not fit; those before it have been applied.
    package func replay(
        _ payload: Span<UInt8>, namesOnly: Bool = false
    ) throws(ReplayError) {
        if defects.has(.controlFrameSkipped) { return }
        var reader = MasterFactReader()
        while true {
            let start = reader.offset
            var fact: MasterFact?
            do throws(FactError) { fact = try reader.next(payload) } catch {
                throw .malformed(error)
            }
            if defects.has(.rulesSkipped), case .rules = fact { continue }
            if defects.has(.locationGroupsForgotten), case .locations(var entries) = fact {
                for index in entries.indices { entries[index].groups = [] }
                fact = .locations(entries)
            }
            guard let fact else { return }
            if namesOnly, !fact.isName { continue }
            do throws(MasterDataRefusal) {
                try change(factByteCount: 0) { (state) throws(MasterDataRefusal) in
                    try state.apply(fact)
                }
            } catch {
                if case .outOfMemory = error { throw .outOfMemory }
                throw .contradiction(offset: start)
            }
        }
    }
}
