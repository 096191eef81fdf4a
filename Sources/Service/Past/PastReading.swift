// What moved a SKU: read from journal and history, newest first.
//
// Segments are gone through from the newest back, each from front to back as a start does. A reading ends
// when it has enough, when nothing that is left can be late enough, or after so many bytes; the answer says
// where the next one goes on.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import History
internal import JSON
internal import Journal

/// Facts of one SKU that are asked for.
struct PastQuestion: Sendable {
    var stream: UInt16
    var sku: UInt32
    /// nil: at all of them.
    var location: UInt16?
    /// Effective times.
    var from = effectiveTimes.lowerBound
    var to = effectiveTimes.upperBound
    /// Facts at the least, if there are so many: those of one frame are not parted.
    var limit = 100
    /// Sequences of frames below this one.
    var before: UInt64

    func wants(_ position: PositionKey, at time: Milliseconds) -> Bool {
        position.sku == sku && location ?? position.location == position.location
            && time >= from && time <= to
    }
}

/// What was found.
struct PastAnswer: Sendable {
    /// JSON objects, newest first.
    var facts: [[UInt8]] = []
    /// What `before` of the next question is; nil: there is nothing else.
    var next: UInt64?
}

/// The facts of one segment that are asked for.
private struct SegmentFacts: ~Copyable {
    /// Of one frame, in order.
    struct Frame {
        var sequence: UInt64
        var facts: [[UInt8]]
    }

    private let question: PastQuestion
    private let locations: NameDictionaryView
    private let sources: SourceNames
    private(set) var frames: [Frame] = []
    private var first = 0
    private var factCount = 0
    /// Of the stream's oldest frame.
    private(set) var oldestTime = Milliseconds.max
    private var command = Buffer<Fact>()

    init(_ question: PastQuestion, _ master: MasterData) {
        self.question = question
        locations = master.locationNames
        sources = SourceNames(master)
    }

    /// Frames that were found and are too many.
    var hasDropped: Bool { first > 0 }

    var kept: ArraySlice<Frame> { frames[first...] }

    mutating func read(_ header: FrameHeader, _ frame: Span<UInt8>) throws(JournalError) {
        guard header.stream == question.stream, header.sequence < question.before else { return }
        oldestTime = min(oldestTime, header.time)
        guard header.kind == .facts else { return }
        let payload = frame.extracting(
            FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
        var reader = FactReader(time: header.time)
        var found: [[UInt8]] = []
        do throws(FactError) {
            while try reader.readCommand(payload, into: &command) {
                appendFound(header, payload, to: &found)
                command.removeAll()
            }
        } catch {
            throw .unusable(
                stream: header.stream, sequence: header.sequence,
                reason: error.description)
        }
        if found.isEmpty { return }
        frames.append(Frame(sequence: header.sequence, facts: found))
        factCount += found.count
        while factCount - frames[first].facts.count >= question.limit {
            factCount -= frames[first].facts.count
            frames[first].facts = []
            first += 1
        }
    }

    /// Appends what the command in `command` did to what is asked for.
    private func appendFound(
        _ header: FrameHeader, _ payload: Span<UInt8>, to found: inout [[UInt8]]
    ) {
        let telling = CommandTelling(command)
        func tell(_ name: StaticString, _ fact: StockMoved) {
            guard question.wants(fact.position, at: fact.at) else { return }
            var line = ByteBuffer()
            append(header, name, fact.position, fact.condition, fact.at, to: &line)
            line.append(",\"delta\":")
            line.append(decimal: fact.delta)
            append(telling, payload, to: &line)
            found.append(line.span.array)
        }
        func tell(_ name: StaticString, _ fact: StockCounted) {
            guard question.wants(fact.position, at: fact.at) else { return }
            var line = ByteBuffer()
            append(header, name, fact.position, fact.condition, fact.at, to: &line)
            line.append(",\"value\":")
            line.append(decimal: fact.value)
            append(telling, payload, to: &line)
            found.append(line.span.array)
        }
        for index in command.indices {
            switch command[index] {
            case .moved(let fact): tell("moved", fact)
            case .movementRecorded(let fact): tell("movement_recorded", fact)
            case .counted(let fact): tell("counted", fact)
            case .countRecorded(let fact): tell("count_recorded", fact)
            default: break
            }
        }
    }

    private func append(
        _ header: FrameHeader, _ name: StaticString, _ position: PositionKey,
        _ condition: Condition, _ at: Milliseconds, to output: inout ByteBuffer
    ) {
        output.append("{\"sequence\":")
        output.append(decimal: Int64(truncatingIfNeeded: header.sequence))
        output.append(",\"received_at\":\"")
        output.append(rfc3339: header.time)
        output.append("\",\"at\":\"")
        output.append(rfc3339: at)
        output.append("\",\"location\":")
        locations.withName(UInt32(position.location)) { output.append(jsonString: $0) }
        output.append(",\"fact\":\"")
        output.append(name)
        output.append("\",\"condition\":\"")
        output.append(condition.name)
        output.append("\"")
    }

    private func append(
        _ telling: CommandTelling, _ payload: Span<UInt8>, to output: inout ByteBuffer
    ) {
        telling.append(payload, sources, to: &output)
        if let event = telling.event {
            output.append(",\"id_hash\":\"")
            output.append(hexadecimal: event.fingerprint.first)
            output.append("\",\"outcome\":\"")
            output.append(event.outcome.code)
            output.append("\"")
        }
        output.append("}")
    }
}

/// Reads the facts that a question asks for.
struct PastReading {
    let question: PastQuestion
    let journal: String
    let history: HistoryFolder
    let engine: Engine

    /// Bytes of segments that are gone through for one answer.
    static let byteCountMax = 1 << 30

    /// - Parameter shouldContinue: Asked before each segment.
    /// - Returns: nil where it was told to stop.
    /// - Complexity: O(bytes gone through); holds one segment in memory.
    func run(_ shouldContinue: () -> Bool) throws(JournalError) -> PastAnswer? {
        let reach = try HistoryReach(
            journal: journal, history: history, shardCount: engine.shardCount)
        var answer = PastAnswer()
        var byteCount = 0
        for (index, start) in reach.starts.enumerated().reversed() {
            let head = start.heads[Int(question.stream)].sequence
            if head + 1 >= question.before, index > 0 { continue }
            guard shouldContinue() else { return nil }
            var rest = question
            rest.limit -= answer.facts.count
            var segment = SegmentFacts(rest, engine.master)
            byteCount += try read(start.base, isNewest: index == reach.starts.count - 1, &segment)
            for frame in segment.kept.reversed() { answer.facts += frame.facts.reversed() }
            answer.next = index > 0 && head > 0 ? head + 1 : nil
            if segment.hasDropped { answer.next = segment.kept.first?.sequence }
            // An event lies no further ahead of its time than the tolerance.
            if segment.oldestTime < question.from - futureToleranceMilliseconds {
                if !segment.hasDropped { answer.next = nil }
                break
            }
            if answer.facts.count >= question.limit || byteCount >= Self.byteCountMax { break }
        }
        return answer
    }

    /// - Returns: Bytes gone through.
    private func read(
        _ base: UInt64, isNewest: Bool, _ segment: inout SegmentFacts
    ) throws(JournalError) -> Int {
        let files = HistoryStorage(journal: journal, history: history, from: base, through: base)
        let survey = try JournalSurvey(files, shardCount: engine.shardCount) {
            (header, frame) throws(JournalError) in try segment.read(header, frame)
        }
        // The newest may be written just now; what is asked for of it is durable and lies before that.
        if let problem = survey.problem, !isNewest { throw problem }
        return survey.segments.first?.byteCount ?? 0
    }
}
