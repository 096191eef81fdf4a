// Known mistakes, made on purpose by tests to see that the simulation finds them.
//
// Only debug builds hold them; in a release build `has` is false at compile time.

/// A mistake that a journal could make.
package enum PlantedDefect: UInt8, CaseIterable, Sendable {
    case acknowledgeBeforeWrite
    case acknowledgeBeforeSync
    case syncRetriedAfterError
    case writeErrorIgnored
    case tailNotCleaned
    case cleanedTailNotSynced
    case generationReused
    case directoryNotSynced
    case segmentNotSynced
    case zeroFillSkipped
    case segmentsUnsorted
    case orderUnchecked
    case hashUnchecked
    case durableUpToTooHigh
    case damageTakenForTear
    case acknowledgeOneTooMany
    case trimOneTooMany
    case controlOvertaken
}

/// The mistakes that are made: at most one.
package struct PlantedDefects: Sendable {
    #if PLANTED_DEFECTS
        private var planted: PlantedDefect?

        package init(_ planted: PlantedDefect? = nil) { self.planted = planted }

        func has(_ defect: PlantedDefect) -> Bool { planted == defect }
    #else
        package init() {}

        @inline(__always)
        func has(_ defect: PlantedDefect) -> Bool { false }
    #endif
}
