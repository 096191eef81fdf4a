import Client
import Platform
import Testing

@Suite struct ServerURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", ""),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", ""),
        ("HTTP://stock.example.org", "stock.example.org:80", ""),
        ("http://[::1]:8080", "[::1]:8080", ""),
        ("http://[::1]", "[::1]:80", ""),
        ("http://localhost:1/a/b//", "localhost:1", "/a/b"),
    ])
    func `a URL names host, port and base path`(
        text: String, authority: String, basePath: String
    ) throws {
        let url = try ServerURL(text)
        #expect(url.authority == authority)
        #expect(url.basePath == basePath)
        #expect(url.description == "http://" + authority + basePath)
    }

    @Test(arguments: [
        ("", "it must begin with http://"),
        ("127.0.0.1:8080", "it must begin with http://"),
        ("ftp://host", "it must begin with http://"),
        ("https://host", "https is not spoken here: name the http address of the service"),
        ("http://", "its host is malformed"),
        ("http://:80", "its host is malformed"),
        ("http://::1", "its host is malformed"),
        ("http://user@host", "its host is malformed"),
        ("http://ho st", "its host is malformed"),
        ("http://[::1", "its host is malformed"),
        ("http://[::1]8080", "its host is malformed"),
        ("http://[host]", "its host is malformed"),
        ("http://[]", "its host is malformed"),
        ("http://host:", "its port is not a number from 1 to 65535"),
        ("http://host:0", "its port is not a number from 1 to 65535"),
        ("http://host:65536", "its port is not a number from 1 to 65535"),
        ("http://host:+80", "its port is not a number from 1 to 65535"),
        ("http://host/a?b", "its path has a character that must be percent-encoded"),
        ("http://host/a#b", "its path has a character that must be percent-encoded"),
    ])
    func `what is no URL of a service is refused with the reason`(
        text: String, reason: String
    ) {
        #expect(throws: ClientError.badURL(text, reason)) { try ServerURL(text) }
    }

    @Test func `the URL of an address calls that address`() throws {
        for address in [Address.loopback(port: 99), try #require(Address("[::1]:99"))] {
            #expect(try ServerURL(address).resolved() == address)
        }
    }

    @Test func `a name that nobody knows is an error that names it`() throws {
        let url = try ServerURL("http://no-such-host.invalid")
        let error = #expect(throws: ClientError.self) { try url.resolved() }
        #expect(error?.description.hasPrefix("cannot resolve no-such-host.invalid: ") == true)
    }
}
