// The positions of single SKUs of what is loaded.

package import Bytes
internal import Columns
package import Domain
internal import Engine

/// One SKU at one location.
package struct StoredPosition: Equatable, Sendable {
    package var location: String
    package var units: PositionState
    /// What may be promised of it, with no channel in mind.
    package var available: Int32

    package init(location: String, units: PositionState, available: Int32) {
        self.location = location
        self.units = units
        self.available = available
    }
}

extension StoredState {
    /// How late a count may come where a service is told nothing else.
    package static var standardLateWindow: Milliseconds { EngineOptions().lateWindow }

    /// All positions of a SKU, by location; nil where the SKU is not known.
    package func positions(of sku: String) -> [StoredPosition]? {
        let name = sku.utf8.span
        guard let key = engine.key(of: sku) else { return nil }
        let policy = engine.master.policy(now: now)
        return engine.withShard(engine.shard(of: key)) { shard -> [StoredPosition]? in
            guard let id = shard.positions.reader.names.id(name, key) else { return nil }
            var details = Buffer<PositionDetail>()
            shard.appendDetails(of: id, to: &details)
            return details.indices.map { position(details[$0], policy) }
                .sorted { $0.location < $1.location }
        }
    }

    private func position(_ detail: PositionDetail, _ policy: Policy) -> StoredPosition {
        var units = PositionState()
        units.sellable = detail.sellable
        units.returned = detail.returned
        units.damaged = detail.damaged
        units.blocked = detail.blocked
        units.held = detail.held
        units.allocated = detail.allocated
        units.safetyStock = detail.safetyStock
        return StoredPosition(
            location: engine.master.locationNames.text(UInt32(detail.location)), units: units,
            available: availableToPromise(
                free: detail.free, isOpen: policy.isOpen(detail.location)))
    }
}

extension Engine {
    /// The key of a SKU; nil where no SKU can have that name.
    func key(of sku: String) -> NameKey? {
        do throws(IdentifierRefusal) { try Identifier.check(sku.utf8.span) } catch { return nil }
        return NameKey(sku.utf8.span, hasher)
    }
}
