// Which call a request is: by method and path alone, exactly as sent.

internal import Bytes
internal import HTTP

/// The calls, as /metrics names them.
package enum Route: UInt8, CaseIterable, Sendable {
    case other
    case availabilityBatch
    case availabilityOne
    case positions
    case events
    case stock
    case items
    case locations
    case groups
    case channels
    case rules
    case deadLetters
    case snapshots
    case history
    case export
    case backup
    case reconciliations
    case sources
    case health
    case metrics

    package var name: StaticString {
        switch self {
        case .other: "other"
        case .availabilityBatch: "availability_batch"
        case .availabilityOne: "availability_one"
        case .positions: "positions"
        case .events: "events"
        case .stock: "stock"
        case .items: "items"
        case .locations: "locations"
        case .groups: "groups"
        case .channels: "channels"
        case .rules: "rules"
        case .deadLetters: "dead_letters"
        case .snapshots: "snapshots"
        case .history: "history"
        case .export: "export"
        case .backup: "backup"
        case .reconciliations: "reconciliations"
        case .sources: "sources"
        case .health: "health"
        case .metrics: "metrics"
        }
    }
}

/// A request's route, and the last segment of its path where the route takes one.
struct RouteMatch {
    var route: Route
    /// The path is of the route, but the method is not one of its methods.
    var allowed: StaticString?
    /// The segment behind the collection, still percent-encoded; empty when there is none.
    var segment = ByteRange.none

    /// - Returns: nil where no route has this path.
    @inline(__always)
    static func find(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> RouteMatch? {
        // The hot one, first.
        isAvailabilityBatch(head, bytes)
            ? RouteMatch(route: .availabilityBatch) : findAny(head, bytes)
    }

    @inline(__always)
    static func isAvailabilityBatch(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Bool {
        guard case .post = head.method else { return false }
        return bytes.part(head.path).equals("/v1/availability")
    }

    @inline(never)
    private static func findAny(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> RouteMatch? {
        let path = bytes.part(head.path)
        let method = head.method
        let isRead = method == .get || method == .head
        if path.equals("/") || path.equals("/healthz") || path.equals("/readyz") {
            return RouteMatch(route: .health, allowed: isRead ? nil : "GET, HEAD")
        }
        if path.equals("/metrics") {
            return RouteMatch(route: .metrics, allowed: isRead ? nil : "GET, HEAD")
        }
        guard path.count > 4, path.extracting(first: 4).equals("/v1/") else { return nil }
        var end = 4
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        let collection = path.extracting(4..<end)
        if collection.equals("dead-letters") {
            return LetterPath(head.path, bytes).map { letters in
                RouteMatch(
                    route: .deadLetters, allowed: letters.allows(method) ? nil : letters.methods)
            }
        }
        var segment = ByteRange.none
        if end < path.count {
            // One segment behind the collection, not empty.
            segment = ByteRange(from: head.path.offset + end + 1, to: head.path.end)
            let rest = bytes.part(segment)
            if rest.isEmpty || rest.firstOffset(of: UInt8(ascii: "/"), from: 0) < rest.count {
                return nil
            }
        }
        return find(collection, segment, method, isRead: isRead)
    }

    private static func find(
        _ collection: Span<UInt8>, _ segment: ByteRange, _ method: Method, isRead: Bool
    ) -> RouteMatch? {
        func match(_ route: Route, _ isAllowed: Bool, _ methods: StaticString) -> RouteMatch {
            RouteMatch(route: route, allowed: isAllowed ? nil : methods, segment: segment)
        }
        let isMember = !segment.isEmpty
        if collection.equals("availability") {
            return isMember
                ? match(.availabilityOne, isRead, "GET, HEAD")
                : match(.availabilityBatch, method == .post, "POST")
        }
        if collection.equals("positions") { return match(.positions, isRead, "GET, HEAD") }
        if collection.equals("export"), isMember { return match(.export, method == .get, "GET") }
        if collection.equals("history"), isMember {
            return match(.history, isRead, "GET, HEAD")
        }
        if collection.equals("items") {
            return isMember
                ? match(.items, isRead, "GET, HEAD")
                : match(.items, isRead || method == .put, "GET, HEAD, PUT")
        }
        if isMember { return nil }
        if collection.equals("events") { return match(.events, method == .post, "POST") }
        if collection.equals("stock") { return match(.stock, method == .post, "POST") }
        if collection.equals("sources") { return match(.sources, isRead, "GET, HEAD") }
        if collection.equals("backup") { return match(.backup, method == .get, "GET") }
        if collection.equals("reconciliations") {
            return match(.reconciliations, method == .post, "POST")
        }
        if collection.equals("snapshots") {
            return match(.snapshots, isRead || method == .post, "GET, HEAD, POST")
        }
        let documents: [(StaticString, Route)] = [
            ("rules", .rules), ("locations", .locations), ("groups", .groups),
            ("channels", .channels),
        ]
        for (name, route) in documents where collection.equals(name) {
            return match(route, isRead || method == .put, "GET, HEAD, PUT")
        }
        return nil
    }
}
