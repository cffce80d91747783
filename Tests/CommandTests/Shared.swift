import Fixtures
import MongoStore
import Synchronization
import Values

extension Installation {
    /// One connection for each URL, kept to the end: libmongoc takes half a second to give one up.
    struct Connections {
        private var known: [String: MongoConnection] = [:]

        mutating func connection(_ url: String) throws -> MongoConnection {
            if let connection = known[url] { return connection }
            let made = try MongoConnection(url: url, name: "outsider")
            known[url] = made
            return made
        }
    }

    static let connections = Mutex(Connections())
}

extension Child.Ended {
    /// One document a line.
    func documents() throws -> [Document] { try output.split(separator: "\n").compactMap { try JSONText.parse(String($0)).get().asDocument } }
}

extension String {
    func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}

extension Document {
    /// An integer under a name.
    func number(_ name: String) -> Int64? { self[name]?.asInteger }
}

extension Value {
    /// Numbers of a document under two names.
    func number(_ name: String) -> Int64? { asDocument?[name]?.asInteger }
}
