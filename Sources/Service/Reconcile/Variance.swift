// Where another system's stock differs from ours.

package import Domain
internal import Engine

/// Why a line differs, as far as that is plain from the two figures.
package enum VarianceKind: String, CaseIterable, Sendable {
    /// Both have the position.
    case differs
    /// We have units that the file says nothing of.
    case missingThere = "missing_there"
    /// The file has units at a position that we do not have.
    case missingHere = "missing_here"
}

/// What of our facts around the cut-off comes to just the difference.
package enum VarianceExplanation: String, CaseIterable, Sendable {
    case none
    /// Facts that took effect by the cut-off and came to us after it: they may not have known them.
    case late
    /// The last facts before the cut-off: theirs was drawn earlier.
    case drawnEarlier = "drawn_earlier"
    /// The first facts behind the cut-off: theirs was drawn later.
    case drawnLater = "drawn_later"
    /// A movement that came twice under different ids.
    case duplicate
    /// One movement that they lack.
    case missing
    /// A movement that a count of ours made void, and that they have.
    case recorded
}

/// One condition of a position that differs.
package struct Variance: Sendable {
    /// The place of the position: `unknown` where a name is not known here.
    var shard: UInt16
    var sku: UInt32
    var location: UInt16
    package var condition: Condition
    package var kind: VarianceKind
    package var explanation = VarianceExplanation.none
    package var theirs: Int32
    package var ours: Int32
    /// Units of ours that took effect by the cut-off and came after it.
    package var lateUnits: Int64 = 0
    /// Line of the file; 0: it has none.
    package var line: Int

    /// Units, whatever the sign.
    package var size: Int64 { abs(difference) }

    package var difference: Int64 { Int64(theirs) - Int64(ours) }

    static let unknown = UInt32.max
}
