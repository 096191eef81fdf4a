import HTTP

/// The naive twin of `RequestParser`: what a head must be, by splitting lines and comparing text.
/// Covers all but the limits, which no input of the tests that use it reaches.
struct StrictReading: Equatable {
    var method = ""
    var target = ""
    var version = ""
    var fields: [String: [String]] = [:]
    var framing = BodyFraming.none
    var byteCount = 0

    /// nil when the bytes do not start with an acceptable head.
    init?(_ bytes: [UInt8]) {
        // One character per byte, so that text operations are byte operations. CRLF would be one
        // character in Swift, so CR and LF are replaced.
        let text = String(bytes.map { Self.characters[Int($0)] })
        guard let head = Self.head(of: text) else { return nil }
        byteCount = head.count + 4
        var lines = head.split(separator: "◁▽", omittingEmptySubsequences: false).map(String.init)
        if lines.first == "" { lines.removeFirst() }
        guard !lines.isEmpty, !head.contains(where: { $0 == "☒" }),
            !lines.contains(where: { $0.contains("◁") || $0.contains("▽") }),
            readRequestLine(lines.removeFirst())
        else { return nil }
        for line in lines where !readField(line) { return nil }
        guard hasGoodHost, hasGoodFraming, hasGoodSingles else { return nil }
    }

    private static let characters: [Character] = (0...255).map { (byte: UInt8) in
        switch byte {
        case 0x0D: "◁"
        case 0x0A: "▽"
        case 0x09: "\t"
        case 0..<0x20, 0x7F: "☒"
        default: Character(Unicode.Scalar(byte))
        }
    }

    /// What stands before the empty line that ends the head.
    private static func head(of text: String) -> String? {
        let body = text.hasPrefix("◁▽") ? String(text.dropFirst(2)) : text
        guard let range = body.firstRange(of: "◁▽◁▽") else { return nil }
        return (body.count < text.count ? "◁▽" : "") + body[..<range.lowerBound]
    }

    private static let tokenCharacters = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    private static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.allSatisfy(tokenCharacters.contains)
    }

    private mutating func readRequestLine(_ line: String) -> Bool {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return false }
        (method, target, version) = (parts[0], parts[1], parts[2])
        guard Self.isToken(method), method == method.uppercased(),
            ["HTTP/1.1", "HTTP/1.0"].contains(version), !target.isEmpty,
            target.allSatisfy({ $0 > " " && $0 < "\u{7F}" && $0 != "#" })
        else { return false }
        if target.hasPrefix("/") || (target == "*" && method == "OPTIONS") { return true }
        return authority.map(Self.isHost) ?? false
    }

    /// The authority of an absolute target.
    private var authority: String? {
        guard target.lowercased().hasPrefix("http://") else { return nil }
        return String(target.dropFirst(7).prefix { $0 != "/" && $0 != "?" })
    }

    private mutating func readField(_ line: String) -> Bool {
        guard let colon = line.firstIndex(of: ":"), Self.isToken(line[..<colon]) else {
            return false
        }
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var value = line[line.index(after: colon)...].drop(while: isBlank)
        while let last = value.last, isBlank(last) { value.removeLast() }
        fields[line[..<colon].lowercased(), default: []].append(String(value))
        return true
    }

    private static func isHost(_ host: String) -> Bool {
        var name = host[...]
        if let bracket = name.lastIndex(of: "]"), name.hasPrefix("[") {
            let inside = name[..<bracket].dropFirst()
            guard inside.count >= 2,
                inside.allSatisfy({ $0.isASCII && $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return false }
            name = name[name.index(after: bracket)...]
            guard name.isEmpty || name.hasPrefix(":") else { return false }
        } else {
            name = name.drop { Self.tokenCharacters.contains($0) && !"!#$%&'*+^`|".contains($0) }
            guard name.startIndex > host.startIndex else { return false }
        }
        return name.isEmpty
            || name.hasPrefix(":") && name.count <= 6
                && name.dropFirst().allSatisfy { "0123456789".contains($0) }
    }

    private var hasGoodHost: Bool {
        let hosts = fields["host"] ?? []
        guard hosts.count <= 1, hosts.allSatisfy(Self.isHost) else { return false }
        if hosts.isEmpty, version == "HTTP/1.1" { return false }
        guard let authority, let host = hosts.first else { return true }
        return authority.lowercased() == host.lowercased()
    }

    private var hasGoodFraming: Bool {
        mutating get {
            let lengths = fields["content-length"] ?? []
            let codings = fields["transfer-encoding"] ?? []
            switch (lengths.count, codings.count) {
            case (0, 0): return true
            case (1, 0):
                guard let length = Int(lengths[0]), "\(length)" == lengths[0], length >= 0,
                    lengths[0].count <= 18
                else { return false }
                framing = .length(length)
                return true
            case (0, 1):
                framing = .chunked
                return codings[0].lowercased() == "chunked" && version == "HTTP/1.1"
            default: return false
            }
        }
    }

    private var hasGoodSingles: Bool {
        for name in [
            "authorization", "content-type", "content-encoding", "if-match", "if-none-match",
            "expect",
        ] where (fields[name] ?? []).count > 1 {
            return false
        }
        return fields["if-match"] != [""] && fields["if-none-match"] != [""]
            && (fields["expect"] ?? ["100-continue"])[0].lowercased() == "100-continue"
    }
}
