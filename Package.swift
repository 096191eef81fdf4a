// swift-tools-version: 6.3
import PackageDescription

/// Every Swift target is built this way: unsafe code is marked, a warning is an error.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Mistakes that tests plant to see that they are found are in debug builds alone.
let planted: [SwiftSetting] = [.define("PLANTED_DEFECTS", .when(configuration: .debug))]

/// A module: may import those named in `uses` (below it in the layering), and nothing above.
///
/// - Parameter defects: Debug builds can plant defects, which tests must find.
func module(
    _ name: String, uses: [String] = [], experimental: [String] = [], defects: Bool = false
) -> Target {
    .target(
        name: name, dependencies: uses.map { .byName(name: $0) },
        swiftSettings: strict + experimental.map { .enableExperimentalFeature($0) }
            + (defects ? planted : []))
}

func tests(_ name: String, uses: [String], defects: Bool = false) -> Target {
    .testTarget(
        name: name, dependencies: uses.map { .byName(name: $0) },
        swiftSettings: strict + (defects ? planted : []))
}

let package = Package(
    name: "holdfast",
    products: [.executable(name: "holdfast", targets: ["holdfast"])],
    targets: [
        // What the system gives.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Values and bytes: no I/O.
        module("Bytes", experimental: ["Lifetimes"]),
        module("Domain", uses: ["Bytes"]),
        module("JSON", uses: ["Bytes"]),
        module("CSV", uses: ["Bytes"]),
        module("HTTP", uses: ["Bytes"]),
        module("Tar", uses: ["Bytes"]),
        module("Zstd", uses: ["Bytes", "CZstd"]),
        module("Parquet", uses: ["Bytes", "Zstd"], experimental: ["Lifetimes"]),

        // The machine.
        module("Platform", uses: ["Bytes", "CLinux"]),

        // What makes it durable.
        module("Journal", uses: ["Bytes", "Platform", "CLinux"], defects: true),

        // The store.
        module("Columns", uses: ["Bytes", "Platform"]),
        module(
            "Engine", uses: ["Bytes", "Domain", "Columns", "Platform", "Journal"], defects: true),

        // The store, written down.
        module(
            "Snapshot",
            uses: [
                "Bytes", "Domain", "Columns", "Engine", "Zstd", "Parquet", "Platform", "Journal",
            ], defects: true),

        // Many lives of an engine on a disk that fails.
        module(
            "Simulation",
            uses: ["Bytes", "Domain", "Columns", "Platform", "Journal", "Engine", "Snapshot"]),

        // What was before.
        module("History", uses: ["Bytes", "Zstd", "Platform", "Journal", "Snapshot"]),

        // The program.
        module(
            "Service",
            uses: [
                "Bytes", "Domain", "Columns", "Journal", "Engine", "Snapshot", "History", "JSON",
                "CSV", "HTTP", "Tar", "Zstd", "Parquet", "Platform",
            ]),
        module("Client", uses: ["Bytes", "HTTP", "Platform"]),
        module("SampleData", uses: ["Bytes"]),
        .executableTarget(
            name: "holdfast",
            dependencies: [
                "Bytes", "Domain", "Journal", "Engine", "Snapshot", "History", "JSON", "CSV",
                "HTTP", "Zstd", "Platform", "Client", "Service", "SampleData", "Simulation",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "sample-data", dependencies: ["Bytes", "Zstd", "SampleData"],
            swiftSettings: strict),

        // Writes and reads tables for the check against other programs that read Parquet.
        .executableTarget(
            name: "parquet-tables", dependencies: ["Bytes", "Parquet", "Platform"],
            path: "Tests/ParquetReaders/Tables", swiftSettings: strict),

        // What it does, beside the simplest thing that could work.
        .executableTarget(
            name: "holdfast-bench",
            dependencies: [
                "Bytes", "Domain", "Columns", "Collisions", "Engine", "Platform", "HTTP",
                "Service", "Parquet", "Journal", "Snapshot", "Client",
            ],
            path: "Benchmarks", swiftSettings: strict),

        // Names that flood the hashes of others, for tests and benchmarks.
        .target(
            name: "Collisions", dependencies: ["Bytes", "Columns"], path: "Tests/Collisions",
            swiftSettings: strict),

        // How requests are framed, for Tests/Smuggling to compare with others.
        .executableTarget(
            name: "request-framing", dependencies: ["Bytes", "HTTP"],
            path: "Tests/Smuggling/Framing", swiftSettings: strict),

        tests("BytesTests", uses: ["Bytes"]),
        tests("JSONTests", uses: ["Bytes", "JSON"]),
        tests("CSVTests", uses: ["Bytes", "CSV"]),
        tests("HTTPTests", uses: ["Bytes", "HTTP"]),
        tests("TarTests", uses: ["Bytes", "Tar"]),
        tests("ZstdTests", uses: ["Bytes", "Zstd"]),
        tests("ParquetTests", uses: ["Bytes", "Zstd", "Parquet"]),
        tests("SampleDataTests", uses: ["Bytes", "Zstd", "SampleData"]),
        tests("PlatformTests", uses: ["Platform", "Bytes"]),
        .testTarget(
            name: "JournalTests", dependencies: ["Bytes", "Platform", "Journal"],
            exclude: ["Golden"],
            swiftSettings: strict + planted),
        tests(
            "ServiceTests",
            uses: ["Service", "Engine", "Journal", "Snapshot", "HTTP", "Platform", "Bytes"]),
        tests("ColumnsTests", uses: ["Bytes", "Collisions", "Columns", "Platform"]),
        tests("DomainTests", uses: ["Bytes", "Domain"]),
        tests(
            "EngineTests",
            uses: ["Bytes", "Domain", "Columns", "Journal", "Engine", "Platform"]),
        tests(
            "SnapshotTests",
            uses: [
                "Bytes", "Domain", "Columns", "Engine", "Journal", "Platform", "Parquet",
                "Snapshot", "EngineTests",
            ]),
        tests(
            "HistoryTests",
            uses: [
                "Bytes", "Engine", "Journal", "Platform", "Snapshot", "History", "EngineTests",
                "SnapshotTests",
            ]),
        tests(
            "SimulationTests", uses: ["Journal", "Engine", "Snapshot", "Simulation"], defects: true),
        tests("ClientTests", uses: ["Bytes", "HTTP", "Platform", "Client"]),
        tests(
            "CommandLineTests",
            uses: [
                "Bytes", "CSV", "Zstd", "Parquet", "Platform", "Client", "Engine", "Journal",
                "Service", "Snapshot", "History", "SampleData", "holdfast",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
