// States that a simulation must come through: one that is never visited is one that is not tested.

/// What happened in a simulation, sometimes.
package enum SometimesState: Int, CaseIterable, Sendable {
    // Ends of lives.
    case powerLost, killed, closedInOrder, crashInRecovery, errorInRecovery, writeOrSyncFailed
    case secondRecovery, replayedInAnotherOrder, settled
    // What recovery found.
    case emptyJournal, tornTail, journalRolled
    case frameLost, bothShardsLost, unacknowledgedFrameKept, controlFrameWithoutShardFrame
    case documentLost, unacknowledgedDocumentKept
    case unknownFoundDurable, unknownFoundLost
    case damageReported, flipHarmless, pastShorter
    // Snapshots.
    case startedFromNewest, startedFromOlder, startedWithoutSnapshot, unansweredSnapshotKept
    case snapshotPublished, markedWhileFull, snapshotWaited, snapshotsPruned, snapshotGivenUp
    case snapshotCut, publicationCut, pruningCut
    case snapshotFailed, snapshotWithoutSpace, snapshotReadBackWrong
    case journalTrimmed, trimCut, pagesSetAside
    case allSnapshotsDamaged, strangeSnapshotRefused, journalTooShort
    // Answers.
    case replyHeld, repeatHeld, replyUnknown, documentUnknown, batchWaited
    case refusedForFull, resumedAfterFull, refusedAfterFailure, documentRefused
    case inboxFull, appliedDuringCommit
    case repeatOfKept, repeatOfLost, conflict
    // What was decided.
    case recorded, overflow, parkedBeforeWindow, parkedBeforeMemory, parkedUnknownLocation
    case letterRetried, letterDiscarded, letterOfAnotherReason, letterTakenMeanwhile
    case parkedUnknownSKU, parkingFull, rowBeforeWindow, eventForgotten, backfilled
    // Shared data.
    case groupCycle, versionMismatch, ruleBoundaryPassed, policyHalfBroughtIn, freeNegative

    /// In plain words.
    package var name: String { "\(self)" }
}
