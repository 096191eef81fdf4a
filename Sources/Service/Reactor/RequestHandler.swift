// What a reactor asks of the service: the seam between moving bytes and knowing what they mean.
//
// The life of one exchange (request and answer), seen by the handler:
//
//     plan ──▶ .answered                              refused or answered by the head alone
//          ──▶ .gather ──▶ answer                     small bodies: whole and contiguous
//          ──▶ .stream ──▶ consume, consume, …        large bodies: piece by piece
//
//     answer, consume, produce ──▶ .done              the answer is complete
//                              ──▶ .more ──▶ produce  when what was appended has been sent
//                              ──▶ .later ─▶ …        nothing to do until `nextReady` names it
//                              ──▶ .cut               the answer breaks off
//
// Pipelined requests may be answered in one go: the first was planned as `.gather`, the others are
// not planned.
//
//     join, join, … ──▶ answerJoined                  as many as it says are done
//
// An exchange that was planned as `.gather` or `.stream` ends with `.done`, `.cut` or
// `cancelled`, exactly one of them, exactly once. A connection has one exchange at a time; pipelined requests
// wait their turn, so answers keep the order of requests.

internal import Bytes
package import HTTP

/// Names an exchange, from any thread, also after it has ended: a token is never used again for
/// another exchange (its number wraps after 2³² exchanges in one slot), so what comes too late
/// finds nobody.
package struct ExchangeToken: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    init(slot: Int, number: UInt32) {
        rawValue = UInt64(UInt32(truncatingIfNeeded: slot)) << 32 | UInt64(number)
    }

    var slot: Int { Int(rawValue >> 32) }
    var number: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

/// What to do with the body of a request.
package enum RequestPlan: Equatable, Sendable {
    /// Collect it whole, then call `answer`. A larger one is refused with 413.
    case gather(limit: Int)

    /// Hand it to `consume` as it comes. A larger one is refused with 413.
    case stream(limit: Int)

    /// The answer has been appended. The body is skipped if it is small and announced its length,
    /// else the connection is closed behind the answer.
    case answered
}

/// How an exchange goes on.
package enum Progress: Equatable, Sendable {
    /// The answer is complete.
    case done

    /// Nothing to do until `nextReady` names the exchange. A body that is still coming is not read
    /// meanwhile. Then `consume` is called again if any of the body is left, else `produce`.
    case later

    /// Go on at once: the next piece of the body, or, when it is over, `produce` as soon as what
    /// was appended has been sent.
    case more

    /// The answer has begun and cannot be completed: the connection ends so that the client can tell.
    case cut
}

/// The outcome of `consume`.
package struct Intake: Equatable, Sendable {
    /// Bytes taken from the front of the piece; the rest is offered again with more behind it.
    package var consumedByteCount: Int

    package var progress: Progress

    package init(_ consumedByteCount: Int, _ progress: Progress) {
        self.consumedByteCount = consumedByteCount
        self.progress = progress
    }
}

/// When the loop must turn again.
package enum NextTurn: Equatable, Sendable {
    /// There is more to do: only look for I/O, do not wait.
    case atOnce

    /// No later than this instant of `Moment.bootNanoseconds`.
    case by(UInt64)

    /// When something happens (or at the next tick).
    case whenAsked
}

/// The time of a turn: read once, the same for everything that happens in it.
package struct Moment: Equatable, Sendable {
    /// Nanoseconds since the machine started.
    package var bootNanoseconds: UInt64

    /// Milliseconds since 1970 by the wall clock, which may jump.
    package var wallMilliseconds: Int64

    package init(bootNanoseconds: UInt64, wallMilliseconds: Int64) {
        self.bootNanoseconds = bootNanoseconds
        self.wallMilliseconds = wallMilliseconds
    }
}

/// The service behind a reactor. One value per reactor, made, used and ended in its thread.
///
/// No call may block. Spans are valid during the call only.
package protocol RequestHandler: SendableMetatype, ~Copyable {
    /// A turn begins: what it reads has arrived by now.
    mutating func begin(turn moment: Moment)

    /// Decides by the head alone, before any of the body is taken, what to do with it: the place to
    /// check the route, the key and the content type.
    ///
    /// - Parameter bytes: What the ranges of `head` refer to.
    mutating func plan(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> RequestPlan

    /// The whole request is here. `head` is equal to the one that was planned.
    mutating func answer(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>,
        _ exchange: inout Exchange
    ) -> Progress

    /// A request is here whole, keeps the connection, and stands among others: whether its answer
    /// is to be composed together with theirs, so that what they wait for comes at the same time.
    /// Nothing is appended yet, and without a call of `answerJoined` nothing comes of it.
    ///
    /// `plan` is asked about the first of them only: none may join that it would refuse.
    ///
    /// - Parameters:
    ///   - text: From the first request that is answered together with others to the end of this
    ///     one's body.
    ///   - start: Where this one's head starts; 0 is a new beginning.
    mutating func join(
        _ head: borrowing RequestHead, _ text: Span<UInt8>, at start: Int
    ) -> Bool

    /// Appends the answers of the requests that have joined, in order.
    ///
    /// - Parameter text: As it was for the last of them.
    /// - Returns: How many are answered, from the first on. Others are offered to `answer`, or join
    ///   again.
    mutating func answerJoined(_ text: Span<UInt8>, _ exchange: inout Exchange) -> Int

    /// A piece of a streamed body; may be empty when it is the last.
    ///
    /// With `.more` and `isLast` but bytes left, the rest is offered again in the next turn. With
    /// `.done` what is left of the body is skipped or the connection closed.
    mutating func consume(
        _ piece: Span<UInt8>, isLast: Bool, _ exchange: inout Exchange
    ) -> Intake

    /// Everything appended before has been sent after `.more`, or the exchange was named by
    /// `nextReady` after `.later`: append what comes next.
    mutating func produce(_ exchange: inout Exchange) -> Progress

    /// The exchange ended without `.done`: the connection is gone or was cut. Nothing that is
    /// appended is sent.
    mutating func cancelled(_ exchange: inout Exchange)

    /// Once per turn after I/O: drain inboxes, apply commands, note which exchanges can go on.
    mutating func turn(_ now: Moment) -> NextTurn

    /// An exchange that can go on after `.later`; nil when there is none (more). Asked after `turn`
    /// until it answers nil. Tokens of ended exchanges are skipped.
    mutating func nextReady() -> ExchangeToken?

    /// Whether anything waits for `turn` now. Asked after the doorbell was set and before the
    /// thread sleeps, so it must look at every inbox that other threads fill and ring for.
    var hasWork: Bool { mutating get }

    /// The last call, after all reactors have ended their connections.
    mutating func finish()
}

extension RequestHandler where Self: ~Copyable {
    /// Nothing depends on the time.
    package mutating func begin(turn moment: Moment) {}

    /// Every request is answered by itself.
    package mutating func join(
        _ head: borrowing RequestHead, _ text: Span<UInt8>, at start: Int
    ) -> Bool { false }

    package mutating func answerJoined(
        _ text: Span<UInt8>, _ exchange: inout Exchange
    ) -> Int { 0 }
}
