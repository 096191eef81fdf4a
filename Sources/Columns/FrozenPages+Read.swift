// Rows of a frozen column in any order: runs lie where they came to lie, and lists go from page to
// page, so who writes a shard down cannot take page after page.

public import Synchronization

extension FrozenPages {
    /// Copies `count` rows from `first` on, as they were at the freeze, to the front of `target`.
    ///
    /// As often as wanted, and by several threads, until the column is thawed; not of pages that
    /// `withPage` has handed out.
    ///
    /// - Complexity: O(`count`); two copies at most.
    @inlinable
    package func read(_ first: Int, _ count: Int, into target: inout MutableSpan<Element>) {
        precondition(first >= 0 && count >= 0 && count <= rowCount - first)
        precondition(count <= target.count)
        var done = 0
        while done < count {
            let row = first &+ done
            let page = row / Self.rowsPerPage
            let length = min(count &- done, (page &+ 1) &* Self.rowsPerPage &- row)
            unsafe target.withUnsafeMutableBufferPointer { rows in
                guard let start = rows.baseAddress else { return }
                unsafe read(page, row, length, to: start + done)
            }
            done &+= length
        }
    }

    /// One row, as it was at the freeze.
    @inlinable
    package subscript(row: Int) -> Element {
        precondition(row >= 0 && row < rowCount)
        let page = row / Self.rowsPerPage
        if let aside = unsafe aside(page) { return unsafe aside[row &- page &* Self.rowsPerPage] }
        let value = unsafe base[row]
        // As in `read`.
        atomicMemoryFence(ordering: .acquiring)
        guard let aside = unsafe aside(page) else { return value }
        return unsafe aside[row &- page &* Self.rowsPerPage]
    }

    /// Copies `count` rows of one page, from `row` on.
    @inlinable
    func read(_ page: Int, _ row: Int, _ count: Int, to target: UnsafeMutablePointer<Element>) {
        let offset = row &- page &* Self.rowsPerPage
        if let aside = unsafe aside(page) {
            unsafe target.update(from: aside + offset, count: count)
            return
        }
        unsafe target.update(from: base + row, count: count)
        // Keeps the copy above ahead of the look at the word: if the copy has seen a write of the
        // owner, so does the look see what was set aside before it. Pairs with the fence in
        // `willWrite`.
        atomicMemoryFence(ordering: .acquiring)
        if let aside = unsafe aside(page) {
            unsafe target.update(from: aside + offset, count: count)
        }
    }

    /// Where the owner has set the page aside; nil while it lies where it was.
    @inlinable
    func aside(_ page: Int) -> UnsafeMutablePointer<Element>? {
        // Acquire: pairs with the release in `willWrite`.
        let word = unsafe pageWords[page].load(ordering: .acquiring)
        precondition(word != 1, "a frozen page that was handed out belongs to the owner again")
        return unsafe UnsafeMutablePointer(bitPattern: word)
    }
}
