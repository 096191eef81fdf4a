// Where all streams stand right behind one frame of the journal.
//
//     segments   heads ─── frames ─── heads ─── frames ─── ▼ ─── heads ─── …
//                                     └ the last that begins before the frame is gone through

internal import Bytes
internal import Domain
internal import Engine
internal import History
internal import Journal

/// A prefix of the journal, in the order of the file.
struct JournalCut: Equatable, Sendable {
    /// The newest frame: of each shard, then of the control stream.
    var sequences: [UInt64]
    /// Service time of the last frame.
    var time: Milliseconds
    /// The segment that it ends in.
    var segment: UInt64

    /// Whether it has all frames up to `others`, by stream.
    func covers(_ others: [UInt64]) -> Bool {
        sequences.indices.allSatisfy { others[$0] <= sequences[$0] }
    }
}

extension StoredDirectory {
    /// Finds the prefix that ends with a frame.
    ///
    /// - Throws: `isOutOfReach` where the frame is not kept, not there yet, or of another directory.
    /// - Complexity: O(bytes of a segment).
    func cut(
        behind point: JournalPoint, _ reach: HistoryReach
    ) throws(StartError) -> JournalCut {
        if case .mark(let identity, _, _) = point, identity != self.identity {
            throw outOfReach("the mark is of another directory")
        }
        if case .frame(let stream, _) = point, stream != StreamNumber.control,
            Int(stream) >= shardCount
        {
            throw outOfReach("there is no stream \(stream)")
        }
        if case .mark(_, _, 0) = point, reach.hasBeginning {
            let none = [UInt64](repeating: 0, count: shardCount + 1)
            return JournalCut(sequences: none, time: 0, segment: reach.starts.first?.base ?? 0)
        }
        guard
            let start = reach.starts.last(where: { start in
                let heads = start.heads.prefix(shardCount + 1).map(\.sequence)
                return progress(heads, towards: point) < target(point)
            })
        else {
            let isEmpty = reach.starts.isEmpty
            throw outOfReach(isEmpty ? "the journal is empty" : "it lies before what is kept")
        }
        return try cut(behind: point, in: start)
    }

    /// What is counted to find a point, and the count that it has.
    private func progress(_ sequences: [UInt64], towards point: JournalPoint) -> UInt64 {
        switch point {
        case .mark: sequences.prefix(shardCount).reduce(0, +)
        case .frame(let stream, _): sequences[index(of: stream)]
        }
    }

    private func target(_ point: JournalPoint) -> UInt64 {
        switch point {
        case .mark(_, _, let changes): changes
        case .frame(_, let sequence): sequence
        }
    }

    private func index(of stream: UInt16) -> Int {
        stream == StreamNumber.control ? shardCount : Int(stream)
    }

    private func cut(
        behind point: JournalPoint, in start: SegmentStart
    ) throws(StartError) -> JournalCut {
        var cut = JournalCut(
            sequences: start.heads.prefix(shardCount + 1).map(\.sequence), time: 0,
            segment: start.base)
        let target = target(point)
        var isFound = false
        var generation: UInt64 = 0
        let files = HistoryStorage(
            journal: journalPath, history: history, from: start.base, through: start.base)
        let survey: JournalSurvey
        do throws(JournalError) {
            survey = try JournalSurvey(files, shardCount: shardCount) {
                (header, _) throws(JournalError) in
                if isFound || header.stream == StreamNumber.journal { return }
                cut.sequences[index(of: header.stream)] = header.sequence
                cut.time = header.time
                generation = header.generation
                isFound = progress(cut.sequences, towards: point) == target
            }
        } catch { throw StartError("\(path): \(error)") }
        guard isFound else {
            if durable == nil, let problem = survey.problem {
                throw StartError("\(path): \(problem)")
            }
            throw outOfReach("the journal does not reach it")
        }
        if case .mark(_, let life, _) = point, generation > life {
            throw outOfReach("what the mark counts was never acknowledged, and is not there")
        }
        if let durable, !JournalCut(sequences: durable, time: 0, segment: 0).covers(cut.sequences) {
            throw outOfReach("it is not durable yet")
        }
        return cut
    }

    func outOfReach(_ reason: String) -> StartError {
        StartError("\(path): the moment cannot be told: \(reason)", isOutOfReach: true)
    }
}
