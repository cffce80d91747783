/// Distinct names, numbered in order of first appearance.
///
/// An open-addressed table of numbers beside the names: it looks bytes up without making a string of them, which most
/// elements need, since most names have been met before.
public struct NameTable: Sendable {
    public private(set) var names: [ExactString] = []
    /// A power of two, at most half full.
    private var places: [Place] = []

    /// The name whose hash leads here, or one before it that was in the way.
    private struct Place {
        /// -1 where there is none.
        var number: Int32 = -1
        /// The upper half of its hash: most other names are passed by without looking at them.
        var tag: UInt32 = 0

        init() {}

        init(_ number: Int, _ code: UInt64) { (self.number, tag) = (Int32(number), Self.tag(of: code)) }

        static func tag(of code: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: code >> 32) }
    }

    public init() {}

    public var count: Int { names.count }

    /// Makes room for so many names.
    public mutating func reserve(_ count: Int) {
        names.reserveCapacity(count)
        var size = max(64, places.count)
        while size <= count * 2 { size *= 2 }
        if size > places.count { fill(size) }
    }

    /// The number of a name, or nil.
    public func find(_ name: ExactString) -> Int? {
        guard !places.isEmpty else { return nil }
        let number = places[place(of: name.code) { $0.text.utf8Equal(name.text) }].number
        return number < 0 ? nil : Int(number)
    }

    /// The number of a name, which gets the next one if it is new.
    public mutating func number(of name: ExactString) -> Int {
        makeRoom()
        let place = place(of: name.code) { $0.text.utf8Equal(name.text) }
        if places[place].number < 0 { add(name, at: place) }
        return Int(places[place].number)
    }

    /// The number of the name with these bytes, which must be UTF-8.
    public mutating func number(of bytes: UnsafeRawBufferPointer) -> Int {
        makeRoom()
        let code = ByteHash.code(of: bytes)
        let place = place(of: code) { $0.text.utf8Equal(bytes) }
        if places[place].number < 0 { add(ExactString(String(utf8: bytes), code: code), at: place) }
        return Int(places[place].number)
    }

    /// Forgets the names numbered `count` and above.
    public mutating func truncate(to count: Int) {
        guard count < names.count else { return }
        names.removeSubrange(count...)
        fill(places.count)
    }

    @inline(__always)
    private func place(of code: UInt64, _ isWanted: (ExactString) -> Bool) -> Int {
        let (mask, tag) = (places.count - 1, Place.tag(of: code))
        var place = Int(truncatingIfNeeded: code) & mask
        while places[place].number >= 0, places[place].tag != tag || !isWanted(names[Int(places[place].number)]) { place = (place + 1) & mask }
        return place
    }

    private mutating func add(_ name: ExactString, at place: Int) {
        places[place] = Place(names.count, name.code)
        names.append(name)
    }

    private mutating func makeRoom() {
        if names.count * 2 >= places.count { fill(max(64, places.count * 2)) }
    }

    private mutating func fill(_ size: Int) {
        places = [Place](repeating: Place(), count: size)
        let mask = size - 1
        for (number, name) in names.enumerated() {
            var place = Int(truncatingIfNeeded: name.code) & mask
            while places[place].number >= 0 { place = (place + 1) & mask }
            places[place] = Place(number, name.code)
        }
    }
}
