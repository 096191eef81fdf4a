// Long answers of a service, on their way into a file: under another name first, so that there is a whole
// one or none.

import Bytes
import Client
import Platform

/// A client that waits as long as a service makes a long answer: no byte may move for a day.
func patientClient(_ url: ServerURL) -> HTTPClient {
    var limits = ClientLimits()
    limits.idleMilliseconds = 86_400_000
    return HTTPClient(url, limits: limits)
}

/// Calls a service and hands its answer on as it comes.
///
/// - Throws: When it refuses, or its answer breaks off.
func streamed(
    _ request: ClientRequest, accept: StaticString = "", _ url: ServerURL,
    hasBody: Bool = false, from next: BodySource = { _ in },
    _ deliver: (Span<UInt8>) throws(SystemError) -> Void
) throws(CommandError) {
    var client = patientClient(url)
    let response = try orFailed(url) { () throws(ClientError) in
        try client.stream(request, accept: accept, hasBody: hasBody, from: next) {
            (bytes) throws(ClientError) in
            do throws(SystemError) { try deliver(bytes) } catch { throw .system(error) }
        }
    }
    guard response.status == 200 else {
        throw .failed(describeAnswer(response, ServiceAnswer(client.body.span)))
    }
}

/// A file that gets its name when all of it is there; or standard output.
struct FileDraft: ~Copyable {
    private let path: String
    /// nil: what is written is there at once.
    private let draft: String?
    private let file: Descriptor?
    private let console: Console
    private var isPublished = false

    /// - Parameter path: `-` is standard output. A pipe, a device or a link is written to as it is.
    init(_ path: String, _ console: Console) throws(SystemError) {
        self.path = path
        self.console = console
        let isOther = path == "-" || Files.exists(path) && !Files.isPlainFile(path)
        draft = isOther ? nil : path + ".writing"
        file = path == "-" ? nil : try Descriptor.create(draft ?? path)
    }

    deinit { if !isPublished, let draft { try? Files.remove(draft) } }

    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        if file == nil { console.write(bytes) } else { try file?.write(bytes) }
    }

    /// Gives it its name, in the place of any file that has it.
    consuming func publish() throws(SystemError) {
        if let draft {
            try file?.sync()
            try Files.rename(draft, to: path)
        }
        isPublished = true
    }
}
