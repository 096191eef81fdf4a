// Reads one table of a snapshot, a column chunk at a time.

internal import Bytes
internal import Parquet
internal import Platform

/// An open table. Holds the bytes of a chunk.
struct TableReader: ~Copyable {
    let name: String
    let footer: ParquetFooter
    private let table: SnapshotTable
    private let file: any StoredFile
    private var reader: ParquetChunkReader

    private init(
        _ table: SnapshotTable, _ name: String, _ footer: ParquetFooter,
        _ file: any StoredFile, _ reader: consuming ParquetChunkReader
    ) {
        self.table = table
        self.name = name
        self.footer = footer
        self.file = file
        self.reader = reader
    }

    static func open(
        _ table: SnapshotTable, shard: Int, of snapshot: Snapshot
    ) throws(SnapshotError) -> TableReader {
        let name = table.fileName(shard: shard)
        let expected = try snapshot.manifest.file(name)
        let file = try open(name, of: snapshot)
        let footer = try footer(file, expected)
        guard footer.columns == table.columns, footer.rowCount == expected.rows else {
            throw .file(name, .wrongTable)
        }
        do throws(ParquetError) {
            return TableReader(table, name, footer, file, try ParquetChunkReader())
        } catch { throw .outOfMemory }
    }

    private static func open(
        _ name: String, of snapshot: Snapshot
    ) throws(SnapshotError) -> any StoredFile {
        do throws(SystemError) {
            return try snapshot.place.storage.open(
                "\(snapshot.folder)/\(name)", isUncached: false)
        } catch { throw error.isMissingFile ? .file(name, .missing) : .system(error) }
    }

    private static func footer(
        _ file: any StoredFile, _ expected: SnapshotFile
    ) throws(SnapshotError) -> ParquetFooter {
        var bytes = ByteBuffer()
        do throws(SystemError) {
            let size = try file.byteCount()
            let tail = max(0, size - ParquetFooter.tailByteCount)
            _ = try file.read(at: tail, size - tail, into: &bytes)
        } catch { throw .system(error) }
        let range: ByteRange
        do throws(ParquetError) {
            range = try ParquetFooter.range(tail: bytes.span, fileByteCount: expected.bytes)
        } catch { throw .file(expected.name, .parquet(error)) }
        bytes.removeAll()
        do throws(SystemError) {
            _ = try file.read(at: range.offset, range.count, into: &bytes)
        } catch { throw .system(error) }
        guard bytes.count == range.count else {
            throw .file(
                expected.name, .wrongSize(expected: expected.bytes, found: bytes.count))
        }
        do throws(ParquetError) {
            return try ParquetFooter(bytes.span, at: range.offset)
        } catch { throw .file(expected.name, .parquet(error)) }
    }

    var rowGroupCount: Int { footer.rowGroups.count }

    func rowCount(_ group: Int) -> Int { footer.rowGroups[group].rowCount }

    // MARK: - Columns

    /// Reads a column of a row group over what `values` holds.
    mutating func read(
        _ column: String, _ group: Int, into values: inout Buffer<Int32>
    ) throws(SnapshotError) {
        let chunk = chunk(column, group)
        let bytes = try load(chunk)
        values.removeAll()
        values.append(repeating: 0, count: chunk.rowCount)
        var span = values.mutableSpan
        do throws(ParquetError) { try reader.read(chunk, bytes.span, into: &span) } catch {
            throw .file(name, .parquet(error))
        }
    }

    mutating func read(
        _ column: String, _ group: Int, into values: inout Buffer<Int64>
    ) throws(SnapshotError) {
        let chunk = chunk(column, group)
        let bytes = try load(chunk)
        values.removeAll()
        values.append(repeating: 0, count: chunk.rowCount)
        var span = values.mutableSpan
        do throws(ParquetError) { try reader.read(chunk, bytes.span, into: &span) } catch {
            throw .file(name, .parquet(error))
        }
    }

    /// Reads a column of strings as numbers into `strings`.
    mutating func read(
        _ column: String, _ group: Int, strings: inout StringTable,
        into numbers: inout Buffer<UInt32>
    ) throws(SnapshotError) {
        let chunk = chunk(column, group)
        let bytes = try load(chunk)
        numbers.removeAll()
        numbers.append(repeating: 0, count: chunk.rowCount)
        var span = numbers.mutableSpan
        do throws(ParquetError) {
            try reader.read(chunk, bytes.span, strings: &strings, into: &span)
        } catch { throw .file(name, .parquet(error)) }
    }

    private func chunk(_ column: String, _ group: Int) -> ParquetChunk {
        guard let index = table.columns.firstIndex(where: { $0.name == column }) else {
            preconditionFailure("a column that the table has not")
        }
        return footer.rowGroups[group].chunks[index]
    }

    private func load(_ chunk: ParquetChunk) throws(SnapshotError) -> ByteBuffer {
        var bytes = ByteBuffer(capacity: chunk.range.count)
        do throws(SystemError) {
            _ = try file.read(at: chunk.range.offset, chunk.range.count, into: &bytes)
        } catch { throw .system(error) }
        guard bytes.count == chunk.range.count else {
            throw .file(name, .parquet(ParquetError(.truncated, at: chunk.range.offset)))
        }
        return bytes
    }
}
