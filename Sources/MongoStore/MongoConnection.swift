import CMongoShim
import Events
import Projector
import Threads
import Values

/// One client of the pool with one causally consistent session, on a thread of its own: libmongoc's calls block, and
/// neither client nor session may be used by two threads.
///
/// What needs several calls without anything in between, such as a transaction, is written as a method of this actor
/// that does not suspend.
public actor MongoConnection {
    nonisolated let executor: ThreadExecutor
    private let handles: Handles

    /// What libmongoc gave, and takes back. Neither call blocks.
    private final class Handles {
        let pool: MongoPool
        let client: OpaquePointer
        var session: OpaquePointer?

        init(pool: MongoPool, client: OpaquePointer) {
            self.pool = pool
            self.client = client
            pool.took()
        }

        deinit {
            if let session { mongo_shim_session_end(session) }
            mongo_shim_client_push(pool.pool, client)
            pool.gotBack()
        }
    }

    /// What the pool calls the servers that reads are made at, by host and port.
    var readServers: [String: UInt32] = [:]
    /// libmongoc's, for what is in other files.
    var client: OpaquePointer { handles.client }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    public init(pool: MongoPool, name: String) throws(Refusal) {
        guard let client = mongo_shim_client_pop(pool.pool) else {
            throw Refusal(.serverUnreachable, "all \(pool.connections) MongoDB connections of this process are in use")
        }
        executor = ThreadExecutor(name: "mongo-\(name)")
        handles = Handles(pool: pool, client: client)
    }

    /// A connection with a pool of its own.
    public init(url: String, name: String) throws(Refusal) {
        try self.init(pool: MongoPool(url: url), name: name)
    }

    enum Mode: Int32 {
        case plain = 0
        case read = 1
        case write = 2
        case transaction = 3
    }

    /// Runs a command on the primary, without read or write concern.
    @discardableResult
    public func command(_ database: String, _ command: Document) throws -> Document {
        try run(database, BSON.encode(command), .plain, command.fields.first?.name ?? "command")
    }

    /// Runs a command and returns its reply. A reply that carries a write concern error counts as a failure, whose
    /// outcome is unknown; write errors are the caller's to look at, in the reply.
    @discardableResult
    func run(_ database: String, _ command: [UInt8], _ mode: Mode, _ operation: String) throws(MongoError) -> Document {
        var error = mongo_shim_error()
        var answer = Document()
        var done: Int32 = 0
        let session = mode == .plain ? nil : try currentSession(operation)
        command.withUnsafeBufferPointer { bytes in
            var reply = mongo_shim_reply()
            done = mongo_shim_command(handles.client, session, database, bytes.baseAddress, bytes.count, mode.rawValue, &reply, &error)
            answer = Self.take(reply)
        }
        guard done == 1 else { throw MongoError(error, reply: answer, operation: operation) }
        if let concern = answer["writeConcernError"]?.asDocument {
            throw MongoError(
                code: UInt32(clamping: concern["code"]?.asInteger ?? 0), labels: MongoError.labels(of: answer), operation: operation,
                message: concern["errmsg"]?.asString ?? "the write is not known to have reached a majority"
            )
        }
        return answer
    }

    /// The code of the first write error in a reply.
    static func writeErrorCode(_ reply: Document) -> Int64? {
        reply["writeErrors"]?.asArray?.first?.asDocument?["code"]?.asInteger
    }

    /// Throws the first write error of a reply, if there is one.
    static func check(_ reply: Document, _ operation: String) throws(MongoError) {
        guard let error = reply["writeErrors"]?.asArray?.first?.asDocument else { return }
        throw MongoError(
            code: UInt32(clamping: error["code"]?.asInteger ?? 0), labels: MongoError.labels(of: reply), operation: operation,
            message: error["errmsg"]?.asString ?? "a write failed"
        )
    }

    /// Calls `body` with each document found until it returns false: on the primary, read concern majority, in the
    /// session and in the transaction that is under way there. The bytes are valid during the call.
    func find(
        _ database: String, _ collection: String, _ filter: Document, options: Document = Document(), _ operation: String,
        _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try find(database, collection, filter: BSON.encode(filter), options: options, operation, body)
    }

    func find(
        _ database: String, _ collection: String, filter: [UInt8], options: Document = Document(), _ operation: String,
        _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        var error = mongo_shim_error()
        let session = try currentSession(operation)
        let settings = BSON.encode(options)
        let cursor = filter.withUnsafeBufferPointer { filter in
            settings.withUnsafeBufferPointer { settings in
                mongo_shim_find(handles.client, session, database, collection, filter.baseAddress, filter.count, settings.baseAddress, settings.count, &error)
            }
        }
        guard let cursor else { throw MongoError(error, operation: operation) }
        defer { mongo_shim_cursor_free(cursor) }
        while true {
            var bytes: UnsafePointer<UInt8>?
            var length = 0
            switch mongo_shim_cursor_next(cursor, &bytes, &length, &error) {
            case 1: if !(try body(UnsafeRawBufferPointer(start: bytes, count: length))) { return }
            case 0: return
            default: throw MongoError(error, operation: operation)
            }
        }
    }

    /// The documents found.
    func documents(_ database: String, _ collection: String, _ filter: Document, options: Document = Document(), _ operation: String) throws -> [Document] {
        var found: [Document] = []
        try find(database, collection, filter, options: options, operation) { bytes in
            found.append(try Document(bson: bytes))
            return true
        }
        return found
    }

    func document(_ database: String, _ collection: String, _ filter: Document, options: Document = Document(), _ operation: String) throws -> Document? {
        var options = options
        options["limit"] = 1
        return try documents(database, collection, filter, options: options, operation).first
    }

    /// Inserts a document unless its id is there.
    func insertUnlessThere(_ database: String, _ collection: String, id: Value, _ fields: Document) throws(MongoError) {
        let command: Document = [
            "update": .string(collection), "updates": [["q": ["_id": id], "u": ["$setOnInsert": .document(fields)], "upsert": true]],
        ]
        let reply = try run(database, BSON.encode(command), .write, "write to \(collection)")
        // 11000: somebody else inserted it at the same time.
        if Self.writeErrorCode(reply) != 11000 { try Self.check(reply, "write to \(collection)") }
    }

    // MARK: Sessions and transactions

    /// The id of the session that the connection writes through.
    func sessionId() throws(MongoError) -> [UInt8] {
        let session = try currentSession("start a session")
        return [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            mongo_shim_session_id(session, buffer.baseAddress)
            count = 16
        }
    }

    /// Ends the session, whatever was under way in it; the next call starts another.
    func dropSession() {
        if let session = handles.session { mongo_shim_session_end(session) }
        handles.session = nil
    }

    func startTransaction() throws(MongoError) {
        var error = mongo_shim_error()
        guard mongo_shim_transaction_start(try currentSession("start a transaction"), &error) == 1 else {
            throw MongoError(error, operation: "start a transaction")
        }
    }

    /// One attempt to commit. The reply tells what a failure means.
    func commitTransaction() throws(MongoError) -> (error: MongoError?, reply: Document) {
        var reply = mongo_shim_reply()
        var error = mongo_shim_error()
        let done = mongo_shim_transaction_commit(try currentSession("commit"), &reply, &error)
        let answer = Self.take(reply)
        return (done == 1 ? nil : MongoError(error, reply: answer, operation: "commit"), answer)
    }

    func abortTransaction() {
        if let session = handles.session { mongo_shim_transaction_abort(session) }
    }

    private func currentSession(_ operation: String) throws(MongoError) -> OpaquePointer {
        if let session = handles.session { return session }
        var error = mongo_shim_error()
        guard let session = mongo_shim_session_start(handles.client, &error) else { throw MongoError(error, operation: operation) }
        handles.session = session
        return session
    }

    private static func take(_ reply: mongo_shim_reply) -> Document {
        defer { mongo_shim_free(reply.bytes) }
        // A reply that cannot be read counts as empty: the return code has said whether the command succeeded.
        return (try? Document(bson: UnsafeRawBufferPointer(start: reply.bytes, count: reply.length))) ?? Document()
    }
}
