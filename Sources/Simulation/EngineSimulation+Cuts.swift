// A cut at every place of one life: the same script again and again, the power going one operation
// later each time, before and after its effect, with several survivals of what was not synced.

package import Engine
internal import Journal
package import Platform

extension EngineSimulation {
    /// Cuts the life that `seed` gives at each operation of its disk.
    ///
    /// - Parameters:
    ///   - stepCount: Steps of the life.
    ///   - takesSnapshot: There are two snapshots before it, and it ends with a third, what this makes
    ///     needless is pruned and trimmed.
    ///   - survivalCount: How often each cut is made, each time with other sectors that survive.
    /// - Throws: When there is no memory for it.
    package static func cutEverywhere(
        seed: UInt64, stepCount: Int, takesSnapshot: Bool = false, survivalCount: Int,
        defects: EngineDefects = EngineDefects()
    ) throws(SystemError) -> Result {
        var simulation = try EngineSimulation(defects: defects)
        var operation = 0
        var isCut = true
        while isCut, simulation.result.finding == nil {
            operation += 1
            isCut = false
            for survival in 0..<2 * survivalCount where simulation.result.finding == nil {
                var faults = DiskFaults()
                faults.cutAt = operation
                faults.cutsAfter = survival % 2 == 1
                let wasCut = try simulation.runCut(
                    seed: seed, faults, stepCount, takesSnapshot,
                    survival: UInt64(survival / 2))
                isCut = isCut || wasCut
            }
        }
        return simulation.result
    }

    /// - Returns: Whether the cut was within the life.
    private mutating func runCut(
        seed: UInt64, _ faults: DiskFaults, _ stepCount: Int, _ takesSnapshot: Bool,
        survival: UInt64
    ) throws(SystemError) -> Bool {
        begin(seed: seed)
        disk.reset(seed: SeededBits.mix(seed ^ survival))
        keptCount = 2
        if takesSnapshot {
            try liveWithSnapshots(stepCount, 2)
            clients.crash()
            disk.kill()
        }
        disk.plan(faults)
        if takesSnapshot {
            try liveWithSnapshots(stepCount, 1)
        } else if let machine = try start() {
            work(machine, stepCount: stepCount, takesSnapshot: false, isSettled: true)
        }
        let isCut = disk.isOff
        result.crashCount += 1
        clients.crash()
        cut()
        oracle.visit(.powerLost)
        var found = try start()
        if let first = found.take() { found = try startAgain(first) }
        if let machine = found.take() {
            work(machine, stepCount: 8, takesSnapshot: takesSnapshot, isSettled: true)
        }
        cut()
        clients.crash()
        end(seed: seed)
        return isCut
    }

    /// A life that takes a snapshot behind every so many steps.
    private mutating func liveWithSnapshots(
        _ stepCount: Int, _ snapshotCount: Int
    ) throws(SystemError) {
        guard var machine = try start() else { return }
        for _ in 0..<snapshotCount {
            for _ in 0..<stepCount where !isOver { step(&machine) }
            if !isOver { takeSnapshot(&machine) }
        }
        if !isOver { settle(&machine) }
    }
}
