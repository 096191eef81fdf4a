// `holdfast inspect DIR --facts`: what the journal says, fact by fact.

import Bytes
import Engine
import Journal
import Service

/// Which frames are wanted.
private struct FrameChoice {
    /// nil: all streams.
    var stream: UInt16?
    var first: UInt64 = 0

    init(_ arguments: Arguments, shardCount: Int) throws(CommandError) {
        switch arguments.value("stream") {
        case nil: break
        case "control": stream = StreamNumber.control
        case let text?:
            guard let number = UInt16(text), Int(number) < shardCount else {
                throw .usage("--stream takes control or a shard below \(shardCount), not \(text)")
            }
            stream = number
        }
        first = UInt64(try arguments.integer("from", in: 0...Int.max, default: 0))
    }

    func holds(_ header: FrameHeader) -> Bool {
        header.sequence >= first && (stream == nil || header.stream == stream)
    }
}

func listFacts(
    _ directory: StoredDirectory, _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    if arguments.has("json") { throw .usage("--facts are JSON as they are") }
    let choice = try FrameChoice(arguments, shardCount: directory.shardCount)
    let isInUse = try stored { () throws(StartError) in try directory.isInUse }
    var output = ByteBuffer()
    var malformed: FactError?
    do throws(StartError) {
        _ = try directory.load { engine, header, frame in
            guard choice.holds(header), malformed == nil else { return }
            var lines = FactLines(engine)
            do throws(FactError) { try lines.append(header, frame, to: &output) } catch {
                malformed = error
            }
            if output.count < 1 << 18 { return }
            console.write(output.span)
            output.removeAll()
        }
    } catch {
        console.write(output.span)
        if isInUse {
            console.complain("in use, so the end may be under way: \(error)")
            return .done
        }
        console.complain("\(error)")
        return .damaged
    }
    console.write(output.span)
    if let malformed {
        console.complain("byte \(malformed.offset) of a payload: \(malformed.reason.rawValue)")
        return .damaged
    }
    return .done
}
