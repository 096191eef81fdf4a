// Which snapshots are kept.

package import Bytes
package import Platform

/// How many snapshots are kept, and how long.
package struct Retention: Sendable {
    /// Newest snapshots that are whole and stay whatever the other limits say.
    package var wholeCountMin: Int
    /// Snapshots at most.
    package var countMax: Int
    /// How old one may be, by its own time.
    package var ageMax: Milliseconds

    package init(wholeCountMin: Int = 2, countMax: Int = .max, ageMax: Milliseconds = .max) {
        precondition(wholeCountMin >= 1)
        self.wholeCountMin = wholeCountMin
        self.countMax = countMax
        self.ageMax = ageMax
    }
}

/// What `prune` left.
package struct Pruned: Sendable {
    /// The snapshots that are whole and must stay, newest first: the journal is needed from the last
    /// of them on, once there are as many as `wholeCountMin`.
    package var whole: [Manifest] = []
    package var removed: [UInt64] = []
}

extension SnapshotReader {
    /// Removes snapshots beyond the limits, but never the newest that are whole.
    ///
    /// What is newer than those stays too, damaged or not: it may be looked into.
    ///
    /// - Parameter bases: Snapshots that stay too, for what they are a base of.
    /// - Complexity: O(bytes) of the snapshots that must stay: they are compared with their manifests.
    package func prune(
        keeping retention: Retention, bases: Set<UInt64> = [], now: Milliseconds
    ) throws(SnapshotError) -> Pruned {
        var pruned = Pruned()
        for (index, number) in try numbers().enumerated() {
            if pruned.whole.count < retention.wholeCountMin {
                if let snapshot = try? open(number) { pruned.whole.append(snapshot.manifest) }
                continue
            }
            let age = (try? manifest(of: number)).map { now - $0.time } ?? .max
            if index < retention.countMax, age <= retention.ageMax { continue }
            if bases.contains(number) { continue }
            do throws(SystemError) { try remove(number) } catch { throw .system(error) }
            pruned.removed.append(number)
        }
        return pruned
    }

    /// Removes a snapshot.
    ///
    /// Under another name first, so that nobody takes it for a damaged one when this is interrupted.
    package func remove(_ number: UInt64) throws(SystemError) {
        let folder = place.folder(number)
        if place.defects.has(.removedUnderItsName) {
            return try SnapshotFolders.remove(folder, place.storage)
        }
        let removed = folder + SnapshotFolders.removingSuffix
        try place.storage.rename(folder, to: removed)
        try place.storage.syncFolder(place.root)
        try SnapshotFolders.remove(removed, place.storage)
    }
}
