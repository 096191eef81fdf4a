// The retailer's safety stock: at least one rule of each breadth, so that every tie-break between
// them has a case.

import Bytes

extension SampleRetailer {
    /// One rule. `scope` and `rest` are JSON as it is written.
    private struct Rule {
        let id: StaticString
        let scope: String
        let amount: StaticString
        var rest: StaticString = ""
    }

    /// Appends the rules document.
    func appendRules(to output: inout ByteBuffer) {
        output.append("{\"safety_stock\": [\n")
        for (index, rule) in rules.enumerated() {
            output.append(index == 0 ? "  {\"id\": \"" : ",\n  {\"id\": \"")
            output.append(rule.id)
            output.append("\", \"scope\": {")
            output.append(rule.scope)
            output.append("}, ")
            output.append(rule.amount)
            output.append(rule.rest)
            output.append(UInt8(ascii: "}"))
        }
        output.append("\n]}\n")
    }

    private var rules: [Rule] {
        let phone = bestSeller(of: "phones").sku
        let flagship = locations[0].name
        let game = bestSeller(of: "games").sku
        return [
            Rule(id: "s-all", scope: "", amount: "\"percent\": 2"),
            Rule(id: "s-stores", scope: "\"group\": \"stores\"", amount: "\"units\": 1"),
            Rule(
                id: "s-flagship", scope: "\"location\": \"\(flagship)\"", amount: "\"percent\": 3.5"
            ),
            Rule(
                id: "s-grocery", scope: "\"category\": \"grocery\"", amount: "\"percent\": 1.25"),
            Rule(id: "s-phones", scope: "\"category\": \"phones\"", amount: "\"units\": 2"),
            Rule(
                id: "s-phones-stores", scope: "\"category\": \"phones\", \"group\": \"stores\"",
                amount: "\"units\": 3", rest: ", \"from\": \"2025-11-21T00:00:00Z\""),
            Rule(
                id: "s-apparel-flagship",
                scope: "\"category\": \"apparel\", \"location\": \"\(flagship)\"",
                amount: "\"percent\": 2.75"),
            // Two of the same breadth, told apart by priority while both are in force.
            Rule(
                id: "s-toys", scope: "\"category\": \"toys\"", amount: "\"percent\": 5",
                rest: ", \"priority\": 10"),
            Rule(
                id: "s-toys-advent", scope: "\"category\": \"toys\"", amount: "\"percent\": 0.5",
                rest: """
                    , "from": "2025-11-30T00:00:00Z", "until": "2025-12-24T18:00:00Z", \
                    "priority": 20
                    """),
            // Everything goes on the day itself.
            Rule(
                id: "s-tv-black-friday", scope: "\"category\": \"tv-audio\"",
                amount: "\"units\": 0",
                rest: """
                    , "from": "2025-11-28T00:00:00Z", "until": "2025-11-29T00:00:00Z"
                    """),
            Rule(id: "s-top-phone", scope: "\"sku\": \"\(phone)\"", amount: "\"units\": 4"),
            Rule(
                id: "s-top-phone-dcs", scope: "\"sku\": \"\(phone)\", \"group\": \"dcs\"",
                amount: "\"units\": 10"),
            Rule(
                id: "s-top-game-dc1", scope: "\"sku\": \"\(game)\", \"location\": \"DC1\"",
                amount: "\"units\": 25", rest: ", \"until\": \"2025-12-31T23:00:00Z\""),
        ]
    }
}
