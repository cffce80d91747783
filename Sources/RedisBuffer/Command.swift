/// A command as Redis reads it: an array of strings with their lengths, so that no byte in a key or a value means
/// anything.
struct Command {
    private(set) var bytes: [UInt8] = []

    /// - Parameters:
    ///   - words: the command's name and its first arguments.
    ///   - values: further arguments, of any bytes.
    init(_ words: [String], values: ArraySlice<[UInt8]> = []) {
        bytes.reserveCapacity(values.reduce(words.count * 48) { $0 + $1.count + 16 })
        bytes.append(contentsOf: "*\(words.count + values.count)\r\n".utf8)
        for word in words { append(word.utf8) }
        for value in values { append(value) }
    }

    private mutating func append(_ argument: some Collection<UInt8>) {
        bytes.append(contentsOf: "$\(argument.count)\r\n".utf8)
        bytes.append(contentsOf: argument)
        bytes.append(contentsOf: "\r\n".utf8)
    }
}
