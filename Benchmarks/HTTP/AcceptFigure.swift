// Two ways to accept: each reactor listens by itself on the same port, or all share one listener.

import Bytes
import Platform

extension Benchmark {
    /// Connections for one request each, accepted by a shared listener; against reactors that listen
    /// each for itself.
    func measureAccept() throws {
        let own = try ServerProcess(["service", "--reactors", "2"])
        let shared = try ServerProcess(["service", "--reactors", "2", "--shared"])
        report.add(
            Figure(
                "accept", positions: 0, shape: "2 reactors, one listener",
                unit: "connections/cpu s", roofline: "a listener each",
                Comparison(
                    rounds: options.repeatCount, rooflines: [{ self.connect(to: own) }],
                    figure: { self.connect(to: shared) })))
    }

    private func connect(to server: ServerProcess) -> Round {
        let request = Array("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        let count = options.isSmoke ? 200 : 10_000
        let before = server.processorNanoseconds
        for _ in 0..<count {
            do {
                var loop = try LoadLoop(server.address, connections: 1, pipeline: 1)
                try loop.runOnce(request)
            } catch { fatalError("a connection was not served: \(error)") }
        }
        return Round(
            amount: count, checksum: 0, nanoseconds: server.processorNanoseconds - before)
    }
}
