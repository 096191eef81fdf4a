// A column as it was at one moment, readable from another thread while its owner writes on.
//
// Nothing is copied at the freeze. Before the owner's first write to a page that is not read yet,
// it copies the page aside (64 KiB, a few microseconds) and publishes the copy; the live page
// stays where it is, so readers of the column notice nothing. The thread that reads the frozen
// pages copies the live page and then checks that no copy was published meanwhile; if one was, it
// takes that instead.
//
//     page word:   0 live and unchanged  →  address of the copy     (owner, before its first write)
//                  0                     →  1 read already          (reader, after its copy)

public import Synchronization

/// The pages of one column, frozen.
///
/// The owner calls `willWrite`; one other thread reads pages. The page words are how they agree.
@safe @usableFromInline
package final class FrozenPages<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Element>

    /// Rows that were in use at the freeze.
    @usableFromInline package let rowCount: Int

    @usableFromInline let pageWords: UnsafeMutablePointer<Atomic<UInt>>

    /// Rows in a page.
    @inlinable package static var rowsPerPage: Int {
        Column<Element>.pageByteCount / MemoryLayout<Element>.stride
    }

    package var pageCount: Int { (rowCount + Self.rowsPerPage - 1) / Self.rowsPerPage }

    init(base: UnsafeMutablePointer<Element>, rowCount: Int) {
        unsafe self.base = unsafe base
        self.rowCount = rowCount
        let pages = (rowCount + Self.rowsPerPage - 1) / Self.rowsPerPage
        unsafe pageWords = .allocate(capacity: max(1, pages))
        for page in 0..<pages { unsafe (pageWords + page).initialize(to: Atomic(0)) }
    }

    deinit {
        for page in 0..<pageCount {
            let word = unsafe pageWords[page].load(ordering: .relaxed)
            if word > 1 { unsafe UnsafeMutablePointer<Element>(bitPattern: word)?.deallocate() }
        }
        unsafe pageWords.deallocate()
    }

    /// Copies the page of `row` aside unless it was copied or read already. Owner only.
    func willWrite(_ row: Int) {
        let page = row / Self.rowsPerPage
        guard page < pageCount else { return }  // Added after the freeze.
        // Acquire: pairs with the reader's exchange in `withPage`. A page that was read is written
        // without another word, so this load alone keeps the reader's copy ahead of the writes.
        guard unsafe pageWords[page].load(ordering: .acquiring) == 0 else { return }
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: Self.rowsPerPage)
        unsafe copy.update(from: base + page * Self.rowsPerPage, count: rowsIn(page))
        // Release: a reader that sees the address sees the copied rows. It may have just finished
        // with the page; then the copy is not needed.
        let (exchanged, _) = unsafe pageWords[page].compareExchange(
            expected: 0, desired: UInt(bitPattern: copy), ordering: .acquiringAndReleasing)
        if !exchanged { unsafe copy.deallocate() }
        // Keeps the caller's write behind the publication; pairs with the fence in `withPage`.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    func rowsIn(_ page: Int) -> Int {
        min(Self.rowsPerPage, rowCount - page * Self.rowsPerPage)
    }

    /// Hands the rows of `page` as they were at the freeze to `body`; each page once.
    ///
    /// - Complexity: O(rows of a page); two copies at most.
    package func withPage<Result>(_ page: Int, _ body: (Span<Element>) -> Result) -> Result {
        precondition(page >= 0 && page < pageCount)
        let rows = rowsIn(page)
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: rows)
        defer { unsafe copy.deallocate() }
        // A plain copy of a page that the owner may begin to write: what was torn by that is
        // thrown away below, because the owner publishes its own copy first.
        unsafe copy.update(from: base + page * Self.rowsPerPage, count: rows)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let (exchanged, word) = unsafe pageWords[page].compareExchange(
            expected: 0, desired: 1, ordering: .acquiringAndReleasing)
        if !exchanged {
            precondition(word > 1, "a frozen page is read once")
            if let aside = unsafe UnsafeMutablePointer<Element>(bitPattern: word) {
                unsafe copy.update(from: aside, count: rows)
            }
        }
        return body(unsafe Span(_unsafeStart: copy, count: rows))
    }
}
