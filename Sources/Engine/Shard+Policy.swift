// Bringing in another policy without stopping reads: run by run, a bounded number a turn.

internal import Columns
internal import Domain

extension Shard {
    /// The policy whose safety stock all positions have.
    package var adoptedGeneration: UInt64 { policy.generation }

    /// Goes on towards `newest`.
    ///
    /// Each SKU changes from the old rules to the new ones at one moment. Events meanwhile are
    /// evolved under the rules that their SKU has just then.
    ///
    /// - Returns: Whether there is more to do.
    package mutating func adopt(_ newest: Policy) -> Bool {
        if nextPolicy == nil {
            if policy.generation == newest.generation { return false }
            if policy.safetyStock === newest.safetyStock || positions.skuCount == 0
                || defects.has(.rulesNotBroughtIn)
            {
                policy = newest
                return false
            }
            nextPolicy = newest
            nextPolicySKU = 0
        }
        guard let next = nextPolicy else { return false }
        var rows = 0
        while nextPolicySKU < positions.skuCount, rows < options.policyRowsPerTurn {
            rows += 1 + positions.reader.extent(UInt32(nextPolicySKU)).count
            rematerialise(UInt32(nextPolicySKU), next.safetyStock)
        }
        if nextPolicySKU == positions.skuCount {
            policy = next
            nextPolicy = nil
        }
        return nextPolicy != nil || policy.generation != newest.generation
    }

    private mutating func rematerialise(_ sku: UInt32, _ table: SafetyStockTable) {
        let hasRules = positions.reader.names.withName(sku) { table.namesSKU($0) }
        let flags = positions.attributes[Int(sku)].flags
        let marked = markedFlags(flags, hasRules)
        if marked != flags { positions.attributes.update(Int(sku)) { $0.flags = marked } }
        nextPolicySKU = Int(sku) + 1
        positions.beginChange(sku)
        rederive(sku)
        positions.endChange(sku)
    }
}
