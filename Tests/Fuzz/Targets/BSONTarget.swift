import Models
import Values

enum BSONTarget {
    static func check(_ input: [UInt8]) -> String? {
        guard let document = try? Document(bson: input) else { return nil }
        // Text that is not UTF-8 is repaired when it is read, so that the bytes may differ from the input, but only once.
        let bytes = BSON.encode(document)
        guard let again = try? Document(bson: bytes) else { return "what was written cannot be read" }
        guard BSON.encode(again) == bytes else { return "what was written is read as something else" }
        guard Value.order(.document(document), .document(again)) == 0 else { return "a document is not equal to itself" }
        if let stored = StoredDocument(document) {
            guard let copy = try? Document(bson: stored.bson), let read = StoredDocument(copy), read.bson == stored.bson else {
                return "a stored document is read as another"
            }
        }
        return nil
    }
}
