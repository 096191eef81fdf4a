// The structures of a footer, read one by one as they lie there.

import Bytes

/// What a footer says, unchecked.
struct FooterDraft {
    struct Element {
        var name = ""
        var physicalType: Int32?
        var fixedByteCount: Int32 = 0
        var repetition: Int32?
        var childCount = 0
        var convertedType: Int32?
        var logicalType: LogicalType?

        var isOptional: Bool { repetition == 1 }
    }

    /// The logical types that columns are read as; all others are `other`.
    enum LogicalType: Equatable {
        case string
        case uuid
        case timestampMilliseconds
        case signedInteger
        case other
    }

    struct Chunk {
        var physicalType: Int32 = 0
        var path: [String] = []
        var codec: Int32 = 0
        var valueCount = 0
        var byteCount = 0
        var dataOffset = 0
        var dictionaryOffset: Int?

        /// Where the pages begin. Some writers give an offset of 0 where there is no dictionary.
        var start: Int {
            if let dictionaryOffset, dictionaryOffset > 0, dictionaryOffset < dataOffset {
                return dictionaryOffset
            }
            return dataOffset
        }
    }

    struct RowGroup {
        var rowCount = 0
        var chunks: [Chunk] = []
    }

    var elements: [Element] = []
    var rowCount = 0
    var rowGroups: [RowGroup] = []
    var metadata: [String: String] = [:]
    var createdBy: String?
}

extension FooterDraft.Element {
    /// What the column is read as.
    var kind: ParquetColumn.Kind {
        switch (physicalType.flatMap { PhysicalType(rawValue: $0) }, annotation) {
        case (.boolean, nil): .boolean
        case (.int32, nil), (.int32, .signedInteger): .int32
        case (.int64, nil), (.int64, .signedInteger): .int64
        case (.int64, .timestampMilliseconds): .timestamp
        case (.byteArray, .string): .string
        case (.fixedLengthByteArray, nil), (.fixedLengthByteArray, .uuid):
            if fixedByteCount > 0, fixedByteCount <= ParquetLimits.fixedByteCountMax {
                .fixed(byteCount: Int(fixedByteCount))
            } else {
                .unsupported("the length of the values")
            }
        default: .unsupported("the type of the values")
        }
    }

    /// The logical type, also where only its older form is given.
    private var annotation: FooterDraft.LogicalType? {
        if let logicalType { return logicalType }
        guard let convertedType else { return nil }
        switch ConvertedType(rawValue: convertedType) {
        case .utf8: return .string
        case .timestampMilliseconds: return .timestampMilliseconds
        case .int8, .int16, .int32, .int64: return .signedInteger
        case nil: return .other
        }
    }
}

extension ThriftReader {
    mutating func footer() throws(ParquetError) -> FooterDraft {
        var draft = FooterDraft()
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (2, .list): draft.elements = try schema()
            case (3, .int64): draft.rowCount = try size()
            case (4, .list):
                for _ in 0..<(try list(of: .structure)) { draft.rowGroups.append(try rowGroup()) }
            case (5, .list):
                for _ in 0..<(try list(of: .structure)) {
                    if let (key, value) = try keyValue() { draft.metadata[key] = value }
                }
            case (6, .binary): draft.createdBy = try string()
            case (8, _): throw error(.unsupported("an encrypted file"))
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        guard found.isSuperset(of: [1, 2, 3, 4]) else {
            throw corrupt("the footer is not complete")
        }
        return draft
    }

    /// The columns under the root.
    private mutating func schema() throws(ParquetError) -> [FooterDraft.Element] {
        let count = try list(of: .structure)
        guard count > 0 else { throw corrupt("there is no schema") }
        let root = try schemaElement()
        var elements: [FooterDraft.Element] = []
        for _ in 1..<count {
            let element = try schemaElement()
            guard element.childCount == 0 else { throw error(.unsupported("nested columns")) }
            guard let repetition = element.repetition, element.physicalType != nil else {
                throw corrupt("a column is not complete")
            }
            guard repetition == 0 || repetition == 1 else {
                throw error(.unsupported("repeated columns"))
            }
            elements.append(element)
        }
        guard root.childCount == elements.count else { throw corrupt("columns are missing") }
        return elements
    }

    private mutating func schemaElement() throws(ParquetError) -> FooterDraft.Element {
        var element = FooterDraft.Element()
        var hasName = false
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): element.physicalType = try integer()
            case (2, .int32): element.fixedByteCount = try integer()
            case (3, .int32): element.repetition = try integer()
            case (4, .binary):
                element.name = try string()
                hasName = true
            case (5, .int32): element.childCount = try size()
            case (6, .int32): element.convertedType = try integer()
            case (10, .structure): element.logicalType = try logicalType()
            default: try skip(field.type)
            }
        }
        guard hasName else { throw corrupt("a column has no name") }
        return element
    }

    private mutating func logicalType() throws(ParquetError) -> FooterDraft.LogicalType {
        var logicalType = FooterDraft.LogicalType.other
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .structure):
                logicalType = .string
                try skip(.structure)
            case (8, .structure): logicalType = try timestamp()
            case (10, .structure): logicalType = try integerType()
            case (14, .structure):
                logicalType = .uuid
                try skip(.structure)
            default: try skip(field.type)
            }
        }
        return logicalType
    }

    private mutating func timestamp() throws(ParquetError) -> FooterDraft.LogicalType {
        var isUTC = false
        var isMilliseconds = false
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .isTrue): isUTC = true
            case (2, .structure):
                var unitBefore: Int16 = 0
                while let unit = try self.field(after: &unitBefore) {
                    isMilliseconds = unit.number == 1
                    try skip(unit.type)
                }
            default: try skip(field.type)
            }
        }
        return isUTC && isMilliseconds ? .timestampMilliseconds : .other
    }

    private mutating func integerType() throws(ParquetError) -> FooterDraft.LogicalType {
        var isSigned = false
        var before: Int16 = 0
        while let field = try field(after: &before) {
            if field.number == 2 { isSigned = field.type == .isTrue }
            try skip(field.type)
        }
        return isSigned ? .signedInteger : .other
    }

    private mutating func rowGroup() throws(ParquetError) -> FooterDraft.RowGroup {
        var group = FooterDraft.RowGroup()
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .list):
                for _ in 0..<(try list(of: .structure)) { group.chunks.append(try chunk()) }
            case (3, .int64): group.rowCount = try size()
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        guard found.isSuperset(of: [1, 3]) else { throw corrupt("a row group is not complete") }
        return group
    }

    private mutating func chunk() throws(ParquetError) -> FooterDraft.Chunk {
        var chunk: FooterDraft.Chunk?
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .binary): throw error(.unsupported("columns in other files"))
            case (3, .structure): chunk = try chunkMetadata()
            default: try skip(field.type)
            }
        }
        guard let chunk else { throw corrupt("a column chunk is not complete") }
        return chunk
    }

    private mutating func chunkMetadata() throws(ParquetError) -> FooterDraft.Chunk {
        var chunk = FooterDraft.Chunk()
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): chunk.physicalType = try integer()
            case (3, .list):
                for _ in 0..<(try list(of: .binary)) { chunk.path.append(try string()) }
            case (4, .int32): chunk.codec = try integer()
            case (5, .int64): chunk.valueCount = try size()
            case (7, .int64): chunk.byteCount = try size()
            case (9, .int64): chunk.dataOffset = try size()
            case (11, .int64): chunk.dictionaryOffset = try size()
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        guard found.isSuperset(of: [1, 3, 4, 5, 7, 9]) else {
            throw corrupt("a column chunk is not complete")
        }
        return chunk
    }

    /// A key and its text; nil when it has none.
    private mutating func keyValue() throws(ParquetError) -> (key: String, value: String)? {
        var key: String?
        var value: String?
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .binary): key = try string()
            case (2, .binary): value = try string()
            default: try skip(field.type)
            }
        }
        guard let key else { throw corrupt("a text has no key") }
        return value.map { (key, $0) }
    }
}
