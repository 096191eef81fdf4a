// Internet addresses: text in, text out, and a value that can be counted by.

internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address with a port.
package struct Address: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The address, network order read as two big-endian words. IPv4 fills the upper half of
    /// `high`.
    package let high: UInt64
    package let low: UInt64
    package let port: UInt16
    package let isIPv6: Bool

    package init(high: UInt64, low: UInt64, port: UInt16, isIPv6: Bool) {
        self.high = high
        self.low = low
        self.port = port
        self.isIPv6 = isIPv6
    }

    /// 127.0.0.1 at `port`; port 0 lets the kernel choose when listening.
    package static func loopback(port: UInt16) -> Address {
        Address(high: 0x7f00_0001 << 32, low: 0, port: port, isIPv6: false)
    }

    /// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        isIPv6 ? high == 0 && low == 1 : high >> 56 == 127
    }

    /// The address's owner for the purpose of limits: an IPv4 address (also one mapped into IPv6)
    /// or the /64 that one IPv6 host usually has for itself.
    package var origin: UInt64 {
        if isIPv6, high == 0, low >> 32 == 0xffff { return low << 32 }
        return high
    }

    /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. Asks no name server.
    package init?(_ text: String) {
        guard let parts = Address.split(text) else { return nil }
        self.init(literal: parts.host == "localhost" ? "127.0.0.1" : parts.host, port: parts.port)
    }

    /// The address of `host:port`, where the host may also be a name.
    package static func resolve(_ text: String) throws(SystemError) -> Address {
        guard let parts = split(text) else {
            throw SystemError("read the address", on: text, code: EINVAL)
        }
        if let address = Address(text) { return address }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let failure = unsafe getaddrinfo(parts.host, nil, &hints, &list)
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard failure == 0, let first = unsafe list, let found = unsafe first.pointee.ai_addr else {
            throw SystemError("resolve", on: parts.host, code: EHOSTUNREACH)
        }
        var system = sockaddr_storage()
        let length = min(
            Int(unsafe first.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe memcpy(&system, found, length)
        var record = holdfast_address()
        unsafe holdfast_from_system(&system, &record)
        record.port = parts.port
        return Address(record)
    }

    /// Splits `host:port`; the brackets of an IPv6 host are taken off.
    static func split(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }

    private init?(literal host: String, port: UInt16) {
        var record = holdfast_address()
        record.port = port
        record.is_v6 = host.contains(":") ? 1 : 0
        let family = record.is_v6 == 1 ? AF_INET6 : AF_INET
        let isRead = unsafe withUnsafeMutableBytes(of: &record.bytes) { bytes in
            unsafe inet_pton(family, host, bytes.baseAddress) == 1
        }
        guard isRead else { return nil }
        self.init(record)
    }

    init(_ record: holdfast_address) {
        let words = unsafe withUnsafeBytes(of: record.bytes) { bytes in
            (
                unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(
            high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1), port: record.port,
            isIPv6: record.is_v6 == 1)
    }

    var record: holdfast_address {
        var record = holdfast_address()
        unsafe withUnsafeMutableBytes(of: &record.bytes) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        record.port = port
        record.is_v6 = isIPv6 ? 1 : 0
        return record
    }

    /// The host alone: `127.0.0.1`, `::1`.
    package var host: String {
        var bytes = record.bytes
        var text = [CChar](repeating: 0, count: 64)
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, &bytes, &text, socklen_t(text.count)) != nil else {
            return "?"
        }
        let end = text.firstIndex(of: 0) ?? text.count
        return String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
