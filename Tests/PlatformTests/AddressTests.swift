import Platform
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("localhost:1", "127.0.0.1:1"),
        ("0.0.0.0:65535", "0.0.0.0:65535"),
        ("[::1]:8080", "[::1]:8080"),
        ("[2001:db8::5]:0", "[2001:db8::5]:0"),
    ])
    func `an address reads and prints`(text: String, printed: String) {
        #expect(Address(text)?.description == printed)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1:٨", "::1:80", "[::1]", "[127.0.0.1]:80", "127.0.0:80",
        "example.org:80", "[::1:80", "::1]:80", "127.0.0.1:8 0",
    ])
    func `what is no address is refused`(text: String) {
        #expect(Address(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("128.0.0.1:1", false),
        ("0.0.0.0:1", false), ("[::]:1", false), ("[::2]:1", false), ("10.0.0.1:1", false),
    ])
    func `loopback is told apart`(text: String, isLoopback: Bool) throws {
        #expect(try #require(Address(text)).isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("10.0.0.1:1", "10.0.0.1:2", true),
        ("10.0.0.1:1", "10.0.0.2:1", false),
        ("[::ffff:10.0.0.1]:1", "10.0.0.1:2", true),
        ("[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:1", true),
        ("[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false),
    ])
    func `limits count by address, of IPv6 by the 64 bit prefix`(
        one: String, other: String, isSame: Bool
    ) throws {
        let one = try #require(Address(one))
        let other = try #require(Address(other))
        #expect((one.origin == other.origin) == isSame)
    }

    @Test func `a name is resolved, a literal is left alone`() throws {
        #expect(try Address.resolve("localhost:80") == Address.loopback(port: 80))
        #expect(try Address.resolve("[::1]:80").description == "[::1]:80")
        #expect(throws: SystemError.self) { try Address.resolve("no port") }
    }
}
