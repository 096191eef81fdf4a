// parquet-tables: files for other programs to read, and what is in files of theirs.
//
//     parquet-tables write DIRECTORY    <name>.parquet and <name>.tsv, the same values as text
//     parquet-tables read FILE          the values of a file as text
//
// The text has a line per row and a tab between values: integers, timestamps (milliseconds) and
// Booleans (true, false) plain, strings as they are, byte strings in hexadecimal. The first line has
// the names of the columns.

import Bytes
import Foundation
import Parquet
import Platform

@main
struct Main {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        do {
            switch (words.first, words.dropFirst().first, words.count) {
            case ("write", let directory?, 2):
                for table in Table.samples { try table.write(to: directory) }
            case ("read", let path?, 2):
                try FileHandle.standardOutput.write(contentsOf: Data(Table(path).text.utf8))
            default:
                complain("usage: parquet-tables write DIRECTORY | read FILE")
                exit(2)
            }
        } catch {
            complain("\(error)")
            exit(3)
        }
    }

    private static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
    }
}
