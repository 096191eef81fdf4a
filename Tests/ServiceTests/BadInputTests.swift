import Engine
import Service
import Testing

/// Input that no correct caller sends. The service refuses it by name, loses nothing else of the
/// batch, and goes on.
@Suite struct BadInputTests {
    @Test(arguments: [64, 65, 600, 60_000])
    func `a name that a kind has no use for is checked all the same`(byteCount: Int) throws {
        try withService { here in
            var client = try here.connect()
            let place = String(repeating: "x", count: byteCount)
            let answer = try client.post(events: [
                event("1", "receipt", "A1", "DC1", 1, #","to_location":"\#(place)""#),
                event("2", "receipt", "A1", "DC1", 1),
            ])
            #expect(rejections(answer) == (byteCount > 64 ? ["0 identifier_too_long"] : []))
            #expect(answer["accepted"].int == (byteCount > 64 ? 1 : 2))
            #expect(try client.isServed())
        }
    }
}
