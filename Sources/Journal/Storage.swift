// What the journal needs of a file system, so that the real one and a simulated one can serve it.

package import Platform

/// The files of a journal's folder. Plain values: naming one costs nothing.
package enum FileName: Equatable, Sendable, BitwiseCopyable {
    /// The segment whose first byte has this position in the journal.
    case segment(UInt64)
    /// A segment that is being filled with zeros.
    case preparing
    /// Space kept for the worst day.
    case ballast
}

/// An open file of a storage.
package struct FileNumber: Equatable, Sendable, BitwiseCopyable {
    package let value: Int32
    package init(_ value: Int32) { self.value = value }
}

/// A folder of files. Errors are the kernel's numbers; nothing is retried inside, so that what
/// fails once is seen by the journal.
package protocol Storage: Sendable {
    /// Takes the folder for this process until `unlock`.
    ///
    /// - Throws: EWOULDBLOCK when another holds it.
    func lock() throws(SystemError)
    func unlock()

    /// The segments there are, by base, in any order.
    func segments() throws(SystemError) -> [UInt64]
    func exists(_ name: FileName) -> Bool

    /// Makes a file of `byteCount` allocated bytes of any content, in place of one of that name.
    func create(_ name: FileName, byteCount: Int) throws(SystemError) -> FileNumber
    func open(_ name: FileName) throws(SystemError) -> FileNumber
    func close(_ file: FileNumber)
    func byteCount(_ file: FileNumber) throws(SystemError) -> Int
    func rename(_ name: FileName, to new: FileName) throws(SystemError)
    func remove(_ name: FileName) throws(SystemError)

    /// Makes what was created, renamed and removed survive a loss of power.
    func syncDirectory() throws(SystemError)
    func freeByteCount() throws(SystemError) -> Int

    /// Writes bytes `range` of `region` at `offset`.
    ///
    /// - Returns: How many, at least 1; fewer than asked for is no error.
    func write(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int

    /// Fills bytes `range` of `region` from `offset` on.
    ///
    /// - Returns: How many; 0 at the end of the file.
    func read(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int

    /// Makes the content of a file, and its size, survive a loss of power.
    func sync(_ file: FileNumber) throws(SystemError)

    /// Opens a file to be read from the device, not from memory, as far as the system can. Offsets
    /// and counts of reads are multiples of 4096.
    func openUncached(_ name: FileName) throws(SystemError) -> FileNumber
}

/// EINTR, the same on every Linux.
let interrupted: Int32 = 4

/// EWOULDBLOCK, the same on every Linux.
let wouldBlock: Int32 = 11

extension Storage {
    /// Writes all of `range`, in as many calls as it takes.
    package func writeAll(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) {
        var done = 0
        while done < range.count {
            do {
                done += try write(
                    file, at: offset + done, region, range.lowerBound + done..<range.upperBound)
            } catch {
                if error.code != interrupted { throw error }
            }
        }
    }

    /// Writes `count` zeros at `offset`, by way of the bytes of `region`, which become zero.
    func writeZeros(
        _ file: FileNumber, at offset: Int, _ count: Int, _ region: borrowing Region
    ) throws(SystemError) {
        let step = min(count, region.byteCount)
        region.clear(0..<step)
        var done = 0
        while done < count {
            let part = min(step, count - done)
            try writeAll(file, at: offset + done, region, 0..<part)
            done += part
        }
    }

    /// Fills `range`, in as many calls as it takes; zeros where the file ends.
    func readAll(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) {
        var done = 0
        while done < range.count {
            do {
                let count = try read(
                    file, at: offset + done, region, range.lowerBound + done..<range.upperBound)
                if count == 0 {
                    region.clear(range.lowerBound + done..<range.upperBound)
                    return
                }
                done += count
            } catch {
                if error.code != interrupted { throw error }
            }
        }
    }
}
