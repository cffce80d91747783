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
        let expected: [String: [Effect]] = [
            "created": [
                Effect([
                    .set(path("name"), data("name")), .set(path("stock"), literal(0)), .set(path("at"), .event(name: "occurredAt", path: [])),
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
                    .push(path("latest"), .each(.array([.object([.init("id", .event(name: "eventId", path: []))])])), slice: literal(-10)),
                    .push(path("plain"), .one(literal(["id": 1])), slice: nil), .push(path("many"), .each(data("many")), slice: nil),
                    .addToSet(path("tags"), .each(literal(["a", "b"]))), .addToSet(path("seen"), .one(.event(name: "key", path: []))),
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
        for (type, effects) in expected { #expect(model.fold.effects[type] == effects, "\(type)") }
        #expect(model.fold.effects.count == expected.count)
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

    @Test func `the stream belongs to the hash, the name does not`() throws {
        let hash = try ModelReader.read(source: goodModel, file: "a.yaml").foldHash
        #expect(try ModelReader.read(source: goodModel.replacing("stream: product", with: "stream: other"), file: "a.yaml").foldHash != hash)
        #expect(try ModelReader.read(source: goodModel.replacing("model: product", with: "model: other"), file: "a.yaml").foldHash == hash)
    }

    /// Hashes are stored with every build: a change of this one makes every installation rebuild every model.
    @Test func `the hash of a definition never changes`() throws {
        #expect(try read(Self.plain).foldHash == "424cfd3512bcec1bf828fe9e7f5b0018")
    }

    private func read(_ fold: String) throws -> Model {
        try ModelReader.read(source: "version: 1\nmodel: m\nstream: s\nfold:\n  \(fold)\n", file: "m.yaml")
    }

    private func path(_ names: String...) -> FieldPath { FieldPath(names) }
    private func literal(_ value: Value) -> Models.Expression { .literal(.init(value)) }
    private func data(_ names: String...) -> Models.Expression { .event(name: "data", path: names) }
}
