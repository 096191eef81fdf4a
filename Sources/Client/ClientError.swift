// What can go wrong between a request and its answer.

package import HTTP
package import Platform

/// Why a call brought no answer. An answer of any status is not an error here.
package enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A URL that names no service: the text, and what is wrong with it.
    case badURL(String, String)

    /// A request target that cannot be sent.
    case badTarget

    /// The network refused: no such host, nobody listens, out of descriptors.
    case system(SystemError)

    /// Nothing moved for so many milliseconds.
    case timedOut(milliseconds: Int)

    /// The server ended the connection before the answer was whole.
    case closedEarly

    /// What came is no HTTP answer.
    case malformed(HTTPRefusal)

    /// The answer has more than so many bytes.
    case bodyTooLarge(limit: Int)

    package var description: String {
        switch self {
        case .badURL(let text, let reason): "\(text) is no URL of a service: \(reason)"
        case .badTarget: "the request target cannot be sent"
        case .system(let error): error.description
        case .timedOut(let milliseconds): "no answer within \(milliseconds) ms"
        case .closedEarly: "the server closed the connection before it had answered"
        case .malformed(let refusal): "the answer is no HTTP: \(refusal.detail)"
        case .bodyTooLarge(let limit): "the answer has more than \(limit) bytes"
        }
    }
}
