// Known mistakes, made on purpose by tests to see that the simulation finds them.
//
// Only debug builds hold them; in a release build `has` is false at compile time.

internal import Bytes
internal import Domain

/// A mistake that an engine with a journal could make.
package enum EngineDefect: UInt8, CaseIterable, Sendable {
    // Between the shard and the journal.
    case replyNotHeld
    case onlyFirstReplyHeld
    case unknownTakenForGiven
    case documentNotHeld
    case readOnlyIgnored
    case fullTakenForBusy
    case reserveKept
    case recordedNotKept

    // In replay.
    case eventIDForgotten
    case eventContentForgotten
    case eventCountForgotten
    case parkedForgotten
    case factAppliedTwice
    case lastFactSkipped
    case wholeCountTakenApart
    case itemNameForgotten
    case effectiveTimeLost
    case frameTimeNotUsed
    case controlFrameSkipped
    case rulesSkipped
    case locationGroupsForgotten

    // In decide.
    case countBoundaryOpen
    case countAgainIgnored
    case windowClosed
    case reachClosed
    case overflowSign
    case secondLegForgotten
    case parkedNotDecidedAgain
    case takenLetterKept
    case takenLetterForgotten
    case discardForgotten
    case conflictTakenForRepeat

    // In what follows from rules.
    case categoryNotDerived
    case rulesNotBroughtIn
    case boundaryMissed
}

/// The mistakes that are made: at most one.
package struct EngineDefects: Sendable {
    #if PLANTED_DEFECTS
        private var planted: EngineDefect?

        package init(_ planted: EngineDefect? = nil) { self.planted = planted }

        func has(_ defect: EngineDefect) -> Bool { planted == defect }

        /// Makes of the facts of a command what the mistake in replay makes of them.
        ///
        /// - Parameters:
        ///   - first: Where they begin in `facts`.
        ///   - isLast: The command is the last of its frame.
        func distort(
            _ facts: inout Buffer<Fact>, from first: Int, frameTime: Milliseconds, isLast: Bool
        ) {
            if planted == .lastFactSkipped, isLast { facts.removeLast(1) }
            let decided = (first..<facts.count).map { facts[$0] }
            facts.removeLast(decided.count)
            for fact in decided {
                guard let distorted = distorted(fact, frameTime: frameTime) else { continue }
                facts.append(distorted)
                if planted == .factAppliedTwice, case .moved = fact { facts.append(fact) }
            }
        }

        private func distorted(_ fact: Fact, frameTime: Milliseconds) -> Fact? {
            switch (planted, fact) {
            case (.eventIDForgotten, .remembered), (.parkedForgotten, .parked): return nil
            case (.eventContentForgotten, .remembered(var event, let origin)):
                event.fingerprint.body = 0
                return .remembered(event, origin)
            case (.wholeCountTakenApart, .counted(var count)):
                count.isWhole = false
                return .counted(count)
            case (.itemNameForgotten, .categorised(var item)):
                item.name = .none
                return .categorised(item)
            case (.effectiveTimeLost, .moved(var movement)):
                movement.at = frameTime
                return .moved(movement)
            default: return fact
            }
        }
    #else
        package init() {}

        @inline(__always)
        func has(_ defect: EngineDefect) -> Bool { false }

        @inline(__always)
        func distort(
            _ facts: inout Buffer<Fact>, from first: Int, frameTime: Milliseconds, isLast: Bool
        ) {}
    #endif
}
