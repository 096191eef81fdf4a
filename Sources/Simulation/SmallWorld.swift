// The names that scripts speak of: few, so that everything meets everything.

internal import Bytes
internal import Columns
internal import Domain

enum SmallWorld {
    static let skus = names(["A", "B", "é-3", "a-name-of-more-than-15-bytes", "E", "F"])
    static let locations = names(["L0", "L1", "a-location-with-a-long-name"])
    static let groups = names(["G0", "G1"])
    static let categories = names(["c0", "c1"])
    static let channels = names(["web", "app"])
    static let sources = names(["till", "a-source-with-a-long-name"])
    static let itemNames = ["", "A thing", "Ein Ding"]

    /// 2027-01-15T08:00:00Z.
    static let start: Int64 = 1_800_000_000_000

    /// The key of a SKU's name.
    static func key(_ sku: Int, _ hasher: KeyedHash) -> NameKey {
        let bytes = skus[sku].bytes
        return NameKey(bytes.span, hasher)
    }

    /// Appends a SKU's name.
    static func append(_ sku: Int, to text: inout ByteBuffer) {
        let bytes = skus[sku].bytes
        text.append(bytes.span)
    }

    private static func names(_ texts: [String]) -> [Identifier] {
        texts.map { text in
            guard let name = try? Identifier(text) else { preconditionFailure("no name") }
            return name
        }
    }
}
