// Writes one table of a snapshot into its file, chunk by chunk.

internal import Bytes
internal import Parquet
internal import Zstd

/// A table that is being written. At most a chunk's bytes are held.
struct TableWriter: ~Copyable {
    private let shouldContinue: () -> Bool
    private var sink: FileSink
    private var parquet: ParquetWriter

    private init(
        _ sink: consuming FileSink, _ parquet: consuming ParquetWriter,
        _ shouldContinue: @escaping () -> Bool
    ) {
        self.sink = sink
        self.parquet = parquet
        self.shouldContinue = shouldContinue
    }

    static func create(
        _ table: SnapshotTable, shard: Int, in folder: String, _ place: SnapshotPlace,
        _ shouldContinue: @escaping () -> Bool
    ) throws(SnapshotError) -> TableWriter {
        let sink = try FileSink.create(table.fileName(shard: shard), in: folder, place)
        do throws(ZstdError) {
            return TableWriter(sink, try ParquetWriter(table.columns), shouldContinue)
        } catch { throw SnapshotError(error) }
    }

    // Each writes the next column of a row group, which has a row at least.

    mutating func column(_ values: borrowing Buffer<Int32>) throws(SnapshotError) {
        var output = try begin()
        do throws(ZstdError) { try parquet.write(values.span, into: &output) } catch {
            throw SnapshotError(error)
        }
        try sink.append(output.span)
    }

    mutating func column(_ values: borrowing Buffer<Int64>) throws(SnapshotError) {
        var output = try begin()
        do throws(ZstdError) { try parquet.write(values.span, into: &output) } catch {
            throw SnapshotError(error)
        }
        try sink.append(output.span)
    }

    mutating func column(timestamps values: borrowing Buffer<Int64>) throws(SnapshotError) {
        var output = try begin()
        do throws(ZstdError) { try parquet.write(timestamps: values.span, into: &output) } catch {
            throw SnapshotError(error)
        }
        try sink.append(output.span)
    }

    mutating func column(
        _ numbers: borrowing Buffer<UInt32>, of strings: borrowing StringTable
    ) throws(SnapshotError) {
        var output = try begin()
        do throws(ZstdError) { try parquet.write(numbers.span, of: strings, into: &output) } catch {
            throw SnapshotError(error)
        }
        try sink.append(output.span)
    }

    private func begin() throws(SnapshotError) -> ByteBuffer {
        guard shouldContinue() else { throw .cancelled }
        return ByteBuffer()
    }

    /// Ends the file and waits until it is on the device.
    consuming func finish(metadata: [String: String] = [:]) throws(SnapshotError) -> SnapshotFile {
        let rowCount = parquet.rowCount
        var output = ByteBuffer()
        var sink = sink
        parquet.finish(metadata: metadata, into: &output)
        try sink.append(output.span)
        return try sink.finish(rowCount: rowCount)
    }
}
