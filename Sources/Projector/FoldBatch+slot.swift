import Events
import Models
import Values

extension FoldBatch {
    /// A document under way.
    struct Slot {
        let key: ExactString
        /// As stored: what the write is computed against.
        var before: StoredDocument?
        /// The stored document is not what the log makes it, or may not be: write whatever the fold gives.
        var isSuspect = false
        /// Something is stored under this key, be it Millrace's or not.
        var isStored = false
        /// Large enough that each event's effect on its size is checked.
        var checksSize = false
        /// What the log makes the document before the batch, where that may be another than is stored.
        var refolded: StoredDocument?
        var fields: Document?
        var position: DocumentPosition?
        var expires: Int64?
        /// Whether an event of the key is parked, so that later ones are held, before the batch and up to an element of it.
        var wasHeld = false
        var isHeld = false

        init(key: ExactString) { self.key = key }

        /// The document before the batch, as it is stored in so many bytes.
        mutating func load(_ document: StoredDocument?, bytes: Int) {
            isStored = true
            size = bytes
            checksSize = bytes > Model.maximumDocumentSize.bytes / 4
            before = document
        }

        /// Folds onto what the events before the batch make of the key.
        mutating func goOn(from document: StoredDocument?, isHeld: Bool) {
            before = document
            wasHeld = isHeld
        }

        /// What is folded onto.
        var origin: StoredDocument? { isSuspect ? refolded : before }

        mutating func begin() {
            let origin = origin
            fields = origin?.fields
            position = origin?.position
            expires = origin?.expires
            isHeld = wasHeld
        }

        /// How large the document is about, as BSON.
        private(set) var size = 0

        /// Takes the size of a document that elements from an offset on have changed.
        mutating func measure(from offset: Int64) {
            guard let position, position.offset >= offset else { return }
            size = fields.map(BSON.size) ?? 0
        }

        /// What the batch makes of it, as it will be stored; empty where there is no document then.
        private(set) var bson: [UInt8] = []

        mutating func encode() { bson = after?.bson ?? [] }

        var after: StoredDocument? {
            guard let fields, let position else { return nil }
            return StoredDocument(key: key.text, position: position, expires: expires, fields: fields)
        }
    }
}
