import Events
import Values

/// Events of a type that no effect of the model names, counted in one partition.
public struct UnknownType: Hashable, Sendable {
    /// nil for all types beyond the first `UnknownTypes.most`.
    public var type: ExactString?
    public var count: Int64
    /// The first and the last offset.
    public var first: Int64
    public var last: Int64

    public init(type: ExactString?, count: Int64, first: Int64, last: Int64) {
        self.type = type
        self.count = count
        self.first = first
        self.last = last
    }

    mutating func add(_ other: UnknownType) {
        count += other.count
        first = min(first, other.first)
        last = max(last, other.last)
    }
}

/// The types that a batch met and the model does not name.
struct UnknownTypes {
    /// A producer that puts ids into its types must not fill the database.
    static let most = 1000

    private var numbers: [ExactString: Int] = [:]
    private var met: [UnknownType] = []
    /// Of the types of the chunk that begins at `chunk`, their places in `met`.
    private var places: [Int] = []
    private var chunk: Int64 = -1

    /// Counts an event. Items come chunk by chunk, so that a name is looked up once in each.
    mutating func count(_ item: FoldBatch.Item, _ chunk: Chunk) {
        if chunk.offset != self.chunk {
            self.chunk = chunk.offset
            places = [Int](repeating: -1, count: chunk.types.count)
        }
        let type = Int(chunk.elements[Int(item.place)].type)
        let offset = chunk.offset + Int64(item.place)
        if places[type] < 0 { places[type] = number(of: chunk.types[type], offset) }
        met[places[type]].count += 1
        met[places[type]].last = offset
    }

    private mutating func number(of type: ExactString, _ offset: Int64) -> Int {
        if let number = numbers[type] { return number }
        numbers[type] = met.count
        met.append(UnknownType(type: type, count: 0, first: offset, last: offset))
        return met.count - 1
    }

    /// What is to be added to the counts, where these types are counted each by itself so far.
    func added(to known: Set<ExactString>) -> [UnknownType] {
        var names = known
        var counts: [UnknownType] = []
        var others: UnknownType?
        for entry in met {
            if let type = entry.type, names.contains(type) || names.count < Self.most {
                names.insert(type)
                counts.append(entry)
            } else if others == nil {
                others = entry
                others?.type = nil
            } else {
                others?.add(entry)
            }
        }
        return counts + (others.map { [$0] } ?? [])
    }
}
