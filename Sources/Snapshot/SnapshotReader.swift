// Finds the snapshot to start from: the newest one whose files are all as they were written.

package import Bytes
package import Engine
internal import Platform
internal import Synchronization

/// A snapshot that was not used, and why.
package struct PassedOver: Sendable {
    package let number: UInt64
    package let reason: SnapshotError

    package init(number: UInt64, reason: SnapshotError) {
        self.number = number
        self.reason = reason
    }
}

/// The snapshots in a folder.
package struct SnapshotReader: Sendable {
    let place: SnapshotPlace

    package init(_ place: SnapshotPlace) { self.place = place }

    package init(in root: String) { self.init(SnapshotPlace(root)) }

    /// The numbers of all snapshots, whole or damaged, newest first; none when there is no folder.
    package func numbers() throws(SnapshotError) -> [UInt64] {
        do throws(SystemError) {
            return try place.storage.names(in: place.root).compactMap { SnapshotFolders.number($0) }
                .sorted(by: >)
        } catch { throw .system(error) }
    }

    /// Opens a snapshot and compares all its files with the manifest.
    ///
    /// - Complexity: O(bytes): each file is read once.
    package func open(_ number: UInt64) throws(SnapshotError) -> Snapshot {
        let folder = place.folder(number)
        let manifest = try manifest(of: number)
        for name in Manifest.fileNames(shardCount: manifest.shardCount) {
            try manifest.file(name).check(in: folder, place)
        }
        return Snapshot(manifest: manifest, place: place)
    }

    /// What a snapshot's manifest says; its files are not looked at.
    package func manifest(of number: UInt64) throws(SnapshotError) -> Manifest {
        let name = Manifest.fileName
        let bytes: ByteBuffer
        do throws(SystemError) {
            bytes = try place.storage.content(
                of: "\(place.folder(number))/\(name)", limit: Manifest.byteCountMax)
        } catch { throw error.isMissingFile ? .file(name, .missing) : .system(error) }
        let manifest: Manifest
        do throws(SnapshotError.Problem) { manifest = try Manifest(bytes.span) } catch {
            throw .file(name, error)
        }
        guard manifest.number == number else {
            throw .file(name, .manifest("is that of snapshot \(manifest.number)"))
        }
        return manifest
    }

    /// The newest snapshot that is whole, and those that were passed over on the way to it.
    ///
    /// - Throws: Only when the folder cannot be listed.
    package func newest() throws(SnapshotError) -> (snapshot: Snapshot?, passedOver: [PassedOver]) {
        var passedOver: [PassedOver] = []
        for number in try numbers() {
            do throws(SnapshotError) { return (try open(number), passedOver) } catch {
                passedOver.append(PassedOver(number: number, reason: error))
            }
        }
        return (nil, passedOver)
    }

    /// The same for a start, which goes on from what it finds: that stays, also where the sync behind its
    /// rename had failed, and its publication with it.
    ///
    /// - Throws: Also when the device does not keep it.
    package func newestToStay() throws(SnapshotError) -> (
        snapshot: Snapshot?, passedOver: [PassedOver]
    ) {
        let found = try newest()
        if found.snapshot == nil { return found }
        do throws(SystemError) { try place.storage.syncFolder(place.root) } catch {
            throw .system(error)
        }
        return found
    }
}

/// A snapshot whose files are as they were written.
package struct Snapshot: Sendable {
    package let manifest: Manifest
    let place: SnapshotPlace

    var folder: String { place.folder(manifest.number) }

    /// Loads all of it into an engine without state, its names under the same key.
    ///
    /// Nobody may read the engine yet. After an error its state is undefined.
    ///
    /// - Parameters:
    ///   - now: Service time: which rules are in force.
    ///   - shards: Those that are wanted, the others stay empty; nil: all.
    ///   - threadCount: How many threads load shards.
    package func load(
        into engine: Engine, now: Milliseconds, shards: Set<Int>? = nil,
        threadCount: Int = Machine.processorCount
    ) throws(SnapshotError) {
        try loadMaster(into: engine, now: now)
        let wanted = (0..<engine.shardCount).filter { shards?.contains($0) ?? true }
        try LoadCrew(snapshot: self, engine: engine, shards: wanted)
            .run(threadCount: max(1, threadCount))
    }

    /// Loads shared data, and brings the rules in force at `now` into all shards; before any shard.
    package func loadMaster(into engine: Engine, now: Milliseconds) throws(SnapshotError) {
        guard manifest.shardCount == engine.shardCount else {
            throw .shardCount(expected: engine.shardCount, found: manifest.shardCount)
        }
        let facts: ByteBuffer
        do throws(SystemError) {
            facts = try place.storage.content(of: "\(folder)/\(masterFileName)")
        } catch { throw .system(error) }
        do throws(ReplayError) {
            try engine.master.load(facts.span, manifest.versions)
        } catch { throw .file(masterFileName, .master(error)) }
        engine.adoptEverywhere(engine.master.policy(now: now))
    }

    /// Loads one shard, behind shared data. Any thread may; several load different shards at a time.
    package func loadShard(_ number: Int, into engine: Engine) throws(SnapshotError) {
        guard manifest.shardCount == engine.shardCount else {
            throw .shardCount(expected: engine.shardCount, found: manifest.shardCount)
        }
        var loader = ShardLoader(self, engine, number)
        try loader.load()
        if place.defects.has(.countsForgotten) { return }
        let mark = manifest.shards[number]
        engine.resume(
            shard: number, eventCount: mark.events, itemChangeCount: mark.itemChanges)
    }
}

/// Threads that load shards, each the next one that nobody has taken.
private final class LoadCrew: Sendable {
    private let snapshot: Snapshot
    private let engine: Engine
    private let shards: [Int]
    private let next = Atomic<Int>(0)
    private let failure = Mutex<SnapshotError?>(nil)

    init(snapshot: Snapshot, engine: Engine, shards: [Int]) {
        self.snapshot = snapshot
        self.engine = engine
        self.shards = shards
    }

    func run(threadCount: Int) throws(SnapshotError) {
        start(threadCount - 1) { work() }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Runs `body` here while so many other threads work too, and waits for them.
    private func start(_ count: Int, _ body: () -> Void) {
        // Where no thread is to be had, the others do its work.
        guard count > 0,
            let thread = try? Thread.start(name: "load", { [self] in work() })
        else {
            body()
            return
        }
        start(count - 1, body)
        thread.join()
    }

    private func work() {
        while failure.withLock({ $0 == nil }) {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < shards.count else { return }
            do throws(SnapshotError) { try snapshot.loadShard(shards[index], into: engine) } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }
}
