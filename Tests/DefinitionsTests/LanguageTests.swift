import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Definitions

/// Models as they are written, and what they make of events.
@Suite struct LanguageTests {
    /// Events of one key, and the document that the model makes of them.
    struct Story: Sendable, CustomTestStringConvertible {
        var name: String
        /// What stands below `stream:`.
        var model: String
        /// Types and their data.
        var events: [(type: String, data: String)]
        /// In the order of the fields, Millrace's own among them; nil for no document.
        var document: String?
        /// Why events were parked.
        var problems: [Problem] = []

        var testDescription: String { name }
    }

    @Test(arguments: variables + names + upserts + wholes + contributions + limits)
    func `a model folds events as it says`(story: Story) throws {
        let model = try ModelReader.read(source: "version: 1\nmodel: m\nstream: m\n" + story.model, file: "m.yaml")
        let texts = try story.events.enumerated().map { number, event in
            let data = try #require(try JSONText.parse(event.data).get().asDocument)
            return EventText("\(number)", event.type, key: "k", data: .document(data)).json
        }
        var document: Document?
        var problems: [Problem] = []
        for chunk in TestLog().append(texts) {
            for place in 0..<chunk.chunk.count {
                let event = try #require(chunk.event(at: place))
                let before = document
                do {
                    let changed = try withExtendedLifetime(chunk) { try model.fold.fold(event, into: &document) }
                    #expect(changed == (document != before), "\(story.events[place])")
                } catch let refusal as Refusal {
                    problems.append(refusal.problem)
                    #expect(document == before, "\(refusal)")
                }
            }
        }
        #expect(document.map { JSON.write(.document($0)) } == story.document)
        #expect(problems == story.problems)
    }

    static let variables = [
        Story(
            name: "let: names values, each of which sees those before it",
            model: """
                fold:
                  sold:
                    let: { net: { $multiply: [ $data.price, $data.count ] }, gross: { $add: [ $$net, $data.tax ] } }
                    when: { $gt: [ $$net, 0 ] }
                    $set: { last: { net: $$net, gross: $$gross } }
                    $inc: { total: $$gross }
                """,
            events: [("sold", #"{"price":3,"count":2,"tax":1}"#), ("sold", #"{"price":0,"count":2,"tax":1}"#), ("sold", #"{"price":5,"count":1,"tax":0}"#)],
            document: #"{"last":{"net":5,"gross":5},"total":12}"#
        ),
        Story(
            name: "a variable that is missing parks only who needs it",
            model: "fold: { a: { let: { x: $data.x }, $set: { n: 1 } }, b: { let: { x: $data.x }, $set: { n: $$x } } }",
            events: [("a", "{}"), ("b", "{}")], document: #"{"n":1}"#, problems: [.missingValue]
        ),
        Story(
            name: "let: sees the document, and arrayFilters see let:",
            model: """
                fold:
                  made: { $set: { options: $data.options, wanted: $data.wanted } }
                  raised:
                    let: { id: $$doc.wanted }
                    arrayFilters: [ { option.id: $$id } ]
                    $inc: { "options.$[option].price": 1 }
                """,
            events: [("made", #"{"options":[{"id":1,"price":5},{"id":2,"price":5}],"wanted":2}"#), ("raised", "{}")],
            document: #"{"options":[{"id":1,"price":5},{"id":2,"price":6}],"wanted":2}"#
        ),
        Story(
            name: "\"*\" takes the types that are not named",
            model: "fold: { named: { $set: { a: 1 } }, \"*\": { $inc: { \"types.${$eventType}\": 1 } } }",
            events: [("named", "{}"), ("x", "{}"), ("y.z", "{}"), ("x", "{}")], document: #"{"a":1,"types":{"x":2,"y.z":1}}"#
        ),
    ]

    static let names = [
        Story(
            name: "a computed name is text or an integer",
            model: "fold: { paid: { $inc: { \"months.${$data.month}\": $data.amount, \"by.m-${$data.month}-${$eventType}.n\": 1 } } }",
            events: [("paid", #"{"month":"2026-11","amount":5}"#), ("paid", #"{"month":7,"amount":1}"#), ("paid", #"{"month":"2026-11","amount":2}"#)],
            document: #"{"months":{"2026-11":7,"7":1},"by":{"m-2026-11-paid":{"n":2},"m-7-paid":{"n":1}}}"#
        ),
        Story(
            name: "dots, dollars and brackets in a computed name stay in it",
            model: "fold: { a: { $set: { \"m.${$data.name}\": 1 } } }",
            events: [("a", #"{"name":"x.y"}"#), ("a", #"{"name":"$z"}"#), ("a", #"{"name":"$[]"}"#)], document: #"{"m":{"x.y":1,"$z":1,"$[]":1}}"#
        ),
        Story(
            name: "what can be no name parks",
            model: "fold: { a: { $set: { \"${$data.name}\": 1 } } }",
            events: [
                ("a", #"{"name":""}"#), ("a", #"{"name":"a\u0000b"}"#), ("a", #"{"name":1.5}"#), ("a", #"{"name":null}"#), ("a", "{}"),
                ("a", #"{"name":"_id"}"#), ("a", #"{"name":"_position"}"#), ("a", #"{"name":"fine"}"#),
            ],
            document: #"{"fine":1}"#, problems: [.badPath, .badPath, .badPath, .badPath, .missingValue, .badPath, .badPath]
        ),
        Story(
            name: "names that turn out to conflict park",
            model: "fold: { a: { $set: { \"m.${$data.x}\": 1, \"m.${$data.y}\": 2 } } }",
            events: [("a", #"{"x":"p","y":"p"}"#), ("a", #"{"x":"p","y":"q"}"#)], document: #"{"m":{"p":1,"q":2}}"#, problems: [.pathConflict]
        ),
        Story(
            name: "a computed integer is an index of an array",
            model: "fold: { made: { $set: { list: [ 1, 2 ] } }, a: { $inc: { \"list.${$data.n}\": 10 } } }",
            events: [("made", "{}"), ("a", #"{"n":1}"#)], document: #"{"list":[1,12]}"#
        ),
    ]

    static let upserts = [
        Story(
            name: "$upsert merges into the element that matches, or adds one, in order",
            model: "fold: { a: { $upsert: { options: { where: { id: $data.id }, set: { label: $data.label, at.n: 1 }, sort: { id: 1 } } } } }",
            events: [("a", #"{"id":2,"label":"b"}"#), ("a", #"{"id":1,"label":"a"}"#), ("a", #"{"id":2.0,"label":"c"}"#)],
            document: #"{"options":[{"id":1,"label":"a","at":{"n":1}},{"id":2,"label":"c","at":{"n":1}}]}"#
        ),
        Story(
            name: "$upsert nests, and makes what is missing",
            model: """
                fold:
                  a:
                    $upsert:
                      shop.options:
                        where: { id: $data.option }
                        set:
                          label: $data.label
                          $upsert: { values: { where: { id: $data.value }, set: { price: $data.price } } }
                """,
            events: [
                ("a", #"{"option":1,"label":"size","value":10,"price":5}"#), ("a", #"{"option":1,"label":"size","value":11,"price":6}"#),
                ("a", #"{"option":1,"label":"Size","value":10,"price":7}"#),
            ],
            document: #"{"shop":{"options":[{"id":1,"label":"Size","values":[{"id":10,"price":7},{"id":11,"price":6}]}]}}"#
        ),
        Story(
            name: "$upsert is known by several fields, and needs no set",
            model: "fold: { a: { $upsert: { seen: { where: { x: $data.x, y: $data.y } } } } }",
            events: [("a", #"{"x":1,"y":1}"#), ("a", #"{"x":1,"y":2}"#), ("a", #"{"x":1,"y":1}"#)], document: #"{"seen":[{"x":1,"y":1},{"x":1,"y":2}]}"#
        ),
        Story(
            name: "$upsert parks what it cannot do, and leaves everything as it was",
            model: """
                fold:
                  made: { $set: { text: x, list: [ 5, { id: 1, n: 1 } ] } }
                  a: { $upsert: { text: { where: { id: 1 } } } }
                  b: { $upsert: { list: { where: { id: 1 }, set: { n: $data.n, m: $data.m } } } }
                """,
            events: [("made", "{}"), ("a", "{}"), ("b", #"{"n":2}"#), ("b", #"{"n":3,"m":4}"#)],
            document: #"{"text":"x","list":[5,{"id":1,"n":3,"m":4}]}"#, problems: [.badOperand, .missingValue]
        ),
    ]

    static let wholes = [
        Story(
            name: "a document begins with its defaults",
            model: "defaults: { stock: 3, tags: [] }\nfold: { a: { $inc: { stock: 1 }, $set: { was: $$doc.stock } }, gone: { $delete: true } }",
            events: [("gone", "{}"), ("a", "{}"), ("a", "{}")], document: #"{"stock":5,"tags":[],"was":4}"#
        ),
        Story(
            name: "derived fields follow the finished document",
            model: """
                derive: { total: { $multiply: [ $$doc.price, $$doc.count ] }, label: { $concat: [ $$doc._id, "-", $$doc.name ] } }
                fold:
                  priced: { $set: { price: $data.price } }
                  counted: [ { $set: { count: 0 } }, { $inc: { count: $data.count } } ]
                  unpriced: { $unset: { price: 1 } }
                """,
            events: [("priced", #"{"price":3}"#), ("counted", #"{"count":2}"#), ("unpriced", "{}"), ("priced", #"{"price":4}"#)],
            document: #"{"total":8,"label":null,"count":2,"price":4}"#
        ),
        Story(
            name: "an error in a derived field undoes the event",
            model: "derive: { half: { $divide: [ $$doc.n, $$doc.by ] } }\nfold: { a: { $set: { n: $data.n, by: $data.by } } }",
            events: [("a", #"{"n":4,"by":2}"#), ("a", #"{"n":4,"by":0}"#)], document: #"{"n":4,"by":2,"half":2.0}"#, problems: [.badOperand]
        ),
        Story(
            name: "a document is an orphan until its root event",
            model: "root: created\nfold: { created: { $set: { name: $data.name } }, a: { $inc: { n: 1 } } }",
            events: [("a", "{}"), ("a", "{}")], document: #"{"n":2,"_orphan":true}"#
        ),
        Story(
            name: "a root event makes an orphan whole, whenever it comes",
            model: "root: [ created ]\nfold: { created: { $set: { name: $data.name } }, a: { $inc: { n: 1 } } }",
            events: [("a", "{}"), ("created", #"{"name":"x"}"#), ("a", "{}")], document: #"{"n":2,"name":"x"}"#
        ),
        Story(
            name: "a deleted document is an orphan again",
            model: "root: created\nfold: { created: { $set: { n: 0 } }, gone: { $delete: true }, a: { $inc: { n: 1 } } }",
            events: [("created", "{}"), ("gone", "{}"), ("a", "{}")], document: #"{"n":1,"_orphan":true}"#
        ),
    ]

    static let contributions = [
        Story(
            name: "$contribute keeps what each row added",
            model: """
                fold:
                  row: { $contribute: { reviews: { by: $data.id, remove: $data.gone, count: true, total: $data.score, average: $data.score } } }
                """,
            events: [
                ("row", #"{"id":1,"score":5}"#), ("row", #"{"id":2,"score":2}"#), ("row", #"{"id":1,"score":5}"#), ("row", #"{"id":1,"score":3}"#),
                ("row", #"{"id":3,"score":null}"#), ("row", #"{"id":9,"gone":true}"#), ("row", #"{"id":2,"gone":true}"#),
            ],
            document: #"{"_contributions":{"reviews":[{"by":1,"total":3,"average":3},{"by":3}]},"reviews":{"count":2,"total":3,"average":3.0}}"#
        ),
        Story(
            name: "$contribute adds tenths without an error that stays",
            model: "fold: { row: { $contribute: { sum: { by: $data.id, remove: { $eq: [ $data.n, null ] }, total: $data.n } } } }",
            events: [("row", #"{"id":1,"n":0.1}"#), ("row", #"{"id":2,"n":1e17}"#), ("row", #"{"id":3,"n":0.2}"#), ("row", #"{"id":2,"n":null}"#)],
            document: #"{"_contributions":{"sum":[{"by":1,"total":0.1},{"by":3,"total":0.2}]},"sum":{"total":0.30000000000000004}}"#
        ),
        Story(
            name: "$contribute parks what is no number or has no row",
            model: "fold: { row: { $contribute: { sum: { by: $data.id, total: $data.n } }, $inc: { seen: 1 } } }",
            events: [("row", #"{"id":1,"n":1}"#), ("row", #"{"id":2,"n":"x"}"#), ("row", #"{"n":1}"#)],
            document: #"{"_contributions":{"sum":[{"by":1,"total":1}]},"sum":{"total":1},"seen":1}"#, problems: [.badOperand, .missingValue]
        ),
        Story(
            name: "what Millrace keeps in a document is no part of $$doc",
            model: """
                root: never
                fold: { row: [ { $contribute: { sum: { by: $data.id, count: true } } }, { $set: { copy: $$doc } } ], never: { $set: { a: 1 } } }
                """,
            events: [("row", #"{"id":1}"#)],
            document: #"{"_contributions":{"sum":[{"by":1}]},"sum":{"count":1},"copy":{"_id":"k","sum":{"count":1}},"_orphan":true}"#
        ),
    ]

    static let limits = [
        Story(
            name: "an expression that takes too many steps parks, whichever way it grows",
            model: """
                fold:
                  product:
                    $set: { n: { $size: { $map: { input: $data.list, in: { $sum: { $map: { input: $data.list, in: 1 } } } } } } }
                  doubled: { $set: { n: { $size: { $reduce: { input: $data.list, initialValue: [ 1 ], in: { $concatArrays: [ $$value, $$value ] } } } } } }
                  text: { $set: { n: { $strLenBytes: { $reduce: { input: $data.list, initialValue: x, in: { $concat: [ $$value, $$value ] } } } } } }
                """,
            events: [
                ("product", "{\"list\":\(Array(1...2000))}"), ("doubled", "{\"list\":\(Array(1...40))}"), ("text", "{\"list\":\(Array(1...60))}"),
                ("product", "{\"list\":\(Array(1...20))}"), ("doubled", "{\"list\":\(Array(1...10))}"),
            ],
            document: #"{"n":1024}"#, problems: [.tooManySteps, .tooManySteps, .tooManySteps]
        ),
        Story(
            name: "an array that grows too long parks",
            model: """
                fold:
                  filled: { $set: { list: { $range: [ 0, 100000 ] }, ids: { $map: { input: { $range: [ 0, 100000 ] }, in: { id: $$this } } } } }
                  pushed: { $push: { list: 1 } }
                  added: { $addToSet: { list: new } }
                  upserted: { $upsert: { ids: { where: { id: -1 } } } }
                  swapped: { $push: { list: { $each: [ 1, 2 ], $slice: -1 } } }
                  cleared: { $unset: { ids: 1 } }
                """,
            events: [("filled", "{}"), ("pushed", "{}"), ("added", "{}"), ("upserted", "{}"), ("swapped", "{}"), ("upserted", "{}"), ("cleared", "{}")],
            document: #"{"list":[2]}"#, problems: [.arrayTooLong, .arrayTooLong, .arrayTooLong, .arrayTooLong]
        ),
    ]
}
