import Events
import Projector
import Values

/// Goes through the documents of a build, and makes their digests where they arrive.
public struct MongoScan: DocumentScan {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func sums(of build: BuildID) async throws -> DocumentSums { try await connection.sums(database, build) }

    public func documents(of build: BuildID, in buckets: KeyBuckets, most: Int) async throws -> ScannedPage? {
        try await connection.documents(database, build, in: buckets, most: most)
    }

    public func page(of build: BuildID, from start: ScanStart, below end: String?, most: Int) async throws -> ScannedPage {
        try await connection.page(database, build, from: start, below: end, most: most)
    }

    public func foreign(of build: BuildID, most: Int) async throws -> [Value] { try await connection.foreign(database, build, most: most) }
}

extension MongoConnection {
    fileprivate func sums(_ database: String, _ build: BuildID) throws -> DocumentSums {
        var sums = DocumentSums()
        try scan(database, build) { key, document in
            sums.add(key, Digest(of: document))
            return true
        }
        return sums
    }

    fileprivate func documents(_ database: String, _ build: BuildID, in buckets: KeyBuckets, most: Int) throws -> ScannedPage? {
        var page = ScannedPage()
        try scan(database, build) { key, document in
            guard buckets.contains(key) else { return true }
            page.keys.append(key)
            page.digests.append(Digest(of: document))
            return page.keys.count <= most
        }
        return page.keys.count <= most ? page : nil
    }

    /// Every document whose id is a string, as it is stored, until `body` says that it has seen enough, or the task is
    /// cancelled.
    private func scan(
        _ database: String, _ build: BuildID, _ body: (_ key: UnsafeRawBufferPointer, _ document: UnsafeRawBufferPointer) -> Bool
    ) throws {
        try find(
            database, build.description, Document(), options: ["hint": ["$natural": 1], "batchSize": .int32(10_000)], "go through the documents of \(build)"
        ) { bytes in
            guard let key = Self.leadingKeyBytes(bytes) else { return true }
            return body(key, bytes) && !Task.isCancelled
        }
        try Task.checkCancellation()
    }

    fileprivate func page(_ database: String, _ build: BuildID, from start: ScanStart, below end: String?, most: Int) throws -> ScannedPage {
        // Bounds that are strings find nothing but strings.
        var bounds: Document =
            switch start {
            case .at(let key): ["$gte": .string(key)]
            case .after(let key): ["$gt": .string(key)]
            }
        if let end { bounds.append("$lt", .string(end)) }
        var page = ScannedPage()
        page.digests.reserveCapacity(most)
        var found = 0
        try find(
            database, build.description, ["_id": .document(bounds)],
            options: ["sort": ["_id": 1], "hint": ["_id": 1], "limit": .int64(Int64(most)), "batchSize": .int32(Int32(clamping: most + 1))],
            "go through the documents of \(build)"
        ) { bytes in
            found += 1
            guard let key = Self.leadingKeyBytes(bytes) else { return true }
            page.keys.append(key)
            page.digests.append(Digest(of: bytes))
            return true
        }
        page.isLast = found < most
        return page
    }

    /// What sorts before every string, and behind. A symbol, which no driver writes any more, sorts among them, and is not found.
    fileprivate func foreign(_ database: String, _ build: BuildID, most: Int) throws -> [Value] {
        let bounds: [Document.Field] = [.init("max", ["_id": ""]), .init("min", ["_id": [:]])]
        var found: [Value] = []
        for bound in bounds where found.count < most {
            let options: Document = ["hint": ["_id": 1], "projection": ["_id": 1], "limit": .int64(Int64(most - found.count))]
            found += try documents(
                database, build.description, Document(), options: Document(options.fields + [bound]), "look for foreign documents of \(build)"
            ).compactMap { $0["_id"] }
        }
        return found
    }
}
