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
    ///   - snapshotCount: Snapshots that the life takes, one after the other, behind so many steps each.
    ///   - survivalCount: How often each cut is made, each time with other sectors that survive.
    /// - Throws: When there is no memory for it.
    package static func cutEverywhere(
        seed: UInt64, stepCount: Int, snapshotCount: Int = 0, survivalCount: Int,
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
                    seed: seed, faults, stepCount, snapshotCount, survival: UInt64(survival / 2))
                isCut = isCut || wasCut
            }
        }
        return simulation.result
    }

    /// - Returns: Whether the cut was within the life.
    private mutating func runCut(
        seed: UInt64, _ faults: DiskFaults, _ stepCount: Int, _ snapshotCount: Int,
        survival: UInt64
    ) throws(SystemError) -> Bool {
        begin(seed: seed)
        disk.reset(seed: SeededBits.mix(seed ^ survival))
        folders.reset()
        disk.plan(faults)
        var machine = try start()
        if let machine = machine.take() {
            workThrough(machine, stepCount: stepCount, snapshotCount: snapshotCount)
        }
        let isCut = disk.isOff
        result.crashCount += 1
        clients.crash()
        cut()
        oracle.visit(.powerLost)
        var found = try start()
        if let first = found.take() { found = try startAgain(first) }
        if let machine = found.take() {
            work(machine, stepCount: 8, takesSnapshot: snapshotCount > 0, isSettled: true)
        }
        cut()
        clients.crash()
        end(seed: seed)
        return isCut
    }

    private mutating func workThrough(
        _ machine: consuming Machine, stepCount: Int, snapshotCount: Int
    ) {
        if snapshotCount == 0 {
            return work(machine, stepCount: stepCount, takesSnapshot: false, isSettled: true)
        }
        var machine = machine
        for _ in 0..<snapshotCount where !isOver {
            for _ in 0..<stepCount where !isOver { step(&machine) }
            if !isOver { takeSnapshot(&machine) }
        }
        if !isOver { settle(&machine) }
    }
}
