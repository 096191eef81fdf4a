#!/usr/bin/env python3
"""Parquet files of Holdfast and of others, each read by the other.

Usage: check.py PARQUET_TABLES DIRECTORY

PARQUET_TABLES is the program that writes and reads tables for us; DIRECTORY takes the files. Exit
status 0 when everything is as it must be, else 1.
"""

import datetime
import pathlib
import random
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

PROGRAM = sys.argv[1]
WORK = pathlib.Path(sys.argv[2])
failures = 0

TYPES = {
    "kinds": {
        "boolean": pa.bool_(), "int32": pa.int32(), "int64": pa.int64(),
        "at": pa.timestamp("ms", tz="UTC"), "string": pa.string(), "fingerprint": pa.binary(12),
    },
    "encodings": {
        "constant": pa.int64(), "runs": pa.int32(), "two_values": pa.int64(),
        "growing": pa.int64(), "falling": pa.int32(), "any": pa.int64(), "unique": pa.string(),
        "few": pa.string(),
    },
    "positions": {
        "sku": pa.string(), "location": pa.string(), "on_hand": pa.int32(),
        "blocked": pa.int32(), "held": pa.int32(), "available": pa.int32(),
    },
    "long": {"s": pa.string()},
    "single": {"a": pa.int32(), "b": pa.string()},
    "empty": {"a": pa.int64(), "b": pa.string()},
}

# The data pages' encodings that these columns must have led to.
ENCODINGS = {
    ("encodings", "constant"): "RLE_DICTIONARY", ("encodings", "runs"): "RLE_DICTIONARY",
    ("encodings", "two_values"): "RLE_DICTIONARY", ("encodings", "growing"): "DELTA_BINARY_PACKED",
    ("encodings", "falling"): "DELTA_BINARY_PACKED", ("encodings", "any"): "PLAIN",
    ("encodings", "unique"): "PLAIN", ("encodings", "few"): "RLE_DICTIONARY",
    ("positions", "sku"): "RLE_DICTIONARY", ("positions", "on_hand"): "RLE_DICTIONARY",
}


def expect(name, wanted, got):
    global failures
    if wanted == got:
        print(f"ok    {name}")
    else:
        print(f"WRONG {name}: wanted {str(wanted)[:300]}, got {str(got)[:300]}")
        failures += 1


def milliseconds(value):
    """A timestamp as a number: datetimes are exact to the microsecond."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (value - epoch) // datetime.timedelta(milliseconds=1)


def plain(value):
    return milliseconds(value) if isinstance(value, datetime.datetime) else value


def read_text(text, types):
    """The columns of a table in parquet-tables' text form."""
    lines = text.split("\n")
    names = lines[0].split("\t")
    rows = [line.split("\t") for line in lines[1:-1]]
    columns = {}
    for index, name in enumerate(names):
        cells = [row[index] for row in rows]
        kind = types[name]
        if pa.types.is_boolean(kind):
            columns[name] = [cell == "true" for cell in cells]
        elif pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
            columns[name] = [int(cell) for cell in cells]
        elif pa.types.is_fixed_size_binary(kind):
            columns[name] = [bytes.fromhex(cell) for cell in cells]
        else:
            columns[name] = cells
    return columns


def read_by_us(path):
    return subprocess.run([PROGRAM, "read", str(path)], capture_output=True, text=True)


# MARK: ours, read by others


def ours(name):
    path = WORK / f"{name}.parquet"
    wanted = read_text((WORK / f"{name}.tsv").read_text(encoding="utf-8"), TYPES[name])
    file = pq.ParquetFile(path, page_checksum_verification=True)
    schema = file.schema_arrow
    expect(f"{name}: types", TYPES[name], {field.name: field.type for field in schema})
    expect(f"{name}: no column is optional", {False}, {field.nullable for field in schema})
    table = file.read()
    for column in table.column_names:
        got = [plain(value) for value in table[column].to_pylist()]
        expect(f"{name}: PyArrow reads {column}", wanted[column], got)
    statistics(name, file.metadata, wanted)

    with duckdb.connect() as connection:
        names = list(wanted)
        cells = [f'epoch_ms("{column}")' if pa.types.is_timestamp(TYPES[name][column])
                 else f'"{column}"' for column in names]
        rows = connection.execute(f"SELECT {', '.join(cells)} FROM '{path}'").fetchall()
        for index, column in enumerate(names):
            got = [plain(row[index]) for row in rows]
            expect(f"{name}: DuckDB reads {column}", wanted[column], got)
        if rows:
            # A filter makes DuckDB use the statistics.
            column = names[0]
            value = wanted[column][len(rows) // 2]
            got = connection.execute(
                f'SELECT count(*) FROM \'{path}\' WHERE "{column}" = ?', [value]).fetchone()[0]
            expect(f"{name}: DuckDB filters by {column}", wanted[column].count(value), got)


def statistics(name, metadata, wanted):
    expect(f"{name}: written by", "holdfast", metadata.created_by)
    start = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        end = start + row_group.num_rows
        for index in range(metadata.num_columns):
            chunk = row_group.column(index)
            column = chunk.path_in_schema
            values = wanted[column][start:end]
            found = chunk.statistics
            too_long = any(isinstance(value, str) and len(value) > 256 for value in values)
            expect(f"{name}: {column} has extremes in group {group}", not too_long,
                   found.has_min_max)
            if too_long:
                continue
            got = (plain(found.min), plain(found.max), found.null_count)
            low, high = min(values), max(values)
            if isinstance(low, str):  # The order of bytes, which Python's is not for all text.
                low = min(values, key=lambda text: text.encode())
                high = max(values, key=lambda text: text.encode())
            expect(f"{name}: statistics of {column} in group {group}", (low, high, 0), got)
            expect(f"{name}: compression of {column}", "ZSTD", chunk.compression)
            if (name, column) in ENCODINGS:
                expect(f"{name}: encoding of {column} in group {group}", True,
                       ENCODINGS[(name, column)] in chunk.encodings)
                expect(f"{name}: dictionary of {column} in group {group}",
                       ENCODINGS[(name, column)] == "RLE_DICTIONARY", chunk.has_dictionary_page)
        start = end
    expect(f"{name}: rows", len(next(iter(wanted.values()))), start)


def damaged():
    """PyArrow checks our checksums: a byte changed in the middle of a chunk is found."""
    path = WORK / "positions.parquet"
    chunk = pq.read_metadata(path).row_group(0).column(2)
    data = bytearray(path.read_bytes())
    data[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 0x10
    broken = WORK / "broken.parquet"
    broken.write_bytes(data)
    try:
        pq.ParquetFile(broken, page_checksum_verification=True).read()
        expect("a damaged page: PyArrow", "an error", "none")
    except OSError as error:
        expect("a damaged page: PyArrow", True, "CRC" in str(error))
    answer = read_by_us(broken)
    expect("a damaged page: ours", True, "parquet_checksum_mismatch" in answer.stderr)


# MARK: others', read by us

VALUES_SEED = 20261121


def their_table(nullable, count=50_000):
    chance = random.Random(VALUES_SEED)
    types = {
        "flag": pa.bool_(), "small": pa.int32(), "wide": pa.int64(), "growing": pa.int64(),
        "at": pa.timestamp("ms", tz="UTC"), "name": pa.string(), "unique": pa.string(),
        "id": pa.binary(16),
    }
    growing = 0
    rows = {name: [] for name in types}
    for row in range(count):
        growing += chance.randrange(1000)
        rows["flag"].append(chance.random() < 0.1)
        rows["small"].append(chance.randrange(-50, 50))
        rows["wide"].append(chance.randrange(-1 << 63, 1 << 63))
        rows["growing"].append(growing)
        rows["at"].append(1_790_000_000_000 + chance.randrange(1 << 31))
        rows["name"].append(f"näme {row // 7 % 500}")
        rows["unique"].append(f"u{row}" * (row % 4))
        rows["id"].append(chance.randbytes(16))
    schema = pa.schema([pa.field(name, kind, nullable=nullable) for name, kind in types.items()])
    return pa.table(rows, schema=schema), rows, types


def theirs():
    for nullable in (False, True):
        table, rows, types = their_table(nullable)
        for version in ("1.0", "2.0"):
            for compression in ("zstd", "none"):
                for encoding in ("dictionary", "delta", "plain"):
                    options = {"use_dictionary": encoding == "dictionary"}
                    if encoding == "delta":
                        options["column_encoding"] = {
                            name: "DELTA_BINARY_PACKED"
                            for name in ("small", "wide", "growing", "at")}
                    path = WORK / "theirs.parquet"
                    pq.write_table(
                        table, path, compression=compression, data_page_version=version,
                        write_page_checksum=True, row_group_size=30_000,
                        data_page_size=40_000, dictionary_pagesize_limit=200_000, **options)
                    title = (f"PyArrow's {encoding}, {compression}, pages {version}"
                             + (", optional" if nullable else ""))
                    answer = read_by_us(path)
                    expect(title, "", answer.stderr)
                    expect(title, rows, read_text(answer.stdout, types))


def duckdbs():
    table, rows, types = their_table(True, 20_000)
    table = table.drop(["id", "at"])  # DuckDB has neither of these types in Parquet.
    path = WORK / "duckdb.parquet"
    with duckdb.connect() as connection:
        connection.register("source", table)
        connection.execute(
            f"COPY (SELECT * FROM source) TO '{path}' (FORMAT parquet, COMPRESSION zstd, "
            "ROW_GROUP_SIZE 10000)")
    answer = read_by_us(path)
    expect("DuckDB's", "", answer.stderr)
    got = read_text(answer.stdout, types)
    expect("DuckDB's", {name: rows[name] for name in table.column_names}, got)


def refused():
    path = WORK / "refused.parquet"
    plain_table = pa.table({"a": pa.array([1, 2, 3], pa.int32())})
    cases = {
        "snappy": (plain_table, {"compression": "snappy"}),
        "missing values": (pa.table({"a": pa.array([1, None, 3], pa.int32())}),
                           {"compression": "zstd"}),
        "floating point": (pa.table({"a": [1.5]}), {"compression": "zstd"}),
        "microseconds": (pa.table({"a": pa.array([1], pa.timestamp("us", tz="UTC"))}),
                         {"compression": "zstd"}),
        "lists": (pa.table({"a": [[1, 2]]}), {"compression": "zstd"}),
        "byte streams": (plain_table, {
            "compression": "zstd", "use_dictionary": False,
            "column_encoding": {"a": "BYTE_STREAM_SPLIT"}}),
    }
    for title, (table, options) in cases.items():
        pq.write_table(table, path, **options)
        answer = read_by_us(path)
        expect(f"refused: {title}", (3, True),
               (answer.returncode, answer.stderr.startswith("parquet_unsupported at offset ")))


subprocess.run([PROGRAM, "write", str(WORK)], check=True)
for sample in TYPES:
    ours(sample)
texts = pq.read_metadata(WORK / "kinds.parquet").metadata
expect("texts of the footer", {b"shard": b"3", b"note": "ä 漢".encode()}, texts)
damaged()
theirs()
duckdbs()
refused()
print(f"{failures} wrong" if failures else "all as it must be")
sys.exit(1 if failures else 0)
