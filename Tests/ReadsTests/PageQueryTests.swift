import Models
import Reads
import Testing
import Values

/// Which index answers a question, and between which of its places.
@Suite struct PageQueryTests {
    private static let indexes = [
        DocumentIndex([.init("category", 1), .init("price", -1)]), DocumentIndex([.init("name", 1)]), DocumentIndex([.init("_id", -1), .init("size", 1)]),
    ]

    private static func query(_ conditions: [(String, PageQuery.Comparison, Value)], _ sort: [(String, Int32)] = []) -> PageQuery {
        var query = PageQuery()
        query.conditions = conditions.map { PageQuery.Condition($0.0, $0.1, $0.2) }
        query.sort = sort.map { DocumentIndex.Field($0.0, $0.1) }
        return query
    }

    @Test(
        arguments: [
            (query([]), "millrace:_id_1", false), (query([], [("_id", -1)]), "millrace:_id_1", true),
            (query([("_id", .gt, "x")]), "millrace:_id_1", false), (query([("_id", .eq, "x")]), "millrace:_id_1", false),
            (query([("category", .eq, "a")]), "millrace:category_1,price_-1,_id_1", false),
            (query([("category", .eq, "a")], [("price", -1)]), "millrace:category_1,price_-1,_id_1", false),
            (query([("category", .eq, "a")], [("price", 1)]), "millrace:category_1,price_-1,_id_1", true),
            (query([("category", .eq, "a")], [("price", 1), ("_id", -1)]), "millrace:category_1,price_-1,_id_1", true),
            (query([("category", .eq, "a")], [("price", 1), ("_id", 1)]), nil, false),
            (query([("category", .eq, "a")], [("category", -1), ("price", -1)]), "millrace:category_1,price_-1,_id_1", false),
            (query([("category", .eq, "a"), ("price", .gte, 5), ("price", .lt, 9)]), "millrace:category_1,price_-1,_id_1", false),
            (query([("price", .eq, 5), ("category", .eq, "a")]), "millrace:category_1,price_-1,_id_1", false),
            (query([("category", .gt, "a")]), "millrace:category_1,price_-1,_id_1", false),
            (query([], [("category", -1), ("price", 1)]), "millrace:category_1,price_-1,_id_1", true),
            (query([("price", .eq, 5)]), nil, false), (query([], [("price", -1)]), nil, false),
            (query([("category", .gt, "a")], [("price", -1)]), nil, false),
            (query([("category", .gt, "a"), ("price", .gt, 5)]), nil, false),
            (query([("category", .eq, "a")], [("name", 1)]), nil, false),
            (query([("name", .eq, "a")], [("_id", 1)]), "millrace:name_1,_id_1", false),
            (query([("_id", .eq, "a")], [("size", 1)]), "millrace:_id_-1,size_1", false),
            (query([("other", .eq, 1)]), nil, false),
        ] as [(PageQuery, String?, Bool)])
    func `an index`(query: PageQuery, name: String?, isBackward: Bool) {
        let found = query.index(among: Self.indexes)
        #expect(found?.index.name == name)
        if name != nil { #expect(found?.isBackward == isBackward) }
    }

    private static let lowest = Value.other(OpaqueValue(type: BSONType.minKey, bytes: []))
    private static let highest = Value.other(OpaqueValue(type: BSONType.maxKey, bytes: []))

    @Test func `it is read between two places of the index`() {
        var request = PageRequest(
            index: Self.indexes[0], isBackward: false, conditions: Self.query([("category", .eq, "a"), ("price", .gte, 5), ("price", .lt, 9)]).conditions,
            after: nil, limit: 3, names: nil)
        #expect(request.filter == ["category": ["$eq": "a"], "price": ["$gte": 5, "$lt": 9]])
        #expect(request.sort == ["category": 1, "price": -1, "_id": 1])
        #expect(request.bounds?.min == ["category": "a", "price": 9, "_id": Self.lowest])
        #expect(request.bounds?.max == ["category": "a", "price": 5, "_id": Self.highest])
        #expect(request.count == 4)
        request.after = ["a", 7, "k"]
        #expect(request.count == 5)
        #expect(request.bounds?.min == ["category": "a", "price": 7, "_id": "k"])
        #expect(request.bounds?.max == ["category": "a", "price": 5, "_id": Self.highest])
        request.isBackward = true
        #expect(request.count == 4)
        #expect(request.sort == ["category": -1, "price": 1, "_id": -1])
        #expect(request.bounds?.min == ["category": "a", "price": 9, "_id": Self.lowest])
        #expect(request.bounds?.max == ["category": "a", "price": 7, "_id": "k"])
        request.conditions = Self.query([("category", .eq, "a"), ("price", .eq, 5), ("_id", .eq, "k")]).conditions
        #expect(request.bounds == nil)
    }

    @Test(
        arguments: [
            ([(.gt, 5)], 5, lowest, "", lowest), ([(.gte, 5)], 5, lowest, "", lowest), ([(.lt, 5)], .double(.nan), lowest, 5, lowest),
            ([(.lte, 5)], .double(.nan), lowest, 5, highest), ([(.gt, "a")], "a", lowest, [:], lowest), ([(.lte, "a")], "", lowest, "a", highest),
            ([(.gte, 5), (.gt, 3), (.lt, 9), (.lte, 20)], 5, lowest, 9, lowest), ([(.gt, true)], true, lowest, .date(.min), lowest),
            ([(.gte, nil)], nil, lowest, highest, highest), ([(.gt, 9), (.lt, 5)], lowest, lowest, highest, highest),
        ] as [([(PageQuery.Comparison, Value)], Value, Value, Value, Value)])
    func `only what can meet the conditions is read`(
        conditions: [(PageQuery.Comparison, Value)], from: Value, fromID: Value, to: Value, toID: Value
    ) {
        let request = PageRequest(
            index: DocumentIndex([.init("size", 1)]), isBackward: false, conditions: Self.query(conditions.map { ("size", $0.0, $0.1) }).conditions,
            after: nil, limit: 3, names: nil)
        #expect(request.bounds?.min == ["size": from, "_id": fromID])
        #expect(request.bounds?.max == ["size": to, "_id": toID])
    }
}
