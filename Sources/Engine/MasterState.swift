// What the mutex of MasterData guards, and how a policy is compiled from it.

internal import Bytes
internal import Columns
internal import Domain
internal import Journal

struct MasterState: ~Copyable {
    let hasher: KeyedHash
    var locationNames: NameDictionary
    var channelNames: NameDictionary
    var groupNames: NameDictionary
    var categoryNames: NameDictionary
    var sourceNames: NameDictionary

    /// The control stream; nil: changes are not written.
    var journal: StreamEnd?
    /// The facts of the change that is being made.
    private var facts = ByteBuffer()
    /// A change was made that the journal did not take any more.
    private(set) var hasLostFacts = false

    var locations: [Location] = []  // By id.
    var channels: [Channel] = []  // By id.
    var categories: [Identifier] = []  // By id.
    var groups: [Identifier: Group] = [:]
    var rules = RuleSet()

    var locationsVersion: UInt64 = 0
    var groupsVersion: UInt64 = 0
    var channelsVersion: UInt64 = 0
    var generation: UInt64 = 0

    private var compiled: Policy?
    /// The table of `compiled`, kept while nothing that it depends on changes.
    private var lastSafetyStock: SafetyStockTable?
    /// When a rule comes into force or ends that `lastSafetyStock` does not know of.
    private(set) var boundary = Milliseconds.max
    /// Locations and categories that rules or groups name: another one changes nothing for them.
    private var mentioned: Set<Identifier> = []

    init(
        hasher: KeyedHash, locationNames: consuming NameDictionary,
        channelNames: consuming NameDictionary, groupNames: consuming NameDictionary,
        categoryNames: consuming NameDictionary, sourceNames: consuming NameDictionary
    ) {
        self.hasher = hasher
        self.locationNames = locationNames
        self.channelNames = channelNames
        self.groupNames = groupNames
        self.categoryNames = categoryNames
        self.sourceNames = sourceNames
    }

    /// The next call of `policy` compiles anew, safety stock included.
    mutating func invalidate() {
        compiled = nil
        lastSafetyStock = nil
        boundary = .max
        generation += 1
        mentioned = []
        for rule in rules.safetyStock {
            if case .location(let name) = rule.scope.place { mentioned.insert(name) }
            if case .category(let name) = rule.scope.goods { mentioned.insert(name) }
        }
        for group in groups.values { mentioned.formUnion(group.members) }
    }

    // MARK: - Names

    private static func add(
        _ name: Identifier, to dictionary: inout NameDictionary, _ hasher: KeyedHash, max: Int,
        _ what: StaticString
    ) throws(MasterDataRefusal) -> (id: UInt16, isNew: Bool) {
        let bytes = name.bytes.span
        let key = NameKey(bytes, hasher)
        if let id = dictionary.view.id(bytes, key) { return (UInt16(id), false) }
        guard dictionary.count < max else { throw .tooMany(what) }
        do { try dictionary.prepare() } catch { throw .outOfMemory }
        return (UInt16(dictionary.add(bytes, key)), true)
    }

    /// Refuses names of which not all fit, before the first of them is added.
    private static func checkRoom(
        for names: [Identifier], in dictionary: borrowing NameDictionary, _ hasher: KeyedHash,
        max: Int, _ what: StaticString
    ) throws(MasterDataRefusal) {
        if dictionary.count + names.count <= max { return }
        let added = Set(names).filter { name in
            let bytes = name.bytes.span
            return dictionary.view.id(bytes, NameKey(bytes, hasher)) == nil
        }
        guard dictionary.count + added.count <= max else { throw .tooMany(what) }
    }

    mutating func locationID(_ name: Identifier) throws(MasterDataRefusal) -> UInt16 {
        let (id, isNew) = try Self.add(
            name, to: &locationNames, hasher, max: MasterData.locationCountMax, "location")
        if isNew {
            locations.append(Location(name: name))
            locationsVersion += 1
            keep(.locationNamed(name))
            if mentioned.contains(name) { invalidate() }
        }
        return id
    }

    mutating func channelID(_ name: Identifier) throws(MasterDataRefusal) -> UInt16 {
        let (id, isNew) = try Self.add(
            name, to: &channelNames, hasher, max: MasterData.channelCountMax, "channel")
        if isNew {
            channels.append(Channel(name: name))
            channelsVersion += 1
            keep(.channelNamed(name))
        }
        return id
    }

    mutating func categoryID(_ name: Identifier) throws(MasterDataRefusal) -> UInt16 {
        let (id, isNew) = try Self.add(
            name, to: &categoryNames, hasher, max: MasterData.categoryCountMax, "category")
        if isNew {
            categories.append(name)
            keep(.categoryNamed(name))
            if mentioned.contains(name) { invalidate() }
        }
        return id
    }

    mutating func sourceID(_ name: Identifier) throws(MasterDataRefusal) -> UInt16 {
        let (id, isNew) = try Self.add(
            name, to: &sourceNames, hasher, max: EventSource.countMax, "source")
        if isNew { keep(.sourceNamed(name)) }
        return id
    }

    private mutating func groupID(_ name: Identifier) throws(MasterDataRefusal) -> UInt16 {
        let (id, isNew) = try Self.add(
            name, to: &groupNames, hasher, max: MasterData.groupCountMax - 1, "group")
        if isNew { keep(.groupNamed(name)) }
        return id
    }

    private mutating func keep(_ fact: MasterFact) {
        if journal != nil { fact.append(to: &facts) }
    }

    // MARK: - The control stream

    /// Takes space for the facts of a change, before anything changes.
    mutating func reserve(_ byteCount: Int) throws(MasterDataRefusal) {
        guard let journal else { return }
        if journal.writer.state.rawValue >= JournalState.failed.rawValue { throw .readOnly }
        guard byteCount <= journal.writer.payloadByteCountMax else { throw .tooLarge }
        guard journal.writer.hasRoom(payloadByteCount: byteCount) else { throw .busy }
        guard journal.writer.reserve(payloadByteCount: byteCount) else {
            throw journal.writer.state == .full ? .journalFull : .busy
        }
    }

    /// Appends the facts of a change as one frame.
    ///
    /// Under the lock: whoever sees an id that the change gave appends behind its frame.
    mutating func appendFacts(time: Milliseconds) {
        guard let journal else { return }
        defer { journal.writer.releaseReserve() }
        if facts.isEmpty { return }
        let sequence = journal.writer.sequence
        let appended = journal.writer.append(
            after: sequence, firstEvent: 0, eventCount: 0, time: time,
            payload: facts.span)
        facts.removeAll()
        switch appended {
        case .taken: journal.writer.submit()
        case .failed: hasLostFacts = true
        case .busy, .fenced: fatalError("a frame was refused that there was room for")
        }
    }

    private func checkGroupRoom(for names: [Identifier]) throws(MasterDataRefusal) {
        try Self.checkRoom(
            for: names, in: groupNames, hasher, max: MasterData.groupCountMax - 1, "group")
    }

    // MARK: - Documents

    /// The version of the document that a fact changes; 0 for a name.
    func version(of fact: MasterFact) -> UInt64 {
        switch fact {
        case .locations: locationsVersion
        case .channels: channelsVersion
        case .groups: groupsVersion
        case .rules: rules.version
        case .locationNamed, .channelNamed, .groupNamed, .categoryNamed, .sourceNamed: 0
        }
    }

    mutating func put(_ changed: [Location]) throws(MasterDataRefusal) -> UInt64 {
        try Self.checkRoom(
            for: changed.map(\.name), in: locationNames, hasher,
            max: MasterData.locationCountMax, "location")
        try checkGroupRoom(for: changed.flatMap(\.groups))
        var changesGroups = false
        for location in changed {
            for group in location.groups { _ = try groupID(group) }
            let id = Int(try locationID(location.name))
            changesGroups = changesGroups || locations[id].groups != location.groups
            locations[id] = location
        }
        locationsVersion += 1
        keep(.locations(changed))
        if changesGroups {
            invalidate()
        } else {
            compiled = nil  // A flag at the most: safety stock stays as it is.
            generation += 1
        }
        return locationsVersion
    }

    mutating func put(_ changed: [Group]) throws(MasterDataRefusal) -> UInt64 {
        var after = groups
        for group in changed { after[group.name] = group }
        for group in changed where reaches(group.name, from: group, in: after, []) {
            throw .groupCycle(group.name)
        }
        try checkGroupRoom(for: changed.map(\.name))
        for group in changed { _ = try groupID(group.name) }
        groups = after
        groupsVersion += 1
        keep(.groups(changed))
        invalidate()
        return groupsVersion
    }

    private func reaches(
        _ name: Identifier, from group: Group, in groups: [Identifier: Group],
        _ seen: Set<Identifier>
    ) -> Bool {
        var seen = seen
        var waiting = group.members
        while let member = waiting.popLast() {
            if member == name { return true }
            guard seen.insert(member).inserted, let next = groups[member] else { continue }
            waiting += next.members
        }
        return false
    }

    mutating func put(_ changed: [Channel]) throws(MasterDataRefusal) -> UInt64 {
        try Self.checkRoom(
            for: changed.map(\.name), in: channelNames, hasher,
            max: MasterData.channelCountMax, "channel")
        for channel in changed { channels[Int(try channelID(channel.name))] = channel }
        channelsVersion += 1
        keep(.channels(changed))
        return channelsVersion
    }

    mutating func put(_ changed: [SafetyStockRule]) -> UInt64 {
        rules = RuleSet(version: rules.version + 1, safetyStock: changed)
        keep(.rules(changed))
        invalidate()
        return rules.version
    }

    /// Changes what a fact says, as it was changed when the fact was kept.
    mutating func apply(_ fact: MasterFact) throws(MasterDataRefusal) {
        switch fact {
        case .locationNamed(let name): _ = try locationID(name)
        case .channelNamed(let name): _ = try channelID(name)
        case .groupNamed(let name): _ = try groupID(name)
        case .categoryNamed(let name): _ = try categoryID(name)
        case .sourceNamed(let name): _ = try sourceID(name)
        case .locations(let changed): _ = try put(changed)
        case .channels(let changed): _ = try put(changed)
        case .groups(let changed): _ = try put(changed)
        case .rules(let changed): _ = put(changed)
        }
    }

    // MARK: - Compiling

    mutating func policy(now: Milliseconds) -> Policy {
        if let compiled { return compiled }
        // Groups of each location, over all levels.
        var parents: [Identifier: Set<Identifier>] = [:]
        for group in groups.values {
            for member in group.members { parents[member, default: []].insert(group.name) }
        }
        let places = locations.map { location in
            var found = Set<Identifier>()
            var waiting = location.groups + Array(parents[location.name] ?? [])
            while let group = waiting.popLast() {
                if found.insert(group).inserted { waiting += parents[group] ?? [] }
            }
            return SafetyStockTable.LocationPlaces(name: location.name, groups: found)
        }
        var members = [LocationSet](
            repeating: LocationSet(locationCount: locations.count), count: groupNames.count)
        var closed = LocationSet(locationCount: locations.count)
        for (id, place) in places.enumerated() {
            for group in place.groups {
                let bytes = group.bytes.span
                if let number = groupNames.view.id(bytes, NameKey(bytes, hasher)) {
                    members[Int(number)].insert(UInt16(id))
                }
            }
            if !locations[id].isOpen { closed.insert(UInt16(id)) }
        }
        let table: SafetyStockTable
        if let lastSafetyStock, now < boundary {
            table = lastSafetyStock
        } else {
            table = SafetyStockTable(rules, now: now, locations: places, categories: categories)
            boundary = rules.nextBoundary(after: now) ?? .max
        }
        lastSafetyStock = table
        let policy = Policy(
            generation: generation, rules: rules, safetyStock: table, groups: members,
            closed: closed, nextBoundary: boundary)
        compiled = policy
        return policy
    }
}
