import Bytes
import Domain
import Engine
import Testing

@Suite struct EventTests {
    @Test func `a move between conditions may be the first that is heard of a position`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        let outcome = try fixture.apply(.event(.move, 3, from: .returned, into: .sellable))
        #expect(outcome == .accepted)
        let detail = try #require(try fixture.detail("A")?.detail)
        #expect(
            detail.positions == ["L0": Detail.Position(sellable: 3, returned: -3, free: 3)])
    }
}
