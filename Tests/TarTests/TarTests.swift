import Bytes
import Foundation
import Tar
import Testing

/// Everything in an archive: entries, and the bytes of each.
private func contents(
    _ bytes: [UInt8], pieces size: Int = .max
) throws(TarError) -> [(entry: TarEntry, bytes: [UInt8])] {
    var reader = TarReader()
    var found: [(entry: TarEntry, bytes: [UInt8])] = []
    var text = ByteBuffer()
    var next = 0
    while true {
        var offset = 0
        var wantsMore = false
        while !wantsMore {
            switch try reader.next(text.span, from: offset) {
            case .entry(let entry, let consumed):
                found.append((entry, []))
                offset = consumed
            case .data(let range):
                found[found.count - 1].bytes += text.span.part(range).array
                offset = range.end
            case .needMore(let consumed):
                offset = consumed
                wantsMore = true
            case .end: return found
            }
        }
        text.removeFirst(offset)
        if next == bytes.count { throw .truncated }
        let end = min(bytes.count, next + min(size, bytes.count))
        text.append(bytes.span.extracting(next..<end))
        next = end
    }
}

private func archive(_ files: [(TarEntry, [UInt8])]) -> [UInt8] {
    var output = ByteBuffer()
    for (entry, bytes) in files {
        output.append(tar: entry)
        output.append(bytes.span)
        output.append(tarPaddingBehind: bytes.count)
    }
    output.appendTarEnd()
    return output.span.array
}

private func file(_ name: String, _ bytes: [UInt8], mode: Int = 0o644) -> (TarEntry, [UInt8]) {
    var entry = TarEntry(.file, name)
    entry.byteCount = bytes.count
    entry.mode = mode
    entry.modified = 1_764_000_000
    return (entry, bytes)
}

@Suite struct TarTests {
    private let sample: [(TarEntry, [UInt8])]

    init() {
        var folder = TarEntry(.folder, "top/inner")
        folder.mode = 0o755
        var link = TarEntry(.link, "top/latest")
        link.target = "inner"
        sample = [
            (folder, []), file("top/empty", []), file("top/a", Array("hello".utf8), mode: 0o600),
            file("top/inner/block", [UInt8](repeating: 7, count: 512)),
            file("top/inner/more", (0..<1500).map { UInt8($0 & 255) }), (link, []),
        ]
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func `what is written is read, in pieces of any size`(size: Int) throws {
        let found = try contents(archive(sample), pieces: size)
        #expect(found.map(\.entry) == sample.map(\.0))
        #expect(found.map(\.bytes) == sample.map(\.1))
    }

    @Test func `tar reads what is written, and its archives are read`() throws {
        let folder = NSTemporaryDirectory() + "holdfast-tar-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: folder + "/out", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(archive(sample)).write(to: URL(fileURLWithPath: folder + "/ours.tar"))
        try tar(["xf", folder + "/ours.tar", "-C", folder + "/out"])
        for (entry, bytes) in sample where entry.kind == .file {
            let path = "\(folder)/out/\(entry.name)"
            #expect(FileManager.default.contents(atPath: path) == Data(bytes))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == entry.mode)
        }
        let target = try FileManager.default.destinationOfSymbolicLink(
            atPath: folder + "/out/top/latest")
        #expect(target == "inner")

        try tar(["cf", folder + "/theirs.tar", "--format=ustar", "-C", folder + "/out", "top"])
        let theirs = try contents(
            [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/theirs.tar"))))
        let files = theirs.filter { $0.entry.kind == .file }.sorted {
            $0.entry.name < $1.entry.name
        }
        #expect(
            files.map(\.bytes)
                == sample.filter { $0.0.kind == .file }.sorted { $0.0.name < $1.0.name }.map(\.1))
    }

    private func tar(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar"] + arguments
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(arguments)")
    }

    @Test(arguments: [0, 1, 0o77777777777, 1 << 33, 1 << 40, 1 << 53])
    func `sizes of any length are told`(byteCount: Int) throws {
        var entry = TarEntry(.file, "large")
        entry.byteCount = byteCount
        var output = ByteBuffer()
        output.append(tar: entry)
        #expect(output.count == 512)
        var reader = TarReader()
        #expect(try reader.next(output.span, from: 0) == .entry(entry, consumed: 512))
    }

    @Test func `an archive that breaks off anywhere is not whole`() throws {
        let whole = archive(sample)
        for count in stride(from: 0, to: whole.count - 512, by: 97) {
            #expect(throws: TarError.truncated, "\(count)") {
                try contents(Array(whole[..<count]))
            }
        }
    }

    @Test func `a block that is not one of tar is refused`() throws {
        for offset in [0, 100, 124, 148, 156, 257] {
            var bytes = archive(sample)
            bytes[offset] ^= 0x40
            #expect(throws: TarError.notTar, "\(offset)") { try contents(bytes) }
        }
        // A size that overflows.
        var output = ByteBuffer()
        var entry = TarEntry(.file, "x")
        entry.byteCount = 1 << 40
        output.append(tar: entry)
        for offset in 125..<136 { output[offset] = 0xFF }
        let sum = (0..<512).reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(output[$1])) }
        for (offset, digit) in String(sum, radix: 8).utf8.reversed().enumerated() {
            output[153 - offset] = digit
        }
        #expect(throws: TarError.notTar) { try contents(output.span.array) }
    }

    @Test func `what is no file, folder or link is refused`() throws {
        var bytes = archive(sample)
        // A device; the checksum is one of digits in order.
        bytes[156] = UInt8(ascii: "4")
        bytes[153] -= 1
        #expect(throws: TarError.unsupportedKind(0x34)) { try contents(bytes) }
    }
}
