import Bytes
import Foundation
import SampleData
import Testing
import Zstd

/// The sample at its default size, made once, read by readers that share nothing with its writer.
enum Sample {
    static let retailer = SampleRetailer()

    static func bytes(_ file: SampleFile, of retailer: SampleRetailer) -> Data {
        var output = ByteBuffer()
        retailer.append(file, to: &output)
        return unsafe output.span.withUnsafeBufferPointer { unsafe Data(buffer: $0) }
    }

    static let stock = text(.stock, of: retailer)
    static let events = lines(text(.events, of: retailer)).map(TestEvent.init)

    static func text(_ file: SampleFile, of retailer: SampleRetailer = retailer) -> String {
        String(decoding: bytes(file, of: retailer), as: UTF8.self)
    }

    static func lines(_ text: String) -> [Substring] {
        precondition(text.isEmpty || text.utf8.last == UInt8(ascii: "\n"))
        return text.split(separator: "\n")
    }

    /// The rows of a CSV text by RFC 4180, its header first.
    static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""):
                // A quote right behind a closing one stands for itself.
                if !isQuoted, previous == byte { field.append(byte) }
                isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "\n") where !isQuoted:
                row.append(String(decoding: field, as: UTF8.self))
                field = []
                if byte == UInt8(ascii: "\n") {
                    rows.append(row)
                    row = []
                }
            default: field.append(byte)
            }
            previous = byte
        }
        precondition(row.isEmpty && field.isEmpty && !isQuoted)
        return rows
    }

    static func object(_ text: some StringProtocol) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    /// `group` and `members` of each line of the groups file.
    static func groups(_ retailer: SampleRetailer) throws -> [(name: String, members: [String])] {
        try lines(text(.groups, of: retailer)).map { line in
            let object = try object(line)
            return (
                try #require(object["group"] as? String),
                try #require(object["members"] as? [String])
            )
        }
    }

    /// The folder of the files that are kept.
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Data")

    /// What the kept file holds, decompressed where it is compressed.
    static func kept(_ file: SampleFile) throws -> Data {
        guard file.isCompressed else {
            return try Data(contentsOf: folder.appendingPathComponent(file.rawValue))
        }
        let path = folder.appendingPathComponent(file.rawValue + ".zst")
        let frames = [UInt8](try Data(contentsOf: path))
        let bytes = try zstdDecompressed(frames.span, limit: 100 << 20)
        return unsafe bytes.span.withUnsafeBufferPointer { unsafe Data(buffer: $0) }
    }
}

/// One line of the events file.
struct TestEvent: Sendable {
    let line: String
    let keys: Set<String>
    let texts: [String: String]
    let numbers: [String: Int]
    /// Milliseconds since 1970, by Foundation.
    let at: Int

    init(_ line: Substring) {
        self.line = String(line)
        var texts: [String: String] = [:]
        var numbers: [String: Int] = [:]
        let object = (try? Sample.object(line)) ?? [:]
        for (key, value) in object {
            if let text = value as? String { texts[key] = text }
            if let number = value as? Int { numbers[key] = number }
        }
        keys = Set(object.keys)
        self.texts = texts
        self.numbers = numbers
        at = Self.milliseconds(texts["at", default: ""]) ?? -1
    }

    /// The instant of `2025-11-28T20:59:58.123Z`; nil for any other day.
    private static func milliseconds(_ text: String) -> Int? {
        let day = "2025-11-28T"
        guard text.utf8.count == 24, text.hasPrefix(day), text.hasSuffix("Z") else { return nil }
        let parts = text.dropFirst(day.count).dropLast().split { $0 == ":" || $0 == "." }
            .compactMap { Int($0) }
        guard parts.count == 4 else { return nil }
        return midnight + ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
    }

    /// 2025-11-28T00:00:00Z by the calendar of Foundation.
    static let midnight: Int = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: "UTC") ?? calendar.timeZone
        let date = calendar.date(from: DateComponents(year: 2025, month: 11, day: 28))
        return Int(date?.timeIntervalSince1970 ?? 0) * 1000
    }()

    var kind: String { texts["kind", default: ""] }
    var source: String { texts["source", default: ""] }
    var quantity: Int { numbers["qty", default: 0] }
    var sequence: Int { numbers["seq", default: 0] }
}
