// The table of SKUs of one shard, in the order of their ids.

internal import Bytes
internal import Columns
internal import Engine
internal import Parquet

/// Collects SKUs and writes them in row groups.
struct SKURows: ~Copyable {
    private let shard: FrozenShard
    private let names: SharedNames
    private var table: TableWriter
    private let itemNames: [SideEntry]
    private var itemName = 0

    private var skus = StringTable()
    /// By id plus one, as SKUs have them; the empty name stands for none.
    private var categories = StringTable()
    private var texts = StringTable()
    private var numbers = Buffer<UInt32>()
    private var categoryNumbers = Buffer<UInt32>()
    private var textNumbers = Buffer<UInt32>()
    private var positionCounts = Buffer<Int32>()
    private var changeCounts = Buffer<Int64>()
    private var nextSKU = 0

    init(
        _ shard: FrozenShard, _ names: SharedNames, _ table: consuming TableWriter
    ) throws(SnapshotError) {
        self.shard = shard
        self.names = names
        self.table = table
        itemNames = shard.itemNameOf.sorted()
        categories.append("")
        for id in 0..<names.counts.categories {
            names.categories.withName(UInt32(id)) { categories.append($0) }
        }
        begin()
    }

    /// Begins a row group. The empty text stands for no name in plain words.
    private mutating func begin() {
        skus.removeAll()
        texts.removeAll()
        texts.append("")
        numbers.removeAll()
        categoryNumbers.removeAll()
        textNumbers.removeAll()
        positionCounts.removeAll()
        changeCounts.removeAll()
    }

    /// Adds the next SKU.
    mutating func append(positionCount: Int, changeCount: UInt64) throws(SnapshotError) {
        let sku = nextSKU
        nextSKU += 1
        numbers.append(UInt32(skus.count))
        shard.names.withName(UInt32(sku)) { skus.append($0) }
        categoryNumbers.append(UInt32(shard.positions.attributes[sku].category))
        appendItemName(UInt64(sku))
        positionCounts.append(Int32(positionCount))
        changeCounts.append(Int64(bitPattern: changeCount))
        if numbers.count == SnapshotTable.rowGroupRowCountMax { try write() }
    }

    private mutating func appendItemName(_ sku: UInt64) {
        var text = ByteBuffer()
        if itemName < itemNames.count, itemNames[itemName].key == sku {
            shard.appendItemName(itemNames[itemName].value, to: &text)
            itemName += 1
        }
        textNumbers.append(text.isEmpty ? 0 : UInt32(texts.count))
        if !text.isEmpty { texts.append(text: text.span) }
    }

    private mutating func write() throws(SnapshotError) {
        if numbers.count == 0 { return }
        try table.column(numbers, of: skus)
        try table.column(categoryNumbers, of: categories)
        try table.column(textNumbers, of: texts)
        try table.column(positionCounts)
        try table.column(changeCounts)
        begin()
    }

    consuming func finish() throws(SnapshotError) -> SnapshotFile {
        try write()
        return try table.finish()
    }
}
