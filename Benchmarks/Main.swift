// holdfast-bench: what the store does, beside the simplest thing that could work.

import Foundation
import Platform

@main
struct Main {
    static func main() {
        let status = Main.run(CommandLine.arguments)
        exit(status)
    }

    /// Plain, so that closures formed below belong to no actor.
    nonisolated static func run(_ words: [String]) -> Int32 {
        do {
            if words.count > 1, words[1] == "responder" {
                try Responder.run(words.dropFirst(2))
            } else if words.count > 1, words[1] == "service" {
                try MeasuredService.run(words.dropFirst(2))
            } else {
                try Benchmark.run(Options(words.dropFirst()))
            }
            return 0
        } catch let error as UsageError {
            complain("\(error.message)\n\n\(Options.usage)")
            return 2
        } catch {
            complain("\(error)")
            return 3
        }
    }

    private static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("holdfast-bench: \(text)\n".utf8))
    }
}
