// What can go wrong with history, in words an operator can act on.

package import Journal
package import Platform
package import Zstd

package enum HistoryError: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    case journal(JournalError)
    /// A file of the history cannot be decompressed.
    case damaged(file: String, ZstdError)
    /// The device gave back other bytes than were written.
    case readBackDiffers(file: String)
    /// The caller asked to stop; what was begun is begun again.
    case cancelled

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .journal(let error): error.description
        case .damaged(let file, let error): "\(file) is damaged: \(error.code)"
        case .readBackDiffers(let file): "\(file): the device gives back other bytes than written"
        case .cancelled: "cancelled"
        }
    }
}
