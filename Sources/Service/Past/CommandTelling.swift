// What history tells of a command beside its facts of units: what kind of event it was, who told of it,
// and why.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// The names of event sources by id.
struct SourceNames {
    private let names: NameDictionaryView
    private let count: Int

    init(_ master: MasterData) {
        names = master.sourceNames
        count = master.nameCounts.sources
    }

    /// Appends a source's name: empty where the event named none, null where it is not known.
    func append(_ source: EventSource, to output: inout ByteBuffer) {
        if source == .none {
            output.append("\"\"")
        } else if let id = source.id, Int(id) < count {
            names.withName(UInt32(id)) { output.append(jsonString: $0) }
        } else {
            output.append("null")
        }
    }
}

/// The facts of a command that are about it, not about stock.
struct CommandTelling {
    private(set) var event: RememberedEvent?
    private var origin: EventOrigin?
    private var reason = ByteRange.none

    /// - Parameter facts: Of one command.
    init(_ facts: borrowing Buffer<Fact>) {
        for index in facts.indices {
            switch facts[index] {
            case .remembered(let event, let origin):
                self.event = event
                self.origin = origin
            case .reasonGiven(let reason): self.reason = reason
            default: break
            }
        }
    }

    /// Appends `kind`, and `source` and `reason` of an event. What has no id is a row of stock.
    func append(_ payload: Span<UInt8>, _ sources: SourceNames, to output: inout ByteBuffer) {
        output.append(",\"kind\":\"")
        output.append(origin?.kind.name ?? "stock")
        output.append("\"")
        guard let origin else { return }
        output.append(",\"source\":")
        sources.append(origin.source, to: &output)
        if reason.isEmpty { return }
        output.append(",\"reason\":")
        output.append(jsonString: payload.part(reason))
    }
}
