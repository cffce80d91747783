import Events
import Models
import Projector
import Values

/// A stored document that readers may see.
public struct ReadDocument: Sendable {
    public var id: String
    public var position: DocumentPosition
    public var raw: RawDocument

    /// nil for what readers do not see: somebody else's document, one that has expired, and one that no root event has made
    /// whole.
    ///
    /// - Parameter now: by MongoDB's clock, milliseconds since 1970.
    public init?(_ raw: RawDocument, now: Int64) throws(BSONError) {
        var (id, position): (String?, DocumentPosition?)
        var isSeen = true
        try raw.forEachField { (name, value) throws(BSONError) in
            // Millrace's own fields begin with an underscore.
            guard name.first == UInt8(ascii: "_") else { return true }
            switch String(decoding: name, as: UTF8.self) {
            case "_id": id = try value().asString
            case "_position": position = try DocumentPosition(value())
            case StoredDocument.expiryField: if let expires = try value().asDate, expires <= now { isSeen = false }
            case StoredDocument.orphanField: isSeen = false
            default: break
            }
            return true
        }
        guard let id, let position, isSeen else { return nil }
        self.id = id
        self.position = position
        self.raw = raw
    }
}

/// A document that was looked up, or that there is none, and what the server that was read from says of its model.
public struct LookupAnswer: Sendable {
    public var document: ReadDocument?
    public var build: BuildID
    public var generation: Int64
    /// Everything before this offset of the partition has taken effect in it.
    public var offset: Int64
    /// Milliseconds.
    public var lag: Int64
    /// Whether MongoDB gave no answer, and this is an earlier one.
    public var isStale = false

    init(_ document: ReadDocument?, _ id: String, of model: ReadModel, _ build: BuildID, _ view: ServerView) {
        let partition = model.partition(of: id)
        let checkpoint = view.checkpoint(of: build, partition)
        self.document = document
        self.build = build
        generation = checkpoint?.generation ?? 0
        offset = checkpoint?.offset ?? 0
        lag = view.lag(of: build, partition)
    }
}
