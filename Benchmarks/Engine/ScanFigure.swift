// The full scan: what may be promised of everything.

import Engine

extension Benchmark {
    func measureScan(_ world: World) throws {
        let rooflines = try Rooflines(
            positionCount: Rooflines.batchCount, streamCount: world.layout.positionCount,
            places: [])
        let expected = UInt64(bitPattern: world.expectedTotal)
        report.add(
            Figure(
                "scan", positions: world.layout.positionCount,
                shape: world.layout.shape.rawValue, unit: "bytes/s", roofline: "stream",
                Comparison(
                    rounds: options.repeatCount, rooflines: rooflines.streams, expected: expected
                ) {
                    Round(
                        amount: world.layout.positionCount * 4,
                        checksum: UInt64(bitPattern: world.engine.totalAvailable()))
                }, goal: 0.8))
    }
}
