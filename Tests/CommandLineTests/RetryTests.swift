import Testing

@testable import holdfast

@Suite(.timeLimit(.minutes(1))) struct RetryTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func events(_ service: CannedService) throws -> (ImportResult, [String]) {
        let path = try folder.file("e.ndjson", "{}\n{}\n{}\n")
        return try importPieces(.events, path, to: service.url, byteCount: 1 << 20)
    }

    @Test func `a piece is sent again while the service is too busy`() throws {
        let service = try CannedService([
            CannedService.answer(
                429, #"{"accepted":1,"duplicates":0,"rejected":[{"index":1,"code":"busy"}]}"#,
                headers: "Retry-After: 0\r\n"),
            CannedService.answer(
                503, #"{"code":"draining"}"#, headers: "Retry-After: 0\r\n"),
            CannedService.answer(200, #"{"accepted":2,"duplicates":1,"parked":0}"#),
        ])
        let (result, listed) = try events(service)
        // The one that the second try calls a duplicate is the one that the first try took.
        #expect(result == counts(accepted: 3))
        #expect(listed == [])
        #expect(service.received == Array(repeating: "{}\n{}\n{}\n", count: 3))
    }

    @Test(arguments: [
        (503, #"{"code":"draining","detail":"it ends"}"#, "draining: it ends"),
        (500, "<html>", "the service answered with status 500"),
        (404, #"{"code":"not_found"}"#, "not_found"),
        (200, "<html>", "the service's answer cannot be read"),
    ])
    func `what would not help is not sent again`(
        status: Int, body: String, message: String
    ) throws {
        let service = try CannedService([CannedService.answer(status, body)])
        let error = #expect(throws: CommandError.self) { try events(service) }
        #expect(error?.message.hasSuffix("e.ndjson: \(message)") == true)
        #expect(service.received.count == 1)
    }

    @Test func `rows of a stream that broke off are listed before the failure`() throws {
        let service = try CannedService([
            CannedService.answer(
                400,
                #"{"accepted":1,"rejected":[{"index":1,"code":"c","detail":"d"}],"#
                    + #""rejected_count":1,"code":"bad","detail":"broken"}"#)
        ])
        let path = try folder.file("e.ndjson", "{}\n\n{}\n")
        let run = run("import", "events", path, "--to", "\(service.url)")
        #expect(run.status == 3)
        #expect(run.errors == "\(path):3: c: d\nholdfast: \(path): bad: broken\n")
    }

    @Test func `rejected rows that are not listed are told by their number`() throws {
        let service = try CannedService([
            CannedService.answer(
                200,
                #"{"accepted":0,"rejected":[{"index":0,"code":"c","detail":"d"}],"#
                    + #""rejected_count":3}"#)
        ])
        let (result, listed) = try events(service)
        #expect(result == counts(rejected: 3))
        #expect(listed == ["1: c: d", " 2 more rows were rejected near there and are not listed"])
    }
}
