// Why a message was refused.
//
// A codec that cannot be certain where a message ends must not guess: each refusal here means
// "answer with `status`, then close the connection", because what follows cannot be framed.

/// A reason to refuse a request (or, on the client side, a response).
///
/// The cases are checked in the order in which their bytes arrive, so the same bytes give the same
/// refusal however they were split.
package enum HTTPRefusal: Error, Equatable, Sendable, CaseIterable {
    // Lines.
    case bareLineFeed
    case bareCarriageReturn
    case controlCharacter
    case uriTooLong
    case headerTooLarge
    case headTooLarge
    case tooManyHeaders

    // Request and status line.
    case badRequestLine
    case badMethod
    case badTarget
    case badVersion
    case unsupportedVersion
    case badStatusLine

    // Field lines.
    case foldedHeader
    case missingColon
    case emptyHeaderName
    case badHeaderName
    case whitespaceBeforeColon
    case repeatedHeader
    case emptyHeader

    // Host.
    case missingHost
    case repeatedHost
    case badHost
    case hostMismatch

    // Framing.
    case badContentLength
    case repeatedContentLength
    case badTransferEncoding
    case repeatedTransferEncoding
    case unsupportedTransferEncoding
    case transferEncodingInOldVersion
    case ambiguousFraming
    case bodyTooLarge
    case unsupportedExpectation

    // Chunked bodies.
    case badChunkSize
    case badChunkExtension
    case chunkExtensionsTooLarge
    case badChunkEnd
    case badTrailer
    case trailersTooLarge

    // Parts of the target.
    case badPercentEncoding
}

extension HTTPRefusal {
    /// The status code to answer with.
    package var status: Int { answer.status }

    /// The stable name of the reason, for the `code` member of a problem document.
    package var code: StaticString { answer.code }

    /// The reason in one sentence; it never repeats bytes that were received.
    package var detail: StaticString { answer.detail }

    private typealias Answer = (status: Int, code: StaticString, detail: StaticString)

    private var answer: Answer {
        switch self {
        case .bareLineFeed:
            (400, "bare_line_feed", "A line ends in LF without CR.")
        case .bareCarriageReturn:
            (400, "bare_carriage_return", "A CR is not followed by LF.")
        case .controlCharacter:
            (400, "control_character", "The head holds a control character.")
        case .uriTooLong:
            (414, "uri_too_long", "The request line is longer than the limit.")
        case .headerTooLarge:
            (431, "header_too_large", "A header line is longer than the limit.")
        case .headTooLarge:
            (431, "head_too_large", "Request line and headers together exceed the limit.")
        case .tooManyHeaders:
            (431, "too_many_headers", "There are more headers than the limit.")
        case .badRequestLine:
            (400, "bad_request_line", "The first line is not 'METHOD target HTTP/1.1'.")
        case .badMethod:
            (400, "bad_method", "The method is not an upper-case token.")
        case .badTarget:
            (400, "bad_target", "The request target has a form or a byte that is not accepted.")
        case .badVersion:
            (400, "bad_version", "The protocol version is malformed.")
        case .unsupportedVersion:
            (505, "unsupported_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        case .badStatusLine:
            (400, "bad_status_line", "The status line of the response is malformed.")
        default: fieldAnswer
        }
    }

    private var fieldAnswer: Answer {
        switch self {
        case .foldedHeader:
            (400, "folded_header", "A header line starts with whitespace.")
        case .missingColon:
            (400, "missing_colon", "A header line has no colon.")
        case .emptyHeaderName:
            (400, "empty_header_name", "A header line starts with a colon.")
        case .badHeaderName:
            (400, "bad_header_name", "A header name holds a byte that no token has.")
        case .whitespaceBeforeColon:
            (400, "whitespace_before_colon", "There is whitespace between header name and colon.")
        case .repeatedHeader:
            (400, "repeated_header", "A header that may occur once occurs again.")
        case .emptyHeader:
            (400, "empty_header", "A precondition header has no value.")
        case .missingHost:
            (400, "missing_host", "An HTTP/1.1 request needs a Host header.")
        case .repeatedHost:
            (400, "repeated_host", "There is more than one Host header.")
        case .badHost:
            (400, "bad_host", "The host is not a name or address with an optional port.")
        case .hostMismatch:
            (400, "host_mismatch", "Host differs from the authority in the request target.")
        default: framingAnswer
        }
    }

    private var framingAnswer: Answer {
        switch self {
        case .badContentLength:
            (400, "bad_content_length", "Content-Length is not a plain decimal number.")
        case .repeatedContentLength:
            (400, "repeated_content_length", "There is more than one Content-Length.")
        case .badTransferEncoding:
            (400, "bad_transfer_encoding", "Transfer-Encoding is malformed.")
        case .repeatedTransferEncoding:
            (400, "repeated_transfer_encoding", "There is more than one Transfer-Encoding.")
        case .unsupportedTransferEncoding:
            (501, "unsupported_transfer_encoding", "The only transfer coding known is chunked.")
        case .transferEncodingInOldVersion:
            (400, "transfer_encoding_in_http_1_0", "HTTP/1.0 has no Transfer-Encoding.")
        case .ambiguousFraming:
            (400, "ambiguous_framing", "Content-Length and Transfer-Encoding exclude each other.")
        case .bodyTooLarge:
            (413, "body_too_large", "The body is larger than the limit.")
        case .unsupportedExpectation:
            (417, "unsupported_expectation", "The only expectation known is 100-continue.")
        case .badChunkSize:
            (400, "bad_chunk_size", "A chunk size is not a short hexadecimal number and CRLF.")
        case .badChunkExtension:
            (400, "bad_chunk_extension", "A chunk extension is malformed.")
        case .chunkExtensionsTooLarge:
            (400, "chunk_extensions_too_large", "The chunk extensions exceed the limit.")
        case .badChunkEnd:
            (400, "bad_chunk_end", "The data of a chunk is not followed by CRLF.")
        case .badTrailer:
            (400, "bad_trailer", "A trailer line is malformed.")
        case .trailersTooLarge:
            (431, "trailers_too_large", "The trailers exceed the limit.")
        default:
            (400, "bad_percent_encoding", "A percent sign is not followed by two hex digits.")
        }
    }
}
