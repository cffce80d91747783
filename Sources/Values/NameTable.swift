/// Distinct names, numbered in order of first appearance.
///
/// An open-addressed table of numbers beside the names: it looks bytes up without making a string of them, which most
/// elements need, since most names have been met before.
public struct NameTable: Sendable {
    public private(set) var names: [ExactString] = []
    /// The number of the name whose hash leads here, or of one before it that was in the way; -1 where there is none. A
    /// power of two, at most half full.
    private var places: [Int32] = []

    public init() {}

    public var count: Int { names.count }

    /// The number of a name, or nil.
    public func find(_ name: ExactString) -> Int? {
        guard !places.isEmpty else { return nil }
        let number = places[place(of: name.code) { $0 == name }]
        return number < 0 ? nil : Int(number)
    }

    /// The number of a name, which gets the next one if it is new.
    public mutating func number(of name: ExactString) -> Int {
        makeRoom()
        let place = place(of: name.code) { $0 == name }
        if places[place] < 0 { add(name, at: place) }
        return Int(places[place])
    }

    /// The number of the name with these bytes, which must be UTF-8.
    public mutating func number(of bytes: UnsafeRawBufferPointer) -> Int {
        makeRoom()
        let code = ByteHash.code(of: bytes)
        let place = place(of: code) { name in
            var text = name.text
            return name.code == code && text.withUTF8 { UnsafeRawBufferPointer($0).hasSameBytes(as: bytes) }
        }
        if places[place] < 0 { add(ExactString(String(decoding: bytes, as: UTF8.self), code: code), at: place) }
        return Int(places[place])
    }

    /// Forgets the names numbered `count` and above.
    public mutating func truncate(to count: Int) {
        guard count < names.count else { return }
        names.removeSubrange(count...)
        fill(places.count)
    }

    private func place(of code: UInt64, _ isWanted: (ExactString) -> Bool) -> Int {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: code) & mask
        while places[place] >= 0, !isWanted(names[Int(places[place])]) { place = (place + 1) & mask }
        return place
    }

    private mutating func add(_ name: ExactString, at place: Int) {
        places[place] = Int32(names.count)
        names.append(name)
    }

    private mutating func makeRoom() {
        if names.count * 2 >= places.count { fill(max(64, places.count * 2)) }
    }

    private mutating func fill(_ size: Int) {
        places = [Int32](repeating: -1, count: size)
        let mask = size - 1
        for (number, name) in names.enumerated() {
            var place = Int(truncatingIfNeeded: name.code) & mask
            while places[place] >= 0 { place = (place + 1) & mask }
            places[place] = Int32(number)
        }
    }
}
