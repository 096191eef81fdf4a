// A copy of a data directory on its way between machines: one tar archive, its names below one folder.

internal import Bytes
internal import Journal
package import Platform
internal import Snapshot
internal import Tar

/// EBADMSG, the same on every Linux.
private let badMessage: Int32 = 74

extension BackupPlan {
    /// Writes all of it as an archive.
    ///
    /// - Parameters:
    ///   - folder: What all names lie below.
    ///   - time: Milliseconds since 1970.
    func write(
        below folder: String, time: Milliseconds, to sink: ExportSink
    ) throws(SystemError) {
        var output = ByteBuffer()
        func flush() throws(SystemError) {
            try sink(output.span)
            output.removeAll()
        }
        func entry(_ kind: TarKind, _ name: String) -> TarEntry {
            var entry = TarEntry(kind, name.isEmpty ? folder : "\(folder)/\(name)")
            entry.modified = Int(time / 1000)
            if kind != .file { entry.mode = 0o755 }
            return entry
        }
        output.append(tar: entry(.folder, ""))
        for item in items {
            switch item {
            case .folder(let name): output.append(tar: entry(.folder, name))
            case .link(let name, let target):
                var link = entry(.link, name)
                link.target = target
                output.append(tar: link)
            case .file(let name, _, _, let byteCount):
                var file = entry(.file, name)
                file.byteCount = byteCount
                if name == "key" || name == "holdfast.json" { file.mode = 0o600 }
                output.append(tar: file)
                try flush()
                try item.read(sink)
                output.append(tarPaddingBehind: byteCount)
            }
        }
        output.appendTarEnd()
        try flush()
    }
}

/// Makes a data directory of an archive as it comes: a whole copy, or none.
package struct BackupReceiver: ~Copyable {
    private let draft: DirectoryDraft
    private var reader = TarReader()
    private var text = ByteBuffer()
    private var file: Descriptor?
    private var hasEnded = false
    private var isPublished = false

    /// - Parameter target: Where there must be nothing.
    package init(to target: String) throws(SystemError) { draft = try DirectoryDraft(at: target) }

    deinit { if !isPublished { try? Files.removeTree(draft.path) } }

    /// Takes the next bytes.
    ///
    /// - Throws: Also when the archive is not one of a backup.
    package mutating func take(_ bytes: Span<UInt8>) throws(SystemError) {
        if hasEnded { return }
        text.append(bytes)
        var offset = 0
        while true {
            switch try next(from: offset) {
            case .entry(let entry, let consumed):
                offset = consumed
                try begin(entry)
            case .data(let range):
                offset = range.end
                try file?.write(text.span.part(range))
            case .needMore(let consumed):
                text.removeFirst(consumed)
                return
            case .end:
                try endFile()
                hasEnded = true
                return
            }
        }
    }

    private mutating func next(from offset: Int) throws(SystemError) -> TarReader.Step {
        // A copy: the text is borrowed from what the reader is part of.
        var reader = reader
        defer { self.reader = reader }
        do throws(TarError) { return try reader.next(text.span, from: offset) } catch {
            throw Self.refusal("the archive")
        }
    }

    private mutating func begin(_ entry: TarEntry) throws(SystemError) {
        try endFile()
        let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst()
        if parts.isEmpty || parts == [""] { return }
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw Self.refusal(entry.name)
        }
        let name = parts.joined(separator: "/")
        switch entry.kind {
        case .folder: try Files.makeFolder("\(draft.path)/\(name)")
        case .file: file = try draft.create(name)
        case .link:
            guard entry.target.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw Self.refusal(entry.name)
            }
            try Files.link("\(draft.path)/\(name)", to: entry.target)
        }
    }

    private mutating func endFile() throws(SystemError) {
        if let file = file.take() { try file.sync() }
    }

    private static func refusal(_ name: String) -> SystemError {
        SystemError("unpack", on: name, code: badMessage)
    }

    /// Reads the copy back and gives it its name.
    ///
    /// - Throws: When it is not whole.
    package consuming func finish() throws(StartError) -> BackupSummary {
        guard hasEnded else { throw StartError("the backup breaks off") }
        do {
            let summary = try StoredDirectory(draft.path).checkedBackup()
            try draft.publish()
            isPublished = true
            return summary
        } catch { throw StartError("the backup is not whole: \(error)") }
    }
}
