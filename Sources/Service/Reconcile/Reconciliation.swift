// Another system's stock compared with ours, both at that system's cut-off.
//
//     CSV rows or JSON objects of the file
//                      ──▶ our units as of the cut-off, by name ──▶ equal, or a variance
//     what no row named and holds units                         ──▶ a variance too
//     facts around the cut-off ──▶ what may explain each
//
// Only conditions that the file has are compared. Memory: a bit a position, and the variances.

package import Bytes
internal import CSV
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// Why a file cannot be compared.
package struct StockFileError: Error, Equatable, Sendable {
    package let line: Int
    package let code: String
}

/// A row that was left out, and why.
package struct RejectedStockRow: Equatable, Sendable {
    /// 0: the file has no lines.
    package let line: Int
    package let code: String

    package init(line: Int, code: String) {
        self.line = line
        self.code = code
    }
}

/// The comparison, fed with the text of the file as it is read.
package struct Reconciliation: ~Copyable {
    let state: StoredState
    let cutOff: Milliseconds
    private var shape = IngestShape.undecided
    private var reader = CSVReader()
    private var header: CSVHeader?
    private var elements = JSONElementScanner(byteCountMax: IngestExchange.elementByteCountMax)
    private var lines = JSONLineScanner(byteCountMax: IngestExchange.elementByteCountMax)
    private var decoder = RowDecoder()

    /// Of each shard: rows that the file named, a bit each.
    private var named: [[UInt64]]
    package internal(set) var variances: [Variance] = []
    package private(set) var rejected: [RejectedStockRow] = []

    /// Rows of the file that were compared, and positions of ours with units that it did not name.
    package private(set) var rowCount = 0
    package private(set) var unnamedCount = 0
    /// Units in all, of the conditions compared.
    package private(set) var theirUnits: Int64 = 0
    package private(set) var ourUnits: Int64 = 0
    private var conditions: [Condition] = []

    /// SKUs of the file that are not known here.
    private var unknownNames: [String] = []

    /// - Parameter state: As of the cut-off. Its engine is this comparison's from here on.
    package init(_ state: StoredState, cutOff: Milliseconds) {
        self.state = state
        self.cutOff = cutOff
        named = (0..<state.engine.shardCount).map { number in
            let count = state.engine.withShard(number) { $0.positions.rowCount }
            return Array(repeating: 0, count: (count + 63) / 64)
        }
    }

    /// Compares the rows at the front of `bytes`.
    ///
    /// - Returns: How many bytes are done with: the rest is wanted again with more behind it.
    /// - Throws: When the header is not that of a stock file, or the array no JSON.
    package mutating func take(
        _ bytes: Span<UInt8>, isFinal: Bool
    ) throws(StockFileError) -> Int {
        if shape == .undecided {
            shape = IngestShape(of: bytes)
            if shape == .undecided, !isFinal { return 0 }
            // A row of CSV begins with neither bracket nor brace.
            if shape != .array, !bytes.isObject { shape = .rows }
        }
        return shape == .rows
            ? try takeRows(bytes, isFinal: isFinal) : try takeElements(bytes, isFinal: isFinal)
    }

    private mutating func takeElements(
        _ bytes: Span<UInt8>, isFinal: Bool
    ) throws(StockFileError) -> Int {
        while true {
            let step =
                shape == .array
                ? elements.next(bytes, isFinal: isFinal) : lines.next(bytes, isFinal: isFinal)
            switch step {
            case .element(let range): take(json: bytes.part(range))
            case .needMore(let consumed):
                if shape == .array { elements.dropped(consumed) } else { lines.dropped(consumed) }
                return consumed
            case .end: return bytes.count
            case .refused(let error):
                guard shape == .lines else {
                    throw StockFileError(line: 1, code: "\(error.code.name)")
                }
                reject(lines.line, "\(error.code.name)")
            }
        }
    }

    private mutating func take(json bytes: Span<UInt8>) {
        let line = shape == .lines ? lines.line : 0
        do throws(ElementRefusal) {
            let decoded = try decoder.decode(
                .stock, json: bytes, state.engine, at: cutOff, now: cutOff, index: 0)
            for condition in Condition.allCases
            where decoded.command[counted: condition] != nil && !conditions.contains(condition) {
                conditions.append(condition)
            }
            compare(decoded, bytes, line: line)
        } catch { reject(line, "\(error.code)") }
    }

    private mutating func takeRows(
        _ bytes: Span<UInt8>, isFinal: Bool
    ) throws(StockFileError) -> Int {
        while true {
            switch reader.nextRow(bytes, isFinal: isFinal) {
            case .row:
                guard let header else {
                    header = try readHeader(bytes)
                    continue
                }
                take(row: header, bytes)
            case .needMore(let consumed):
                reader.dropped(consumed)
                return consumed
            case .end:
                guard header != nil else { throw StockFileError(line: 1, code: "no_header") }
                return bytes.count
            case .refused(let refusal):
                guard header != nil else {
                    throw StockFileError(line: refusal.line, code: "\(refusal.code.name)")
                }
                reject(refusal.line, "\(refusal.code.name)")
            }
        }
    }

    private mutating func readHeader(
        _ bytes: Span<UInt8>
    ) throws(StockFileError) -> CSVHeader {
        do throws(CSVRefusal) {
            let header = try CSVHeader(RowDecoder.columns(.stock), row: reader, in: bytes)
            let hasOnHand = header.index(of: 6) != nil
            conditions = Condition.allCases.filter { condition in
                header.index(of: 2 + Int(condition.rawValue)) != nil
                    || condition == .sellable && hasOnHand
            }
            return header
        } catch { throw StockFileError(line: error.line, code: "\(error.code.name)") }
    }

    private mutating func reject(_ line: Int, _ code: String) {
        rejected.append(RejectedStockRow(line: line, code: code))
    }

    private mutating func take(row header: CSVHeader, _ bytes: Span<UInt8>) {
        let line = reader.rowLine
        do throws(ElementRefusal) {
            let decoded = try decoder.decode(
                .stock, reader, header, bytes, state.engine, at: cutOff, now: cutOff, index: 0)
            compare(decoded, bytes, line: line)
        } catch { reject(line, "\(error.code)") }
    }

    /// - Parameter bytes: What it was decoded from.
    private mutating func compare(
        _ decoded: EventDecoder.Decoded, _ bytes: Span<UInt8>, line: Int
    ) {
        let command = decoded.command
        let shard = state.engine.shard(of: command.key)
        let sku = decoder.withName(decoded.sku, of: bytes) { name in
            state.engine.reader(shard).names.id(name, command.key)
        }
        var variance = Variance(
            shard: UInt16(shard), sku: sku ?? Variance.unknown, location: command.location,
            condition: .sellable, kind: .differs, theirs: 0, ours: 0, line: line)
        var ours: PositionState?
        if let sku {
            let key = PositionKey(sku: sku, location: command.location)
            if let (row, units) = state.engine.withShard(shard, { $0.stock(of: key) }) {
                if named[shard][row >> 6] & 1 << (row & 63) != 0 {
                    return reject(line, "repeated_position")
                }
                named[shard][row >> 6] |= 1 << (row & 63)
                ours = units
            }
        } else {
            variance.sku = Variance.unknown - UInt32(unknownNames.count) - 1
        }
        rowCount += 1
        if ours == nil { variance.kind = .missingHere }
        var hasVariance = false
        for condition in conditions {
            guard let theirs = command[counted: condition] else { continue }
            theirUnits += Int64(theirs)
            ourUnits += Int64(ours?[condition] ?? 0)
            variance.condition = condition
            variance.theirs = theirs
            variance.ours = ours?[condition] ?? 0
            if variance.difference == 0 { continue }
            variances.append(variance)
            hasVariance = true
        }
        if sku == nil, hasVariance {
            unknownNames.append(decoder.withName(decoded.sku, of: bytes) { $0.text })
        }
    }

    /// Looks for what the file did not name, and puts the largest differences first.
    package mutating func finish() {
        for number in 0..<state.engine.shardCount { takeUnnamed(number) }
        variances.sort { first, second in
            (first.size, second.line, second.shard, second.sku)
                > (second.size, first.line, first.shard, first.sku)
        }
    }

    private mutating func takeUnnamed(_ number: Int) {
        let conditions = conditions
        let named = named[number]
        var found: [Variance] = []
        var (count, units): (Int, Int64) = (0, 0)
        state.engine.withShard(number) { shard in
            for sku in 0..<UInt32(shard.positions.skuCount) {
                for row in shard.positions.reader.extent(sku).rows
                where named[row >> 6] & 1 << (row & 63) == 0 {
                    let location = shard.positions.reader.location(at: row)
                    let key = PositionKey(sku: sku, location: location)
                    guard let (_, ours) = shard.stock(of: key) else { continue }
                    let before = found.count
                    for condition in conditions where ours[condition] != 0 {
                        units += Int64(ours[condition])
                        found.append(
                            Variance(
                                shard: UInt16(number), sku: sku, location: location,
                                condition: condition, kind: .missingThere, theirs: 0,
                                ours: ours[condition], line: 0))
                    }
                    if found.count > before { count += 1 }
                }
            }
        }
        variances += found
        unnamedCount += count
        ourUnits += units
    }

    // MARK: - Names

    func skuName(_ variance: Variance) -> String {
        let known = state.engine.withShard(Int(variance.shard)) { $0.positions.skuCount }
        if Int(variance.sku) < known {
            return state.engine.reader(Int(variance.shard)).names.text(variance.sku)
        }
        return unknownNames[Int(Variance.unknown - variance.sku) - 1]
    }

    func locationName(_ variance: Variance) -> String {
        state.engine.master.locationNames.text(UInt32(variance.location))
    }
}

extension Span<UInt8> {
    /// Whether they begin with an object of JSON.
    fileprivate var isObject: Bool {
        for index in indices where ![0x20, 0x09, 0x0A, 0x0D].contains(self[index]) {
            return self[index] == UInt8(ascii: "{")
        }
        return false
    }
}
