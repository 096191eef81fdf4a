// A command as a client of the simulation means it: by places in the small world.

internal import Bytes
internal import Domain
internal import Engine

struct ScriptCommand: Equatable {
    var verb = Verb.event
    var kind = EventKind.receipt
    var sku: Int
    var location: Int
    var toLocation: Int?
    var from = Condition.sellable
    var to = Condition.sellable
    var quantity: Int32 = 1
    /// The units of a stock row, by condition.
    var counted: [Condition: Int32] = [:]
    var at: Milliseconds
    /// nil for rows that have none.
    var id: Int?
    var isBackfill = false
    /// An event that stood aside is taken up again.
    var isRetry = false
    /// The number of the event that stands aside and is to be discarded.
    var discarded: UInt64?
    var category: Int?
    /// The name of an item, or the text of an event.
    var text = ""
    /// Who tells of an event, by its place in the small world; follows from its id.
    var source: Int? {
        guard let id, id % 3 > 0 else { return nil }
        return id % 3 - 1
    }
    /// Why an event came about; follows from its id.
    var reason: String {
        guard let id, verb == .event, id % 5 == 0 else { return "" }
        return "because of \(id)"
    }
    /// A location was not known when the command was sent, and unknown names are refused.
    var hasUnknownLocation = false

    /// What must be the same for a repeat not to be a conflict.
    var content: ScriptCommand {
        var content = self
        content.isBackfill = false
        content.isRetry = false
        content.text = ""
        content.hasUnknownLocation = false
        return content
    }

    /// The locations that it names, each once.
    var locations: [Int] {
        if verb == .item || verb == .discard { return [] }
        return [location] + (toLocation.map { [$0] } ?? [])
    }
}

extension ScriptCommand: CustomStringConvertible {
    var description: String {
        let sku = "\(SmallWorld.skus[sku])"
        let place = "\(sku) at \(SmallWorld.locations[location])"
        switch verb {
        case .discard: return "discard \(discarded ?? 0)"
        case .item:
            let category = category.map { "\(SmallWorld.categories[$0])" } ?? "-"
            return "item \(sku) in \(category) '\(text)'"
        case .stock:
            let units = Condition.allCases.compactMap { condition in
                counted[condition].map { "\(condition.name) \($0)" }
            }
            return "stock \(place): \(units.joined(separator: ", ")) as of \(at)"
        case .event:
            let target = toLocation.map { " to \(SmallWorld.locations[$0])" } ?? ""
            let name = id.map { " id \($0)" } ?? ""
            return "\(kind.name) \(quantity) \(place)\(target) \(from.name)>\(to.name) as of \(at)"
                + name + (isBackfill ? " backfill" : "") + (isRetry ? " retry" : "")
        }
    }
}
