import Events
import Models
import Testing
import Values

@testable import Definitions

@Suite struct ModelReaderTests {
    @Test func `a model is compiled to its effects`() throws {
        let source = """
            version: 1
            model: product
            stream: shop
            onError: skip
            indexes: [ { category: 1, price.amount: -1 }, { name: 1, _id: 1 } ]
            fold:
              created: { $set: { name: $data.name, "stock": 0, at: $occurredAt, note: { $literal: "$5" }, all: $$doc } }
              priced:
                - $set: { price: { amount: $data.amount, currency: 'USD' } }
                - { $min: { lowest: $$doc.price.amount }, $max: { highest: 1.0 } }
              reviewed:
                $inc: { reviews.count: 1, reviews.total: $data.rating }
                $push: { latest: { $each: [ { id: $eventId } ], $slice: -10 }, plain: { id: 1 }, many: { $each: $data.many } }
                $addToSet: { tags: { $each: [ a, b ] }, seen: $key }
              retired: { $unset: { a: "", b.0: true, c: 1 }, $pull: { tags: $data.tag, options: { id: $data.id, "size.x": 1 } } }
              deleted: { $delete: true }

            """
        let model = try ModelReader.read(source: source, file: "product.yaml")
        #expect(model.name == "product")
        #expect(model.stream == "shop")
        #expect(model.source == source)
        #expect(model.indexes.map(\.name) == ["millrace:category_1,price.amount_-1,_id_1", "millrace:name_1,_id_1"])
        let expected: [String: [Effect]] = [
            "created": [
                Effect([
                    .set(path("name"), data("name")), .set(path("stock"), literal(0)), .set(path("at"), .event(name: .occurredAt, path: [])),
                    .set(path("note"), literal("$5")), .set(path("all"), .document(path: [])),
                ])
            ],
            "priced": [
                Effect([.set(path("price"), .object([.init("amount", data("amount")), .init("currency", literal("USD"))]))]),
                Effect([.minimum(path("lowest"), .document(path: ["price", "amount"])), .maximum(path("highest"), literal(1.0))]),
            ],
            "reviewed": [
                Effect([
                    .increment(path("reviews", "count"), literal(1)), .increment(path("reviews", "total"), data("rating")),
                    .push(path("latest"), .each(.array([.object([.init("id", .event(name: .eventId, path: []))])])), slice: literal(-10)),
                    .push(path("plain"), .one(literal(["id": 1])), slice: nil), .push(path("many"), .each(data("many")), slice: nil),
                    .addToSet(path("tags"), .each(literal(["a", "b"]))), .addToSet(path("seen"), .one(.event(name: .key, path: []))),
                ])
            ],
            "retired": [
                Effect([
                    .unset(path("a")), .unset(path("b", "0")), .unset(path("c")), .pull(path("tags"), data("tag")),
                    .pull(path("options"), .object([.init("id", data("id")), .init("size.x", literal(1))])),
                ])
            ],
            "deleted": [Effect([.delete])],
        ]
        for (type, effects) in expected { #expect(model.fold.effects[ExactString(type)] == effects, "\(type)") }
        #expect(model.fold.effects.count == expected.count)
    }

    @Test func `operators, conditions and array filters are compiled`() throws {
        let model = try read(
            """
            a:
                $mul: { n: $data.n }
                $setOnInsert: { at: $occurredAt }
                $rename: { former.name: name }
                $pop: { first: -1 }
                $bit: { flags: { or: 4, and: $data.mask } }
                $pullAll: { tags: [ a, $data.tag ] }
                $push:
                  best: { $each: [ 1 ], $sort: { score.value: -1, id: 1 }, $position: 0, $slice: 3 }
                  all: { $each: $data.all, $sort: -1 }
                $pull:
                  low: { $lt: 3, $ne: $data.kept }
                  old: { at: { $lt: $data.at }, $or: [ { kind: x }, { sizes: { $elemMatch: { $gte: 5 } } } ] }
                $set: { "options.$[option].prices.$[p]": 0 }
                arrayFilters: [ { option.id: $data.id }, { $or: [ { p: { $exists: false } }, { p.rows: { $elemMatch: { n: { $nin: [ 1 ] } } } } ] } ]
            """)
        let operators: [Models.Operator] = [
            .multiply(path("n"), data("n")), .setOnInsert(path("at"), .event(name: .occurredAt, path: [])), .rename(path("former", "name"), to: path("name")),
            .pop(path("first"), literal(-1)), .bit(path("flags"), [(.or, literal(4)), (.and, data("mask"))]),
            .pullAll(path("tags"), .array([literal("a"), data("tag")])),
            .push(
                path("best"), .each(literal([1])), slice: literal(3),
                sort: .fields([.init(path("score", "value"), .descending), .init(path("id"), .ascending)]),
                position: literal(0)),
            .push(path("all"), .each(data("all")), sort: .whole(.descending)),
            .pull(path("low"), where: .element(.all([.member([], .compares(.less, literal(3))), .not(.member([], .compares(.equal, data("kept"))))]))),
            .pull(
                path("old"),
                where: .members(
                    .all([
                        .member(["at"], .compares(.less, data("at"))),
                        .any([
                            .member(["kind"], .compares(.equal, literal("x"))),
                            .member(["sizes"], .hasElement(.member([], .compares(.greaterOrEqual, literal(5))))),
                        ]),
                    ]))),
            .set(path("options", "$[option]", "prices", "$[p]"), literal(0)),
        ]
        let filters = [
            ArrayFilter("option", .member(["id"], .compares(.equal, data("id")))),
            ArrayFilter(
                "p", .any([.not(.member([], .exists)), .member(["rows"], .hasDocument(.not(.member(["n"], .isIn(literal([1]))))))])),
        ]
        #expect(model.fold.effects["a"] == [Effect(operators, filters: filters)])
    }

    @Test func `a literal is taken as it is written`() throws {
        let model = try read("a: { $set: { b: { $literal: { $x: { $date: 1 }, \"c.d\": [ $data, $$NOW ], \"\": ~ } } } }")
        let value: Value = ["$x": ["$date": 1], "c.d": ["$data", "$$NOW"], "": nil]
        #expect(model.fold.effects["a"] == [Effect([.set(path("b"), literal(value))])])
    }

    @Test func `an effect may be written once and used for several types`() throws {
        let model = try read("a: &gone { $delete: true }\n  b: *gone")
        #expect(model.fold.effects["b"] == [Effect([.delete])])
    }

    private static let plain = "a: { $set: { b: 1, c: \"x\" }, $inc: { d: $data.d } }\n  e: { $delete: true }"

    @Test(arguments: [
        "a:\n    $set:\n      b: 1   # one\n      c: x\n    $inc: { \"d\": '$data.d' }\n  # gone\n  e: { $delete: true }",
        "e: { $delete: true }\n  a: { $set: { b: 0x1, c: 'x' }, $inc: { d: $data.d } }",
        "a: [ { $set: { b: 1, c: { $literal: x } }, $inc: { d: $data.d } } ]\n  e: [ { $delete: true } ]",
    ])
    func `what has no meaning does not change the hash`(fold: String) throws {
        #expect(try read(fold).foldHash == read(Self.plain).foldHash)
    }

    @Test(arguments: [
        "a: { $inc: { d: $data.d }, $set: { b: 1, c: \"x\" } }\n  e: { $delete: true }",
        "a: { $set: { c: \"x\", b: 1 }, $inc: { d: $data.d } }\n  e: { $delete: true }",
        "a: { $set: { b: 1.0, c: \"x\" }, $inc: { d: $data.d } }\n  e: { $delete: true }",
        "a: { $set: { b: \"1\", c: \"x\" }, $inc: { d: $data.d } }\n  e: { $delete: true }",
        "a: { $set: { b: 1, c: \"x\" }, $inc: { d: $$doc.d } }\n  e: { $delete: true }",
        "a: [ { $set: { b: 1, c: \"x\" } }, { $inc: { d: $data.d } } ]\n  e: { $delete: true }",
        "f: { $set: { b: 1, c: \"x\" }, $inc: { d: $data.d } }\n  e: { $delete: true }",
        "a: { $set: { b: 1, c: \"x\" }, $inc: { d: $data.d } }",
    ])
    func `what has a meaning changes the hash`(fold: String) throws {
        #expect(try read(fold).foldHash != read(Self.plain).foldHash)
    }

    private static let filtered = """
        a: { $push: { b: { $each: [ 1 ], $sort: 1, $slice: 2 } }, $pull: { c: { $lt: 3 } }, $rename: { d: e }, $inc: { "f.$[x]": 1, "f.$[y]": 1 },
              arrayFilters: [ { x: 1 }, { y: { $gt: 2 } } ] }
        """

    @Test(arguments: [
        ("$sort: 1", "$sort: -1"), ("$sort: 1", "$sort: { g: 1 }"), ("$sort: 1", "$position: 1"), ("$lt: 3", "$lte: 3"), ("{ $lt: 3 }", "{ $not: { $lt: 3 } }"),
        ("{ $lt: 3 }", "{ h: { $lt: 3 } }"), ("d: e", "d: g"), ("d: e", "g: e"), ("{ x: 1 }", "{ x: 2 }"), ("{ x: 1 }", "{ x.b: 1 }"), ("$inc", "$mul"),
    ])
    func `what operators and conditions say changes the hash`(old: String, new: String) throws {
        let changed = Self.filtered.replacing(old, with: new)
        #expect(changed != Self.filtered)
        #expect(try read(changed).foldHash != read(Self.filtered).foldHash)
    }

    @Test func `the order of array filters has no meaning`() throws {
        let turned = Self.filtered.replacing("{ x: 1 }, { y: { $gt: 2 } }", with: "{ y: { $gt: 2 } }, { x: 1 }")
        #expect(try turned != Self.filtered && read(turned).foldHash == read(Self.filtered).foldHash)
    }

    private static let computed = "a: { $set: { b: { $map: { input: $data.x, as: y, in: { $add: [ $$y, 1 ] } } }, c: { $let: { vars: { z: 1 }, in: $$z } } } }"

    @Test(arguments: [
        ("$add", "$subtract"), ("as: y, in: { $add: [ $$y", "as: w, in: { $add: [ $$w"), ("$$y, 1", "1, $$y"), ("z: 1", "z: 2"), ("in: $$z", "in: $$z.a"),
    ])
    func `what operators of expressions say changes the hash`(old: String, new: String) throws {
        let changed = Self.computed.replacing(old, with: new)
        #expect(changed != Self.computed)
        #expect(try read(changed).foldHash != read(Self.computed).foldHash)
    }

    @Test func `conditions of an effect are compiled, and belong to the hash`() throws {
        let model = try read("a: { $delete: true, when: $data.gone, create: false }")
        #expect(model.fold.effects["a"] == [Effect([.delete], when: data("gone"), creates: false)])
        let plain = try read("a: { $set: { b: 1 } }").foldHash
        #expect(try read("a: { $set: { b: 1 }, create: true }").foldHash == plain)
        let hashes = try ["when: $data.x", "when: $data.y", "create: false", "create: false, when: $data.x"].map {
            try read("a: { $set: { b: 1 }, \($0) }").foldHash
        }
        #expect(Set(hashes + [plain]).count == 5)
    }

    @Test func `operators of expressions are compiled`() throws {
        let model = try read(
            "a: { $set: { b: { $filter: { input: $data.x, cond: { $lt: [ $$this.n, 2 ] } } } }, $inc: { c: { $cond: { if: true, then: 1, else: 2 } } } }")
        func apply(_ name: String, _ arguments: Models.Expression?...) throws -> Models.Expression {
            .apply(Application(try #require(ExpressionOperator.all[name]), arguments))
        }
        let condition = try apply("$lt", .variable(name: "this", path: ["n"]), literal(2))
        let operators: [Models.Operator] = [
            .set(path("b"), try apply("$filter", data("x"), nil, condition, nil)),
            .increment(path("c"), try apply("$cond", literal(true), literal(1), literal(2))),
        ]
        #expect(model.fold.effects["a"] == [Effect(operators)])
    }

    @Test func `the stream belongs to the hash, the name does not`() throws {
        let hash = try ModelReader.read(source: goodModel, file: "a.yaml").foldHash
        #expect(try ModelReader.read(source: goodModel.replacing("stream: product", with: "stream: other"), file: "a.yaml").foldHash != hash)
        #expect(try ModelReader.read(source: goodModel.replacing("model: product", with: "model: other"), file: "a.yaml").foldHash == hash)
    }

    /// Hashes are stored with every build: a change of this one makes every installation rebuild every model.
    @Test func `the hash of a definition never changes`() throws {
        #expect(try read(Self.plain).foldHash == "424cfd3512bcec1bf828fe9e7f5b0018")
        #expect(try read(Self.every).foldHash == "eef798b1563b31cfe0aadfd6f36dd075")
        let computed = try read(Self.computed).foldHash
        #expect(computed == "1b9c940cf53c24588e90379fe5170ac4")
    }

    /// Every operator of the first version of the language.
    private static let every = """
        a:
            $set: { b: 1, c: [ $data.x, { y: $$doc.z } ] }
            $unset: { d: "" }
            $inc: { e.f: 1.5 }
            $min: { g: $occurredAt }
            $max: { h: $key }
            $push: { i: 1, j: { $each: [ 1 ] }, k: { $each: $data.k, $slice: -10 } }
            $addToSet: { l: x, m: { $each: [ 1 ] } }
            $pull: { n: 1, o: { p: 1, q.r: x }, s: { t: $data.t }, u: { $literal: { $v: 1 } } }
          w: { $delete: true }
        """

    private func read(_ fold: String) throws -> Model {
        try ModelReader.read(source: "version: 1\nmodel: m\nstream: s\nfold:\n  \(fold)\n", file: "m.yaml")
    }

    private func path(_ names: String...) -> FieldPath { FieldPath(names) }
    private func literal(_ value: Value) -> Models.Expression { .literal(.init(value)) }
    private func data(_ names: String...) -> Models.Expression { .event(name: .data, path: names) }
}
