import Foundation
import SampleData
import Testing

@Suite struct SampleFilesTests {
    @Test(arguments: SampleFile.allCases)
    func `the kept file is what the generator makes`(file: SampleFile) throws {
        let isSame = try Sample.kept(file) == Sample.bytes(file, of: Sample.retailer)
        #expect(isSame, "make the files again, or find out what changed them")
    }

    @Test func `the kept files are small`() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Sample.folder, includingPropertiesForKeys: nil)
        let sizes = try files.map { try Data(contentsOf: $0).count }
        #expect(files.count == SampleFile.allCases.count + 1)
        #expect(sizes.reduce(0, +) < 3_000_000)
    }

    @Test(arguments: SampleFile.allCases)
    func `the same seed gives the same bytes`(file: SampleFile) {
        let options = SampleOptions(seed: 5, skuCount: 300, storeCount: 12, eventCount: 2000)
        let first = Sample.bytes(file, of: SampleRetailer(options))
        #expect(first == Sample.bytes(file, of: SampleRetailer(options)))
    }

    @Test(arguments: [SampleFile.stock, .events, .locations, .rules])
    func `another seed gives other bytes`(file: SampleFile) {
        let made = [5, 6].map { seed in
            SampleRetailer(
                SampleOptions(seed: seed, skuCount: 300, storeCount: 40, eventCount: 2000))
        }
        let isSame = Sample.bytes(file, of: made[0]) == Sample.bytes(file, of: made[1])
        #expect(!isSame)
    }

    @Test func `more events change no stock`() {
        let made = [2000, 4000].map { count in
            SampleRetailer(SampleOptions(skuCount: 300, storeCount: 12, eventCount: count))
        }
        let items = made.map { Sample.bytes(.items, of: $0) }
        let locations = made.map { Sample.bytes(.locations, of: $0) }
        #expect(items[0] == items[1])
        #expect(locations[0] == locations[1])
    }

    @Test func `the readme counts what the files hold`() throws {
        let readme = try String(
            contentsOf: Sample.folder.appendingPathComponent("README.md"), encoding: .utf8)
        var counts: [String: Int] = [:]
        for line in readme.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let name = cells[0].trimmingCharacters(in: ["`"])
            counts[name] = Int(cells[1].replacingOccurrences(of: ",", with: ""))
        }
        for file in SampleFile.allCases where file != .rules {
            let lines = Sample.lines(Sample.text(file)).count
            let hasHeader = file.rawValue.hasSuffix(".csv")
            let name = file.rawValue + (file.isCompressed ? ".zst" : "")
            #expect(counts[name] == lines - (hasHeader ? 1 : 0), "\(name)")
        }
        let rules = try Sample.object(Sample.text(.rules))["safety_stock"] as? [Any]
        #expect(counts["rules.json"] == rules?.count)
        let events = Dictionary(grouping: Sample.events, by: \.line).values.map { $0[0] }
        for (kind, events) in Dictionary(grouping: events, by: \.kind) {
            #expect(counts[kind] == events.count, "\(kind)")
        }
    }

    @Test func `a size out of range is refused`() async {
        await #expect(processExitsWith: .failure) { _ = SampleOptions(skuCount: 99) }
        await #expect(processExitsWith: .failure) { _ = SampleOptions(storeCount: 0) }
        await #expect(processExitsWith: .failure) { _ = SampleOptions(eventCount: -1) }
    }
}
