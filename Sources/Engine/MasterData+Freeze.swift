// Shared data as it is at one moment, as the facts that bring it about, and put back from them.

internal import Bytes
internal import Columns
internal import Domain
package import Journal
internal import Synchronization

/// Counts of the changes of shared documents, which clients know as ETags.
package struct MasterVersions: Codable, Equatable, Sendable {
    package var locations: UInt64
    package var groups: UInt64
    package var channels: UInt64
    package var rules: UInt64
}

/// All shared data at one moment.
package struct FrozenMaster: Sendable {
    /// As `MasterFact` has them: the names in the order of their ids, then the documents.
    package let facts: [UInt8]
    package let versions: MasterVersions
}

extension MasterData {
    /// All shared data as it is now, and the newest frame of the control stream.
    ///
    /// Names of locations that a shard refers to are in it when the shard was frozen before.
    package func freeze() -> (master: FrozenMaster, head: StreamHead) {
        state.withLock { ($0.freeze(), $0.journal?.writer.streamHead ?? StreamHead()) }
    }

    /// Puts shared data back, its versions included.
    ///
    /// - Precondition: There is none yet.
    /// - Throws: At the first fact that is malformed or does not fit.
    package func load(_ facts: Span<UInt8>, _ versions: MasterVersions) throws(ReplayError) {
        try replay(facts)
        state.withLock { $0.load(versions) }
    }
}

extension MasterState {
    borrowing func freeze() -> FrozenMaster {
        var output = ByteBuffer()
        for location in locations { MasterFact.locationNamed(location.name).append(to: &output) }
        for channel in channels { MasterFact.channelNamed(channel.name).append(to: &output) }
        for id in 0..<groupNames.count {
            guard let name = try? Identifier(groupNames.view.text(UInt32(id))) else { continue }
            MasterFact.groupNamed(name).append(to: &output)
        }
        for category in categories { MasterFact.categoryNamed(category).append(to: &output) }
        for id in 0..<sourceNames.count {
            guard let name = try? Identifier(sourceNames.view.text(UInt32(id))) else { continue }
            MasterFact.sourceNamed(name).append(to: &output)
        }
        MasterFact.locations(locations).append(to: &output)
        MasterFact.channels(channels).append(to: &output)
        MasterFact.groups(groups.values.sorted { $0.name < $1.name }).append(to: &output)
        MasterFact.rules(rules.safetyStock).append(to: &output)
        return FrozenMaster(
            facts: output.span.array,
            versions: MasterVersions(
                locations: locationsVersion, groups: groupsVersion, channels: channelsVersion,
                rules: rules.version))
    }

    mutating func load(_ versions: MasterVersions) {
        locationsVersion = versions.locations
        groupsVersion = versions.groups
        channelsVersion = versions.channels
        rules.version = versions.rules
    }
}
