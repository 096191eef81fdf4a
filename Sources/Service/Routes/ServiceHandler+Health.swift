// Health, readiness and metrics.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import JSON
internal import Journal
internal import Platform
internal import Snapshot

extension ServiceHandler {
    /// GET /healthz, GET /readyz and GET /.
    ///
    /// The process is alive when it answers. It is ready when it takes reads and writes; what it
    /// cannot do just now is said by name.
    mutating func answerHealth(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        let state = shared.state
        let status = state.status
        exchange.body.append("{\"name\":\"holdfast\",\"status\":\"")
        exchange.body.append(status.name)
        exchange.body.append("\",\"durability\":\"")
        exchange.body.append(state.durability?.description ?? "memory")
        exchange.body.append("\",\"reads\":")
        exchange.body.append(boolean: status != .starting)
        exchange.body.append(",\"writes\":")
        exchange.body.append(boolean: status == .ok)
        if !bytes.part(head.path).equals("/healthz") {
            let isEverywhere = engine.adoptedGeneration >= engine.master.generation
            exchange.body.append(",\"ready\":")
            exchange.body.append(boolean: status == .ok)
            exchange.body.append(",\"policy_everywhere\":")
            exchange.body.append(boolean: isEverywhere)
            if status == .starting {
                exchange.body.append(",\"frames_replayed\":")
                exchange.body.append(decimal: Int64(state.replayedFrameCount))
            }
            if let failure = state.journal?.failure {
                exchange.body.append(",\"error\":")
                exchange.body.append(jsonString: failure.description.utf8.span)
            }
            if let failure = state.snapshots?.historyFailure {
                exchange.body.append(",\"history_error\":")
                exchange.body.append(jsonString: failure.utf8.span)
            }
            if let failure = state.snapshots?.failure {
                exchange.body.append(",\"snapshot_error\":")
                exchange.body.append(jsonString: failure.utf8.span)
            }
        }
        exchange.body.append(",\"clock_skew_ms\":")
        exchange.body.append(decimal: shared.clock.skew(exchange.now))
        exchange.body.append("}\n")
        let isRed = bytes.part(head.path).equals("/readyz") && status != .ok
        exchange.respond(isRed ? 503 : 200)
        return .done
    }

    /// GET /metrics, in the text format of Prometheus (version 0.0.4).
    mutating func answerMetrics(_ exchange: inout Exchange) -> Progress {
        appendShards(&exchange.body)
        appendConnections(&exchange.body)
        appendLatencies(&exchange.body)
        exchange.respond(200, contentType: "text/plain; version=0.0.4")
        return .done
    }

    private func appendShards(_ output: inout ByteBuffer) {
        // Each shard's owner publishes its figures once a turn.
        var sums = ShardFigures()
        for shard in 0..<engine.shardCount { sums.add(engine.figures(shard)) }
        output.metric("holdfast_positions", "gauge", Int64(sums.positions))
        output.metric("holdfast_skus", "gauge", Int64(sums.skus))
        output.metric("holdfast_shard_memory_bytes", "gauge", Int64(sums.byteCount))
        output.metric("holdfast_resident_memory_bytes", "gauge", Int64(Machine.residentByteCount))
        output.metric("holdfast_remembered_events", "gauge", Int64(sums.remembered))
        output.metric("holdfast_parked_events", "gauge", Int64(sums.parkedNow))
        output.metric("holdfast_rules_version", "gauge", Int64(policy.rules.version))
        if let journal = shared.state.journal {
            output.metric(
                "holdfast_journal_durable_bytes", "counter", Int64(journal.durablePosition))
            output.metric("holdfast_journal_state", "gauge", Int64(journal.state.rawValue))
            let keeper = shared.state.snapshots
            output.metric(
                "holdfast_snapshot_number", "gauge", Int64(keeper?.list.first?.number ?? 0))
            output.metric("holdfast_snapshot_failed", "gauge", keeper?.failure == nil ? 0 : 1)
        }
        output.type("holdfast_commands_total", "counter")
        output.sample("holdfast_commands_total", "outcome", "accepted", Int64(sums.accepted))
        output.sample("holdfast_commands_total", "outcome", "recorded", Int64(sums.recorded))
        output.sample("holdfast_commands_total", "outcome", "duplicate", Int64(sums.duplicates))
        output.sample("holdfast_commands_total", "outcome", "parked", Int64(sums.parked))
        output.sample("holdfast_commands_total", "outcome", "rejected", Int64(sums.rejected))
        output.type("holdfast_source_gaps", "gauge")
        append(gapsTo: &output)
        output.type("holdfast_inbox_commands", "gauge")
        for shard in 0..<engine.shardCount {
            output.append("holdfast_inbox_commands{shard=\"")
            output.append(decimal: shard)
            output.append("\"} ")
            output.append(decimal: engine.queuedCommands(shard))
            output.append("\n")
        }
    }

    private func appendConnections(_ output: inout ByteBuffer) {
        var counts = ReactorCounts()
        for seat in shared.seats { counts.add(seat.metrics.counts) }
        let names: [(StaticString, StaticString, ReactorCounter)] = [
            ("holdfast_connections", "gauge", .open),
            ("holdfast_connections_accepted_total", "counter", .accepted),
            ("holdfast_connections_refused_total", "counter", .refused),
            ("holdfast_connections_timed_out_total", "counter", .timedOut),
            ("holdfast_connections_cut_total", "counter", .cut),
            ("holdfast_requests_malformed_total", "counter", .malformed),
            ("holdfast_received_bytes_total", "counter", .bytesIn),
            ("holdfast_sent_bytes_total", "counter", .bytesOut),
            ("holdfast_buffered_bytes", "gauge", .bufferedBytes),
        ]
        for (name, type, counter) in names {
            output.metric(name, type, Int64(truncatingIfNeeded: counts[counter]))
        }
    }

    private func appendLatencies(_ output: inout ByteBuffer) {
        output.type("holdfast_request_seconds", "summary")
        for route in Route.allCases {
            var histogram = LatencyHistogram()
            for seat in shared.seats {
                histogram.add(seat.metrics.latency.histogram(route: Int(route.rawValue)))
            }
            let count = histogram.count
            if count == 0 { continue }
            for (label, share) in [("0.5", 0.5), ("0.99", 0.99), ("0.999", 0.999)] {
                output.append("holdfast_request_seconds{call=\"")
                output.append(route.name)
                output.append("\",quantile=\"")
                output.append(label as String)
                output.append("\"} ")
                output.append(seconds: histogram.quantile(share))
                output.append("\n")
            }
            output.append("holdfast_request_seconds_sum{call=\"")
            output.append(route.name)
            output.append("\"} ")
            output.append(seconds: histogram.sum)
            output.append("\nholdfast_request_seconds_count{call=\"")
            output.append(route.name)
            output.append("\"} ")
            output.append(decimal: Int64(count))
            output.append("\n")
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func append(boolean: Bool) {
        append(boolean ? "true" as StaticString : "false")
    }

    fileprivate mutating func type(_ name: StaticString, _ type: StaticString) {
        append("# TYPE ")
        append(name)
        append(UInt8(ascii: " "))
        append(type)
        append("\n")
    }

    fileprivate mutating func metric(_ name: StaticString, _ type: StaticString, _ value: Int64) {
        self.type(name, type)
        append(name)
        append(UInt8(ascii: " "))
        append(decimal: value)
        append("\n")
    }

    fileprivate mutating func sample(
        _ name: StaticString, _ label: StaticString, _ of: StaticString, _ value: Int64
    ) {
        append(name)
        append("{")
        append(label)
        append("=\"")
        append(of)
        append("\"} ")
        append(decimal: value)
        append("\n")
    }

    fileprivate mutating func append(seconds nanoseconds: UInt64) {
        append(decimal: Int64(nanoseconds / 1_000_000_000))
        append(UInt8(ascii: "."))
        append(padded: Int(nanoseconds % 1_000_000_000), width: 9)
    }
}
