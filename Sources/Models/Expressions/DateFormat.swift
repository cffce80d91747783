import Values

/// A format of `$dateToString` and `$dateFromString`: text with parts such as `%Y` in it.
struct DateFormat {
    enum Piece: Equatable {
        case byte(UInt8)
        case part(Part)
    }

    enum Part: UInt8 {
        case dayOfMonth = 0x64  // d
        case isoWeekYear = 0x47  // G
        case hour = 0x48  // H
        case dayOfYear = 0x6A  // j
        case millisecond = 0x4C  // L
        case month = 0x6D  // m
        case minute = 0x4D  // M
        case second = 0x53  // S
        case isoDayOfWeek = 0x75  // u
        case week = 0x55  // U
        case isoWeek = 0x56  // V
        case dayOfWeek = 0x77  // w
        case year = 0x59  // Y
        case offset = 0x7A  // z
        case offsetMinutes = 0x5A  // Z

        /// mongod writes these, but does not read them.
        var isWrittenOnly: Bool { [.dayOfYear, .week, .dayOfWeek].contains(self) }
    }

    let pieces: [Piece]

    /// Why a text is no format.
    struct Mistake: Error { var message: String }

    init(_ text: String, forReading: Bool) throws(Mistake) {
        var pieces: [Piece] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "%") else {
                pieces.append(.byte(byte))
                continue
            }
            guard let letter = bytes.next() else { throw Mistake(message: "the format ends with a single %") }
            if letter == byte {
                pieces.append(.byte(byte))
            } else if let part = Part(rawValue: letter), !(forReading && part.isWrittenOnly) {
                pieces.append(.part(part))
            } else {
                throw Mistake(message: "the format has no part %\(String(decoding: [letter], as: UTF8.self))")
            }
        }
        self.pieces = pieces
    }

    /// The time as text, or nil for one whose year has not four digits.
    func write(_ time: Int64, in zone: Zone) -> String? {
        let local = LocalTime(time, in: zone)
        let minutes = zone.offset(at: time.floored(by: 1000).quotient) / 60
        var text: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .byte(let byte): text.append(byte)
            case .part(.offset):
                text.append(UInt8(ascii: minutes < 0 ? "-" : "+"))
                Self.write(abs(minutes) / 60, 2, to: &text)
                Self.write(abs(minutes) % 60, 2, to: &text)
            case .part(.offsetMinutes): text += Array(String(minutes).utf8)
            case .part(let part):
                let (number, width) = Self.number(part, local)
                guard 0...9999 ~= number else { return nil }
                Self.write(number, width, to: &text)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func number(_ part: Part, _ local: LocalTime) -> (Int64, width: Int) {
        switch part {
        case .dayOfMonth: (local.date.day, 2)
        case .isoWeekYear: (local.isoWeekYear, 4)
        case .hour: (local.hour, 2)
        case .dayOfYear: (local.dayOfYear, 3)
        case .millisecond: (local.millisecond, 3)
        case .month: (local.date.month, 2)
        case .minute: (local.minute, 2)
        case .second: (local.second, 2)
        case .isoDayOfWeek: (local.isoDayOfWeek, 1)
        case .week: (local.week, 2)
        case .isoWeek: (local.isoWeek, 2)
        case .dayOfWeek: (local.dayOfWeek, 1)
        case .year: (local.date.year, 4)
        case .offset, .offsetMinutes: (0, 0)
        }
    }

    private static func write(_ number: Int64, _ width: Int, to text: inout [UInt8]) {
        let digits = String(number).utf8
        text += [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + Array(digits)
    }

    /// What a text says by this format, or nil when it says something else.
    func read(_ text: String) -> WrittenDate? {
        var rest = DigitReader(text)
        var date = WrittenDate()
        for piece in pieces {
            switch piece {
            case .byte(let byte): guard rest.take(byte) else { return nil }
            case .part(let part): guard Self.read(part, &rest, &date) else { return nil }
            }
        }
        return rest.isAtEnd ? date : nil
    }

    private static func read(_ part: Part, _ rest: inout DigitReader, _ date: inout WrittenDate) -> Bool {
        func take(_ place: WritableKeyPath<WrittenDate, Int64?>, _ digits: ClosedRange<Int>) -> Bool {
            date[keyPath: place] = rest.number(digits)
            return date[keyPath: place] != nil
        }
        switch part {
        case .dayOfMonth: return take(\.day, 1...2)
        case .isoWeekYear: return take(\.isoWeekYear, 1...4)
        case .hour: return take(\.hour, 1...2)
        case .millisecond:
            date.millisecond = rest.fraction(digits: 3)
            return date.millisecond != nil
        case .month: return take(\.month, 1...2)
        case .minute: return take(\.minute, 2...2)
        case .second: return take(\.second, 2...2)
        case .isoDayOfWeek: return take(\.isoDayOfWeek, 1...1)
        case .isoWeek: return take(\.isoWeek, 1...2)
        case .year: return take(\.year, 1...4)
        case .offset:
            date.offset = rest.zone()
            return date.offset != nil
        case .offsetMinutes:
            guard let sign = rest.sign(), let minutes = rest.number(1...4) else { return false }
            date.offset = sign * minutes * 60
            return true
        case .dayOfYear, .week, .dayOfWeek: return false
        }
    }
}
