// Known mistakes, made on purpose by tests to see that the simulation finds them.
//
// Only debug builds hold them; in a release build `has` is false at compile time.

/// A mistake that snapshots could have.
package enum SnapshotDefect: UInt8, CaseIterable, Sendable {
    // In what is written.
    case tablesAheadOfMark
    case sharedDataFirst
    case markOneBehind
    case rememberedForgotten
    case countsForgotten
    case letterNumbersForgotten
    case versionsForgotten

    // In what is on the device, and when.
    case publishedTooSoon
    case tablesNotSynced
    case manifestNotSynced
    case renamedBeforeManifest
    case innerFoldersNotSynced
    case folderNotSynced
    case placeNotSynced
    case latestBeforeRename

    // In what is kept.
    case trimmedBeforePublication
    case trimmedToNewest
    case onlyOneKept
    case removedUnderItsName

    // In what a start believes.
    case hashUnchecked
    case markUnchecked
    case gapUnchecked
}

/// The mistakes that are made: at most one.
package struct SnapshotDefects: Sendable {
    #if PLANTED_DEFECTS
        private var planted: SnapshotDefect?

        package init(_ planted: SnapshotDefect? = nil) { self.planted = planted }

        func has(_ defect: SnapshotDefect) -> Bool { planted == defect }
    #else
        package init() {}

        @inline(__always)
        func has(_ defect: SnapshotDefect) -> Bool { false }
    #endif
}
