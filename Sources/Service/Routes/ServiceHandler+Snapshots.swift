// POST /v1/snapshots takes one and answers when it is published; GET lists those there are.

internal import Bytes
internal import Engine
internal import HTTP
internal import JSON
internal import Snapshot

/// A call that waits for its snapshot.
final class SnapshotExchange {
    let ticket: UInt64
    init(ticket: UInt64) { self.ticket = ticket }
}

extension ServiceHandler {
    mutating func answerSnapshots(
        _ head: borrowing RequestHead, _ exchange: inout Exchange
    ) -> Progress {
        guard let keeper = shared.state.snapshots else {
            exchange.refuseMemoryOnly()
            return .done
        }
        if head.method == .post {
            let ticket = keeper.ask()
            snapshotting.append((exchange.token, ticket))
            exchange.state = SnapshotExchange(ticket: ticket)
            return .later
        }
        exchange.body.append("{\"snapshots\":[")
        for (index, manifest) in keeper.list.enumerated() {
            if index > 0 { exchange.body.append(UInt8(ascii: ",")) }
            append(manifest, to: &exchange.body)
            exchange.body.append("}")
        }
        exchange.body.append("]}\n")
        exchange.respond(200)
        return .done
    }

    func produce(_ state: SnapshotExchange, _ exchange: inout Exchange) -> Progress {
        switch shared.state.snapshots?.outcome(state.ticket) {
        case .published(let manifest, let milliseconds):
            append(manifest, to: &exchange.body)
            exchange.body.append(",\"milliseconds\":")
            exchange.body.append(decimal: milliseconds)
            exchange.body.append("}\n")
            exchange.respond(201)
        case .failed(let reason): exchange.problem(503, "snapshot_failed", reason.utf8.span)
        case nil: exchange.problem(503, "snapshot_failed", "it was given up")
        }
        return .done
    }

    /// Appends what a manifest says, its object left open.
    private func append(_ manifest: Manifest, to output: inout ByteBuffer) {
        output.append("{\"number\":")
        output.append(decimal: Int64(truncatingIfNeeded: manifest.number))
        output.append(",\"time\":\"")
        output.append(rfc3339: manifest.time)
        output.append("\",\"positions\":")
        output.append(decimal: manifest.positions)
        output.append(",\"bytes\":")
        output.append(decimal: manifest.files.reduce(0) { $0 + $1.bytes })
        output.append(",\"files\":")
        output.append(decimal: manifest.files.count)
    }
}
