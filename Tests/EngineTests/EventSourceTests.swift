import Bytes
import Columns
import Domain
import Engine
import Testing

@Suite struct EventSourceTests {
    private func source(_ name: String, _ engine: Engine) throws -> EventSource {
        try withUTF8(name) { bytes throws(MasterDataRefusal) in
            try engine.master.eventSource(bytes)
        }
    }

    @Test func `a source keeps its id`() throws {
        let engine = try EngineFixture().engine
        let first = try source("till", engine)
        let second = try source("a-source-with-a-long-name", engine)
        #expect(first.id == 0 && second.id == 1)
        #expect(try source("till", engine) == first)
        #expect(try source("a-source-with-a-long-name", engine) == second)
        #expect(EventSource.none.id == nil && EventSource.unknown.id == nil)
    }

    @Test func `sources beyond those that have ids are told as unknown`() throws {
        let engine = try EngineFixture().engine
        for number in 0..<EventSource.countMax {
            #expect(try source("s\(number)", engine).id == UInt16(number))
        }
        #expect(try source("one more", engine) == .unknown)
        #expect(try source("and another", engine) == .unknown)
        #expect(try source("s65533", engine).id == 65_533)
        #expect(engine.master.nameCounts.sources == 65_534)
    }

    @Test func `a snapshot of shared data has the sources in the order of their ids`() throws {
        let engine = try EngineFixture().engine
        for name in ["b", "a", "a-source-with-a-long-name"] { _ = try source(name, engine) }
        let frozen = engine.master.freeze().master
        let other = try EngineFixture().engine
        try other.master.load(frozen.facts.span, frozen.versions)
        #expect(other.master.nameCounts.sources == 3)
        #expect(
            (0..<3).map { other.master.sourceNames.text($0) }
                == ["b", "a", "a-source-with-a-long-name"])
        #expect(try source("a", other).id == 1)
    }
}
