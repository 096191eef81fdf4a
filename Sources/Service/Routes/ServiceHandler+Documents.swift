// GET and PUT of rules, locations, groups and channels, with ETag and If-Match.
//
// An ETag is the version of the document, `"v7"`. A PUT is answered when every shard has the new
// policy, so what is read after it is decided by it.

internal import Bytes
internal import Domain
internal import Engine
internal import HTTP
internal import Journal

/// A change of policy that is not everywhere yet.
final class DocumentExchange {
    let version: UInt64
    /// The frame of the control stream that it is in, or a later one.
    let sequence: UInt64

    init(version: UInt64, sequence: UInt64) {
        self.version = version
        self.sequence = sequence
    }
}

extension ServiceHandler {
    mutating func answerDocument(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>,
        _ exchange: inout Exchange
    ) -> Progress {
        let route = Route(rawValue: exchange.route) ?? .rules
        if head.method == .put {
            return putDocument(route, bytes.part(head.ifMatch), body, &exchange)
        }
        let version = append(route, to: &exchange.body)
        let tag = ByteBuffer(etag: version)
        if !head.ifNoneMatch.isEmpty, Self.matches(bytes.part(head.ifNoneMatch), tag.span) {
            exchange.body.removeAll()
            exchange.respond(304) { $0.appendHeader("ETag", tag.span) }
            return .done
        }
        exchange.respond(200) { $0.appendHeader("ETag", tag.span) }
        return .done
    }

    private func append(_ route: Route, to output: inout ByteBuffer) -> UInt64 {
        switch route {
        case .locations:
            let (version, locations) = engine.master.locations
            output.append(locations: locations)
            return version
        case .groups:
            let (version, groups) = engine.master.groups
            output.append(groups: groups)
            return version
        case .channels:
            let (version, channels) = engine.master.channels
            output.append(channels: channels)
            return version
        default:
            let (version, rules) = engine.master.rules
            output.append(rules: rules)
            return version
        }
    }

    /// Whether a header lists the tag; a weak tag compares as its strong one for reads.
    static func matches(_ header: Span<UInt8>, _ tag: Span<UInt8>) -> Bool {
        if header.equals("*") { return true }
        var start = 0
        while start + tag.count <= header.count {
            if header.extracting(start..<start + tag.count).equals(tag) { return true }
            start += 1
        }
        return false
    }

    // MARK: - Changing

    private mutating func putDocument(
        _ route: Route, _ ifMatch: Span<UInt8>, _ body: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        let version: UInt64
        do throws(RequestRefusal) {
            let expected = try Self.expectedVersion(ifMatch)
            version = try put(route, body, expecting: expected)
        } catch {
            exchange.problem(error)
            return .done
        }
        // Every reactor has shards to bring the change into; the answer waits for all of them.
        let sequence = engine.master.sequence
        adopting.append((exchange.token, engine.master.generation, sequence))
        shared.ringAll()
        exchange.state = DocumentExchange(version: version, sequence: sequence)
        return .later
    }

    mutating func produce(_ state: DocumentExchange, _ exchange: inout Exchange) -> Progress {
        if engine.master.acknowledgement(of: state.sequence) == .unknown {
            exchange.problem(
                503, Outcome.unknown.code, Outcome.unknown.detail.description.utf8.span)
            return .done
        }
        let tag = ByteBuffer(etag: state.version)
        exchange.body.append("{\"version\":")
        exchange.body.append(decimal: Int64(state.version))
        exchange.body.append(",\"mark\":\"")
        append(mark: &exchange.body)
        exchange.body.append("\"}\n")
        exchange.respond(200) { $0.appendHeader("ETag", tag.span) }
        return .done
    }

    /// The version that If-Match names; nil for none or `*`.
    static func expectedVersion(
        _ ifMatch: Span<UInt8>
    ) throws(RequestRefusal) -> UInt64? {
        if ifMatch.isEmpty || ifMatch.equals("*") { return nil }
        if ifMatch.count > 3, ifMatch.extracting(first: 2).equals("\"v"),
            ifMatch[ifMatch.count - 1] == UInt8(ascii: "\""),
            let version = ifMatch.extracting(2..<ifMatch.count - 1).decimalInteger(), version >= 0
        {
            return UInt64(version)
        }
        throw RequestRefusal(412, "version_mismatch", "If-Match names no version of this document")
    }

    private func put(
        _ route: Route, _ body: Span<UInt8>, expecting expected: UInt64?
    ) throws(RequestRefusal) -> UInt64 {
        let master = engine.master
        switch route {
        case .locations:
            let locations = try DocumentReader.locations(body)
            return try changed { () throws(MasterDataRefusal) in
                try master.put(locations: locations, expecting: expected)
            }
        case .groups:
            let groups = try DocumentReader.groups(body)
            return try changed { () throws(MasterDataRefusal) in
                try master.put(groups: groups, expecting: expected)
            }
        case .channels:
            let channels = try DocumentReader.channels(body)
            return try changed { () throws(MasterDataRefusal) in
                try master.put(channels: channels, expecting: expected)
            }
        default:
            let rules = try DocumentReader.rules(body)
            return try changed { () throws(MasterDataRefusal) in
                try master.put(rules: rules, expecting: expected)
            }
        }
    }

    private func changed(
        _ change: () throws(MasterDataRefusal) -> UInt64
    ) throws(RequestRefusal) -> UInt64 {
        do throws(MasterDataRefusal) { return try change() } catch {
            throw RequestRefusal(error.status, error.code, error.detail)
        }
    }
}

extension MasterDataRefusal {
    /// The HTTP status that goes with it.
    var status: Int {
        switch self {
        case .versionMismatch: 412
        case .groupCycle: 422
        case .tooLarge: 413
        case .tooMany, .outOfMemory, .journalFull: 507
        case .busy, .readOnly: 503
        }
    }
}

extension ByteBuffer {
    /// The entity tag of a version.
    init(etag version: UInt64) {
        self.init(capacity: 24)
        append("\"v")
        append(decimal: Int64(truncatingIfNeeded: version))
        append("\"")
    }
}
