import Events
import Fixtures
import Foundation

/// Messages for the model `row` without end, as Debezium Server writes them into a Redis stream: changes of rows, removals
/// with their tombstones, changes that it sends again, and now and then what nobody can read.
struct RowMessages {
    struct Message {
        var key: String
        var value: String

        /// As the journal has it.
        var line: [UInt8] {
            func quote(_ text: String) -> String { "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
            return Array("{\"key\":\(quote(key)),\"value\":\(quote(value))}".utf8)
        }
    }

    private var random: Random
    private let keys: Int
    private let name: String
    private var position = 0
    private var last: Message?

    /// - Parameter name: tells the messages of several generators apart.
    init(_ seed: Seed, name: String, keys: Int = 30) {
        random = Random(seed.mixed(with: name))
        self.keys = keys
        self.name = name
    }

    mutating func next(_ count: Int) -> [Message] {
        var messages: [Message] = []
        while messages.count < count { messages += next() }
        return messages
    }

    private mutating func next() -> [Message] {
        if let last, random.once(in: 40) { return [last] }
        if random.once(in: 150) { return [Message(key: "{\"id\":\"\(name)-1\"}", value: random.pick(["{\"op\"", "default,", "{\"op\":\"x\"}", ""]))] }
        position += 1
        let id = "\(name)-\(random.below(keys))"
        let row = "{\"id\":\"\(id)\",\"amount\":\(random.below(100)),\"mark\":\"\(name)/\(position)\"}"
        let op = random.once(in: 50) ? "d" : random.once(in: 3) ? "c" : "u"
        let sides = op == "d" ? "\"before\":\(row),\"after\":null" : "\"before\":null,\"after\":\(row)"
        let source =
            "{\"connector\":\"postgresql\",\"name\":\"\(name)\",\"db\":\"shop\",\"table\":\"items\",\"txId\":\(position / 3),\"lsn\":\(position),\"ts_ms\":1}"
        let key = "{\"id\":\"\(id)\"}"
        let message = Message(key: key, value: "{\(sides),\"source\":\(source),\"op\":\"\(op)\",\"ts_ms\":\(position)}")
        last = message
        return op == "d" ? [message, Message(key: key, value: "default")] : [message]
    }
}
