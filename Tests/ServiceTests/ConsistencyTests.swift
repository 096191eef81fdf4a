import Engine
import Platform
import Service
import Synchronization
import Testing

/// Reads while everything changes.
@Suite(.serialized) struct ConsistencyTests {
    @Test func `a SKU that changes while it is read is answered as of one moment`() throws {
        let places = 1500
        try withService { here in
            var client = try here.connect()
            let skus = (0..<8).map { "S\($0)" }
            for sku in skus {
                try client.put(stock: (0..<places).map { "\(sku),L\($0),10" })
            }
            // Each change of the rules holds every SKU for the time its positions take.
            let isOver = Switch()
            let changer = try Platform.Thread.start(name: "changer") {
                do {
                    var client = try here.connect()
                    for round in 1... {
                        if isOver.value.load(ordering: .relaxed) { break }
                        let rule = #"{"id":"s","scope":{},"units":\#(round % 5)}"#
                        _ = try client.call("PUT", "/v1/rules", #"{"safety_stock":[\#(rule)]}"#)
                    }
                } catch { Issue.record(error) }
            }
            var other = try here.connect()
            let items =
                (skus + skus).map { #"{"sku":"\#($0)"}"# }
                + [#"{"sku":"\u0053\#(0)"}"#]
            var torn = 0
            for _ in 0..<60 {
                for answer in try client.availability(items) {
                    if (answer["available"].int ?? 1) % places != 0 { torn += 1 }
                }
                for sku in skus {
                    let answer = try other.call("GET", "/v1/availability/\(sku)")["items"][0]
                    if (answer["available"].int ?? 1) % places != 0 { torn += 1 }
                    if answer["sku"].string != sku { torn += 1 }
                }
            }
            #expect(torn == 0)
            let many = (0..<40).flatMap { _ in items }
            for _ in 0..<5 {
                let answers = try client.availability(many)
                #expect(answers.count == many.count)
                #expect(answers.allSatisfy { ($0["available"].int ?? 1) % places == 0 })
            }
            isOver.value.store(true, ordering: .relaxed)
            changer.join()
        }
    }
}
