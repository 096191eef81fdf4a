// Where a service is: the URLs that the command line takes.
//
//     url  = "http://" host [ ":" port ] [ path ]        host: a name, 127.0.0.1 or [::1]
//
// Nothing else is a place to call: no user, no query, no fragment, and no https, which ends at a
// proxy in front of the service.

package import Platform

/// A service's place, as read from a URL.
package struct ServerURL: Equatable, Sendable, CustomStringConvertible {
    /// Host and port as the Host header has them; an IPv6 host in brackets.
    package let authority: String

    /// What stands before every target: empty, or a path without a slash at its end.
    package let basePath: String

    private static let scheme = "http://"
    private static let defaultPort = 80

    /// - Throws: `ClientError.badURL`, with the reason in words.
    package init(_ text: String) throws(ClientError) {
        let lowered = text.lowercased()
        if lowered.hasPrefix("https://") {
            throw .badURL(text, "https is not spoken here: name the http address of the service")
        }
        guard lowered.hasPrefix(Self.scheme) else {
            throw .badURL(text, "it must begin with http://")
        }
        let rest = text.dropFirst(Self.scheme.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        authority = try Self.authority(String(rest[..<slash]), of: text)
        var path = rest[slash...]
        while path.hasSuffix("/") { path.removeLast() }
        guard path.utf8.allSatisfy(Self.isPathByte) else {
            throw .badURL(text, "its path has a character that must be percent-encoded")
        }
        basePath = String(path)
    }

    /// The place of a service at `address`.
    package init(_ address: Address) {
        authority = address.description
        basePath = ""
    }

    package var description: String { Self.scheme + authority + basePath }

    /// Asks the name server where needed.
    package func resolved() throws(ClientError) -> Address {
        do { return try Address.resolve(authority) } catch { throw .system(error) }
    }

    /// Host and port, the port filled in where it is missing.
    private static func authority(
        _ text: String, of url: String
    ) throws(ClientError) -> String {
        var (host, port) = (Substring(text), Substring("\(defaultPort)"))
        // The colons of an IPv6 host stand inside its brackets.
        let hostEnd = text.hasPrefix("[") ? text.firstIndex(of: "]") : text.firstIndex(of: ":")
        if let hostEnd {
            let colon = text.hasPrefix("[") ? text.index(after: hostEnd) : hostEnd
            host = text[..<colon]
            if colon < text.endIndex {
                guard text[colon] == ":" else { throw .badURL(url, "its host is malformed") }
                port = text[text.index(after: colon)...]
            }
        }
        guard isHost(host) else { throw .badURL(url, "its host is malformed") }
        guard port.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(port),
            number > 0
        else { throw .badURL(url, "its port is not a number from 1 to 65535") }
        return "\(host):\(number)"
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            // What is inside must be an address; a made-up port lets `Address` read it.
            return host.hasSuffix("]") && Address("\(host):1") != nil
        }
        return !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...122).contains(byte | 0x20)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
    }
}
