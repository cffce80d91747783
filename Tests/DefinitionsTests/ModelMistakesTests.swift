import Events
import Testing

@testable import Definitions

@Suite struct ModelMistakesTests {
    static let files = [
        Mistake("model: product\nstream: product\nfold: { a: { $delete: true } }\n", 1, 1, "version: is missing — begin the file with version: 1"),
        Mistake("model: p\nversion: 1\nstream: p\nfold: { a: { $delete: true } }\n", 2, 1, "version: must come first"),
        Mistake("version: 2\nwhatever: 1\n", 1, 10, "the file is of version 2, and this Millrace reads version 1 — update Millrace"),
        Mistake("version: \"1\"\nmodel: p\nstream: p\nfold: { a: { $delete: true } }\n", 1, 10, "version: must be 1, found \"1\""),
        Mistake(
            "- 1\n", 1, 1,
            "a model must be a map with version, model, stream, fold, onError, unknown, ttl, root, derive, defaults, private, indexes, read, cache and source, found a list"
        ),
        Mistake("version: 1\nstream: p\nfold: { a: { $delete: true } }\n", 1, 1, "model: is missing"),
        Mistake("version: 1\nmodel: p\nfold: { a: { $delete: true } }\n", 1, 1, "stream: is missing"),
        Mistake("version: 1\nmodel: p\nstream: p\n", 1, 1, "fold: is missing"),
        Mistake("version: 1\nmodel: p\nstream: p\nfold: {}\n", 4, 7, "fold: must be a map of event types and effects, found an empty map"),
        Mistake("version: 1\nmodel: p\nstream: p\nfold:\n", 4, 6, "fold: must be a map of event types and effects, found nothing"),
        Mistake("version: 1\nmodel: 1p\nstream: p\nfold: { a: { $delete: true } }\n", 2, 8, "cannot be the name of a model"),
        Mistake("version: 1\nmodel: a.b\nstream: p\nfold: { a: { $delete: true } }\n", 2, 8, "cannot be the name of a model"),
        Mistake("version: 1\nmodel: millraces\nstream: p\nfold: { a: { $delete: true } }\n", 2, 8, "must not begin with millrace"),
        Mistake("version: 1\nmodel: system\nstream: p\nfold: { a: { $delete: true } }\n", 2, 8, "must not begin with system"),
        Mistake("version: 1\nmodel: 5\nstream: p\nfold: { a: { $delete: true } }\n", 2, 8, "model: must be a string, found 5 — quote it"),
        Mistake(goodModel + "fodl: 1\n", 5, 1, "unknown key \"fodl\" — did you mean \"fold\"?"),
        Mistake(
            goodModel + "zzzzzzzz: 1\n", 5, 1,
            "unknown key \"zzzzzzzz\" — allowed here: version, model, stream, fold, onError, unknown, ttl, root, derive, defaults, private, indexes, read, cache and source"
        ),
        Mistake(goodModel + "defaults: 1\n", 5, 11, "defaults: must be a map of fields and values, found 1 — such as { stock: 0 }"),
        Mistake(goodModel + "defaults: { a: $data.b }\n", 5, 11, "defaults: must be the same for every event"),
        Mistake(goodModel + "defaults: { _id: 1 }\n", 5, 13, "_id is set by Millrace itself"),
        Mistake(goodModel + "root: craeted\n", 5, 7, "root: the fold has no effect for \"craeted\" — did you mean \"created\"?"),
        Mistake(goodModel + "root: []\n", 5, 7, "root: is an empty list of event types"),
        Mistake(goodModel + "derive: { a: $data.b }\n", 5, 11, "derive: a reads $data, and only the document says what it derives from"),
        Mistake(goodModel + "derive: { name: $$doc.a }\n", 5, 11, "derive: name is also changed by $set name"),
        Mistake(goodModel + "derive: { a: $$doc.b, b: 1 }\n", 5, 11, "derive: a reads b, and b is derived itself"),
        Mistake(goodModel + "derive: { a: $$doc }\n", 5, 11, "derive: a reads the whole document, and a is derived itself"),
        Mistake(goodModel + "derive: { a: 1, a.b: 1 }\n", 5, 17, "derive: a.b conflicts with the one at 5:11"),
        Mistake(goodModel + "read: secondaries\n", 5, 7, "read: must be a map with from and maxStaleness, found \"secondaries\""),
        Mistake(goodModel + "read: { from: secondary }\n", 5, 15, "from: must be primary or secondaries, found \"secondary\""),
        Mistake(goodModel + "cache: 1\n", 5, 8, "cache: must be a map with fields, maxAge and maxBytes, found 1"),
        Mistake(goodModel + "cache: { fields: [] }\n", 5, 18, "fields: must be a list of paths, found a list — such as [ name, price ]"),
        Mistake(goodModel + "cache: { maxAge: 0s }\n", 5, 18, "maxAge: must be a duration from 1s to 1d, found 0s"),
        Mistake(goodModel + "cache: { maxBytes: 1KB }\n", 5, 20, "maxBytes: must be a size from 64KiB to 64GiB, found 1KB"),
        Mistake(goodModel + "read: { maxStaleness: 1s }\n", 5, 23, "maxStaleness: must be a duration from 10s to 1d, found 1s"),
        Mistake(goodModel + "private: cost\n", 5, 10, "private: must be a list of paths, found \"cost\""),
        Mistake(goodModel + "private: [ \"a..b\" ]\n", 5, 12, "has an empty part"),
        Mistake(goodModel + "ttl: 30\n", 5, 6, "ttl: must be a duration from 1s to 36500d, found 30 — write a whole number and ms, s, m, h or d"),
        Mistake(goodModel + "ttl: { at: $data.end }\n", 5, 6, "ttl: must be a duration from 1s to 36500d, found a map"),
        Mistake(goodModel + "ttl: 500ms\n", 5, 6, "ttl: must be a duration from 1s to 36500d, found 500ms"),
        Mistake(goodModel + "defaults: { _expires: 1 }\n", 5, 13, "_expires is set by Millrace itself"),
        Mistake(goodModel + "indexes: { a: 1 }\n", 5, 10, "indexes: must be a list of paths with 1 or -1, found a map — such as [ { category: 1 } ]"),
        Mistake(goodModel + "indexes: []\n", 5, 10, "indexes: must be a list of paths with 1 or -1, found a list"),
        Mistake(goodModel + "indexes: [ category ]\n", 5, 12, "an index must be a map of paths and 1 or -1, found \"category\" — such as { category: 1 }"),
        Mistake(goodModel + "indexes: [ {} ]\n", 5, 12, "an index must be a map of paths and 1 or -1, found an empty map"),
        Mistake(
            goodModel + "indexes: [ { place: 2dsphere } ]\n", 5, 21,
            "indexes: place must be 1 or -1, found \"2dsphere\" — indexes of other kinds can be made by hand: Millrace leaves them alone"),
        Mistake(goodModel + "indexes: [ { place: 2 } ]\n", 5, 21, "indexes: place must be 1 or -1, found 2"),
        Mistake(
            goodModel + "indexes: [ { a: 1, unique: true } ]\n", 5, 20,
            "indexes: unique is refused: what an event makes cannot be refused for what another document holds"),
        Mistake(goodModel + "indexes: [ { a: 1, expireAfterSeconds: 60 } ]\n", 5, 20, "expireAfterSeconds is refused: a document goes by what the log says"),
        Mistake(goodModel + "indexes: [ { \"a..b\": 1 } ]\n", 5, 14, "has an empty part"),
        Mistake(goodModel + "indexes: [ { \"list.$[]\": 1 } ]\n", 5, 14, "must not lead into an array"),
        Mistake(goodModel + "indexes: [ { _orphan: 1 } ]\n", 5, 14, "begins with _orphan, which Millrace sets itself"),
        Mistake(goodModel + "indexes: [ { _id: 1 } ]\n", 5, 14, "_id has an index of its own"),
        Mistake(goodModel + "indexes: [ { a: 1, b: -1 }, { b: 1 }, { a: 1, b: -1 } ]\n", 5, 39, "the index stands here a second time, first at 5:12"),
        Mistake(
            goodModel + "indexes: [ \((0...16).map { "{ f\($0): 1 }" }.joined(separator: ", ")) ]\n", 5, 10, "a model has at most 16 indexes, found 17"),
        Mistake(
            goodModel + "indexes: [ { \((0...31).map { "f\($0): 1" }.joined(separator: ", ")) } ]\n", 5, 12, "an index has at most 31 fields, found 32"),
        Mistake(goodModel + "onError: skpi\n", 5, 10, "onError: must be one of skip, hold and stop, found \"skpi\" — did you mean \"skip\"?"),
    ]

    static let later = ["merge", "lookup"].map {
        Mistake(goodModel + "\($0): 1\n", 5, 1, "\($0): is not supported yet")
    }

    @Test(arguments: files + later + SourceTests.mistakes)
    func `mistakes in a file are found where they are`(mistake: Mistake) throws {
        try expect(mistake, problems(model: mistake.source))
    }

    static let effects = [
        Mistake("  a:\n", 5, 5, "\"a\" must be an effect or a list of effects, found nothing"),
        Mistake("  a: x\n", 5, 6, "found \"x\" — such as { $set: { name: $data.name } }"),
        Mistake("  a: {}\n", 5, 6, "the effect is empty"),
        Mistake("  a: []\n", 5, 6, "\"a\" has an empty list of effects"),
        Mistake("  a: [ { $delete: true }, 5 ]\n", 5, 27, "an effect must be a map of operators, found 5"),
        Mistake("  a: { $sett: { b: 1 } }\n", 5, 8, "unknown update operator \"$sett\" — did you mean \"$set\"?"),
        Mistake("  a: { name: 1 }\n", 5, 8, "unknown update operator \"name\" — a field is set by { $set: { name: value } }"),
        Mistake("  a: { $set: 1 }\n", 5, 14, "$set must be a map of paths and values, found 1"),
        Mistake("  a: { $set: {} }\n", 5, 14, "$set must be a map of paths and values, found an empty map"),
        Mistake("  a: { $delete: false }\n", 5, 17, "$delete must be true, found false"),
        Mistake("  a: { $set: { b: 1 }, $delete: true }\n", 5, 24, "$delete must stand alone in its effect"),
        Mistake("  a: { when: $data.x }\n", 5, 6, "the effect is empty"),
        Mistake("  a: { when: $dat.x, $set: { b: 1 } }\n", 5, 14, "did you mean \"$data.x\"?"),
        Mistake("  a: { create: no, $set: { b: 1 } }\n", 5, 16, "create: must be true or false, found \"no\""),
        Mistake("  a: { whne: true, $set: { b: 1 } }\n", 5, 8, "did you mean \"when\"?"),
        Mistake("  a: { $currentDate: { b: true } }\n", 5, 8, "this reads the clock; the event's own time is $occurredAt"),
        Mistake("  $set: { a: 1 }\n", 5, 3, "$set has no place here — an effect stands under the event type"),
        Mistake("  \"\": { $delete: true }\n", 5, 3, "an event type has 1 to 256 bytes, found 0"),
        Mistake("  \(String(repeating: "é", count: 129)): { $delete: true }\n", 5, 3, "an event type has 1 to 256 bytes, found 258"),
    ]
    static let laterEffects = ["key", "keys", "match", "lookup"].map { Mistake("  a: { \($0): 1 }\n", 5, 8, "\($0): is not supported yet") }

    static let paths = [
        Mistake("  a: { $set: { \"\": 1 } }\n", 5, 16, "the path \"\" is empty"),
        Mistake("  a: { $set: { b..c: 1 } }\n", 5, 16, "has an empty part"),
        Mistake("  a: { $set: { .b: 1 } }\n", 5, 16, "has an empty part"),
        Mistake("  a: { $set: { b.$c: 1 } }\n", 5, 16, "names must not begin with $"),
        Mistake("  a: { $set: { b.$: 1 } }\n", 5, 16, "means what a query found, and a fold has none — write $[name] with arrayFilters"),
        Mistake("  a: { $set: { \"$[].b\": 1 } }\n", 5, 16, "begins with $[], and a document is not an array"),
        Mistake("  a: { $set: { \"b.$[X]\": 1 } }\n", 5, 16, "has the part \"$[X]\" — an array filter's name is letters and digits"),
        Mistake("  a: { $set: { \"b.$[x\": 1 } }\n", 5, 16, "names must not begin with $"),
        Mistake("  a: { $set: { \"b.$[].c\": 1 }, $inc: { b.c: 1 } }\n", 5, 40, "the path \"b.c\" of $inc conflicts with \"b.$[].c\" of $set at 5:16"),
        Mistake("  a: { $set: { \"b.$[].c\": 1, \"b.$[].c.d\": 1 } }\n", 5, 30, "conflicts with \"b.$[].c\" of $set"),
        Mistake("  a: { $set: { b.1: 1, b.01: 1 } }\n", 5, 24, "the path \"b.01\" of $set conflicts with \"b.1\""),
        Mistake("  a: { $rename: { b: b.c } }\n", 5, 22, "the path \"b.c\" of $rename conflicts with \"b\" of $rename at 5:19"),
        Mistake("  a: { $set: { c.d: 1 }, $rename: { b: c } }\n", 5, 40, "the path \"c\" of $rename conflicts with \"c.d\" of $set at 5:16"),
        Mistake("  a: { $rename: { b: c }, $inc: { b: 1 } }\n", 5, 35, "the path \"b\" of $inc conflicts with \"b\" of $rename at 5:19"),
        Mistake("  a: { $rename: { \"b.$[]\": c } }\n", 5, 19, "the path \"b.$[]\" must not lead into an array"),
        Mistake("  a: { $rename: { b: \"c.$[]\" } }\n", 5, 22, "the path \"c.$[]\" must not lead into an array"),
        Mistake("  a: { $rename: { b: 1 } }\n", 5, 22, "$rename must be the new path, found 1"),
        Mistake("  a: { $rename: { b: _id } }\n", 5, 22, "begins with _id"),
        Mistake("  a: { $set: { \"m.${$$month}\": 1 } }\n", 5, 16, "unknown variable \"$$month\""),
        Mistake("  a: { $set: { \"m.${month}\": 1 } }\n", 5, 16, "${…} must hold a path that begins with $"),
        Mistake("  a: { $set: { \"m.${$data.x\": 1 } }\n", 5, 16, "${…} must hold a path that begins with $"),
        Mistake("  a: { $set: { \"m.${$data.x}..y\": 1 } }\n", 5, 16, "has an empty part"),
        Mistake("  a: { $set: { \"m.${$data.x}\": 1, m: 2 } }\n", 5, 35, "conflicts with"),
        Mistake("  a: { $rename: { a: \"m.${$data.x}\" } }\n", 5, 22, "has a computed name, which cannot stand here"),
        Mistake("  a: { $contribute: { \"m.${$data.x}\": { by: 1, count: true } } }\n", 5, 23, "has a computed name, which cannot stand here"),
        Mistake("  a: { $set: { _contributions.x: 1 } }\n", 5, 16, "begins with _contributions, which Millrace sets itself"),
        Mistake("  a: { $set: { b: $$doc._orphan } }\n", 5, 19, "reads _orphan, which a fold cannot see"),
        Mistake("  a: { let: 1, $set: { b: 1 } }\n", 5, 13, "let: must be a map of names and values, found 1"),
        Mistake("  a: { let: { B: 1 }, $set: { b: 1 } }\n", 5, 15, "\"B\" cannot be the name of a variable"),
        Mistake("  a: { let: { doc: 1 }, $set: { b: 1 } }\n", 5, 15, "$$doc is the document"),
        Mistake("  a: { let: { x: $$y, y: 1 }, $set: { b: 1 } }\n", 5, 18, "unknown variable \"$$y\""),
        Mistake("  a: { $upsert: { b: 1 } }\n", 5, 22, "$upsert must be a map with where, set and sort, found 1"),
        Mistake("  a: { $upsert: { b: { set: { c: 1 } } } }\n", 5, 22, "where: is missing"),
        Mistake("  a: { $upsert: { b: { where: {} } } }\n", 5, 31, "where: must be a map of an element's fields and values, found an empty map"),
        Mistake("  a: { $upsert: { b: { where: { c.d: 1 } } } }\n", 5, 33, "\"c.d\" is no name of a field"),
        Mistake("  a: { $upsert: { b: { where: { c: 1 }, set: { c.d: 1 } } } }\n", 5, 48, "changes c, which the element is known by"),
        Mistake("  a: { $upsert: { b: { where: { c: 1 }, set: { d: 1, d.e: 1 } } } }\n", 5, 54, "d.e conflicts with d"),
        Mistake("  a: { $upsert: { b: { where: { c: 1 }, sort: up } } }\n", 5, 47, "sort must be 1, -1 or a map of fields and 1 or -1"),
        Mistake("  a: { $upsert: { b: { where: { c: 1 }, set: { \"d.$[]\": 1 } } } }\n", 5, 48, "must not lead into an array"),
        Mistake("  a: { $contribute: { b: { by: 1 } } }\n", 5, 26, "$contribute adds nothing up"),
        Mistake("  a: { $contribute: { b: { count: true } } }\n", 5, 26, "by: is missing"),
        Mistake("  a: { $contribute: { b: { by: 1, count: 2 } } }\n", 5, 42, "count: must be true, found 2"),
        Mistake("  a: { $set: { \"b\\0\": 1 } }\n", 5, 16, "the path \"b\\u{0}\" holds NUL"),
        Mistake("  a: { $unset: { _id: 1 } }\n", 5, 18, "begins with _id, which Millrace sets itself"),
        Mistake("  a: { $set: { _position.o: 1 } }\n", 5, 16, "begins with _position"),
        Mistake("  a: { $set: { \(Array(repeating: "a", count: 181).joined(separator: ".")): 1 } }\n", 5, 16, "is deeper than the 180 levels"),
        Mistake("  a: { $set: { b: 1, b.c: 2 } }\n", 5, 22, "the path \"b.c\" of $set conflicts with \"b\" of $set at 5:16"),
        Mistake("  a: { $set: { b.c: 1 }, $inc: { b: 2 } }\n", 5, 34, "the path \"b\" of $inc conflicts with \"b.c\" of $set at 5:16"),
        Mistake("  a: { $set: { b: 1 }, $min: { b: 2 } }\n", 5, 32, "write a list of two effects"),
    ]

    static let operands = [
        Mistake("  a: { $inc: { b: x } }\n", 5, 19, "$inc must be a number or a path to one, found \"x\""),
        Mistake("  a: { $inc: { b: true } }\n", 5, 19, "found true"),
        Mistake("  a: { $inc: { b: null } }\n", 5, 19, "found nothing"),
        Mistake("  a: { $inc: { b: { c: $data.x } } }\n", 5, 19, "found a map"),
        Mistake("  a: { $unset: { b: 2 } }\n", 5, 21, "$unset takes \"\", true or 1 for each path, found 2"),
        Mistake("  a: { $unset: b }\n", 5, 16, "$unset must be a map of paths and values, found \"b\""),
        Mistake("  a: { $push: { b: { $slice: 5 } } }\n", 5, 20, "$slice needs $each beside it"),
        Mistake("  a: { $push: { b: { $each: 5 } } }\n", 5, 29, "$each must be a list or a path to one, found 5"),
        Mistake("  a: { $push: { b: { $each: { c: 1 } } } }\n", 5, 29, "$each must be a list or a path to one, found a map"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $slice: 1.5 } } }\n", 5, 44, "$slice must be an integer or a path to one, found 1.5"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $position: x } } }\n", 5, 47, "$position must be an integer or a path to one, found \"x\""),
        Mistake("  a: { $push: { b: { $position: 0 } } }\n", 5, 20, "$position needs $each beside it — such as { $each: [ $data.tag ], $position: … }"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $sort: 2 } } }\n", 5, 43, "$sort must be 1, -1 or a map of fields and 1 or -1, found 2"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $sort: {} } } }\n", 5, 43, "$sort must be 1, -1 or a map"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $sort: { c: up } } } }\n", 5, 48, "$sort: c must be 1 or -1, found \"up\""),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $sort: { c..d: 1 } } } }\n", 5, 45, "has an empty part"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], $slcie: 1 } } }\n", 5, 36, "did you mean \"$slice\"?"),
        Mistake("  a: { $push: { b: { $eahc: [ 1 ], $slice: 1 } } }\n", 5, 22, "did you mean \"$each\"?"),
        Mistake("  a: { $push: { b: { $each: [ 1 ], c: 1 } } }\n", 5, 36, "unknown modifier of $push \"c\" — modifiers stand beside nothing else"),
        Mistake("  a: { $addToSet: { b: { $each: [ 1 ], $slice: 1 } } }\n", 5, 40, "unknown modifier of $addToSet \"$slice\""),
        Mistake("  a: { $mul: { b: x } }\n", 5, 19, "$mul must be a number or a path to one, found \"x\""),
        Mistake("  a: { $pop: { b: 0 } }\n", 5, 19, "$pop takes 1 for the last element or -1 for the first, found 0"),
        Mistake("  a: { $bit: { b: 1 } }\n", 5, 19, "$bit must be a map with and, or and xor, found 1"),
        Mistake("  a: { $bit: { b: { nor: 1 } } }\n", 5, 21, "unknown operation of $bit \"nor\" — did you mean \"or\"?"),
        Mistake("  a: { $bit: { b: { and: 1.0 } } }\n", 5, 26, "and must be an integer or a path to one, found 1.0"),
        Mistake("  a: { $pullAll: { b: 1 } }\n", 5, 23, "$pullAll must be a list or a path to one, found 1"),
        Mistake("  a: { $pull: { b: { $in: 1 } } }\n", 5, 27, "$in must be a list or a path to one, found 1"),
        Mistake("  a: { $pull: { b: { c: { $gt: 1, $le: 1 } } } }\n", 5, 35, "unknown predicate \"$le\" — did you mean"),
        Mistake("  a: { $pull: { b: { c: { $gt: 1, d: 1 } } } }\n", 5, 35, "unknown predicate \"d\" — tests stand beside nothing else"),
        Mistake("  a: { $pull: { b: { c: 1, $gt: 1 } } }\n", 5, 28, "$gt has no place here — tests stand below a name, or beside nothing else"),
        Mistake("  a: { $pull: { b: { $not: { c: 1 } } } }\n", 5, 28, "$not must be a map of tests, found a map"),
        Mistake("  a: { $pull: { b: { c: { $not: 5 } } } }\n", 5, 33, "$not must be a map of tests, found 5 — such as { $not: { $lt: 3 } }"),
        Mistake("  a: { $pull: { b: { c: { $exists: 1 } } } }\n", 5, 36, "$exists must be true or false, found 1"),
        Mistake("  a: { $pull: { b: { $or: [] } } }\n", 5, 27, "$or must be a list of maps, found a list"),
        Mistake("  a: { $pull: { b: { $and: [ { c: { $lt: $$x } } ] } } }\n", 5, 42, "unknown variable \"$$x\""),
        Mistake("  a: { $pull: { b: { c: { $or: [ { $lt: 1 } ] } } } }\n", 5, 27, "$or has no place here — it combines maps"),
        Mistake("  a: { $pull: { b: { c: { $elemMatch: 5 } } } }\n", 5, 39, "$elemMatch must be a map, found 5"),
        Mistake("  a: { $pull: { b: { $expr: 1 } } }\n", 5, 22, "$expr is refused: an element is tested by its members"),
        Mistake("  a: { $pull: { b: { $regex: x } } }\n", 5, 22, "unknown predicate \"$regex\""),
        Mistake("  a: { $pull: { b: { c..d: 1 } } }\n", 5, 22, "has an empty part or holds NUL"),
        Mistake(
            "  a: { $set: { b: \(String(repeating: "[", count: 180) + String(repeating: "]", count: 180)) } }\n", 5, 19, "deeper than the 180 levels"),
    ]

    static let filters = [
        Mistake("  a: { arrayFilters: [ { x: 1 } ] }\n", 5, 6, "the effect is empty"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 } }\n", 5, 16, "there is no array filter \"x\" — write arrayFilters: [ { x: … } ] beside the operators"),
        Mistake("  a: { $set: { \"b.$[optin]\": 1, \"b.$[option].c\": 1 }, arrayFilters: [ { option: 1 } ] }\n", 5, 16, "did you mean \"option\"?"),
        Mistake("  a: { $set: { b.0: 1 }, arrayFilters: [ { x: 1 } ] }\n", 5, 42, "no path has $[x] in it — leave the filter out"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: { x: 1 } }\n", 5, 45, "arrayFilters: must be a list of conditions, found a map"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [] }\n", 5, 45, "must be a list of conditions, found a list"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [ {} ] }\n", 5, 47, "an array filter must be a map of names and conditions"),
        Mistake(
            "  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [ { x: 1, y: 2 } ] }\n", 5, 47, "has one name, found \"x\" and \"y\" — write one map for each name"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [ { x: 1 }, { x.c: 2 } ] }\n", 5, 57, "x has two conditions — write them into one map"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [ { X.c: 1 } ] }\n", 5, 47, "the array filter \"X\" cannot be named in a path"),
        Mistake("  a: { $set: { \"b.$[x]\": 1 }, arrayFilters: [ { x: { $lt: $dat.n } } ] }\n", 5, 59, "the event has no member \"dat\""),
        Mistake("  a: { $delete: true, arrayFilters: [ { x: 1 } ] }\n", 5, 8, "$delete must stand alone in its effect"),
        Mistake("  a: { $set: { b: 1 }, arrayFilter: [ { x: 1 } ] }\n", 5, 24, "unknown update operator \"arrayFilter\" — did you mean \"arrayFilters\"?"),
    ]

    static let expressions = [
        Mistake("  a: { $set: { b: $dat.c.d } }\n", 5, 19, "the event has no member \"dat\" — did you mean \"$data.c.d\"?"),
        Mistake(
            "  a: { $set: { b: $flight } }\n", 5, 19,
            "the event has $eventId, $eventType, $key, $occurredAt, $schemaVersion, $data, $before, $after, $row, $op and $element"),
        Mistake("  a: { $set: { b: $5 } }\n", 5, 19, "the event has no member \"5\" — text that begins with a dollar is written { $literal: … }"),
        Mistake("  a: { $set: { b: \"$\" } }\n", 5, 19, "is written { $literal: … }"),
        Mistake("  a: { $set: { b: $data..c } }\n", 5, 19, "has an empty part"),
        Mistake("  a: { $set: { b: $data. } }\n", 5, 19, "has an empty part"),
        Mistake("  a: { $set: { b: $data.$c } }\n", 5, 19, "has a part that begins with $"),
        Mistake("  a: { $set: { b: $key.c } }\n", 5, 19, "leads into key, which has no members"),
        Mistake("  a: { $set: { b: $op.c } }\n", 5, 19, "leads into op, which has no members"),
        Mistake("  a: { $set: { b: $$dco.c } }\n", 5, 19, "unknown variable \"$$dco\" — did you mean \"$$doc\"?"),
        Mistake("  a: { $set: { b: $$month } }\n", 5, 19, "unknown variable \"$$month\""),
        Mistake("  a: { $set: { b: $$doc._position.o } }\n", 5, 19, "reads _position, which a fold cannot see"),
        Mistake("  a: { $set: { b: $$ROOT } }\n", 5, 19, "$$ROOT is refused: write $$doc for the document as it was before the effect"),
        Mistake("  a: { $set: { b: $$CURRENT.c } }\n", 5, 19, "$$CURRENT is refused: write $$doc"),
        Mistake("  a: { $inc: { b: $$REMOVE } }\n", 5, 19, "$inc cannot take $$REMOVE, which leaves nothing to put at \"b\""),
        Mistake("  a: { $set: { b: $$REMOVE.c } }\n", 5, 19, "leads into $$REMOVE, which has no members"),
        Mistake("  a: { $set: { b: $$NOW } }\n", 5, 19, "$$NOW is refused: a fold must give the same at every time"),
        Mistake("  a: { $set: { b: $$CLUSTER_TIME } }\n", 5, 19, "$$CLUSTER_TIME is refused"),
        Mistake("  a: { $set: { b: { $rand: {} } } }\n", 5, 21, "$rand is refused: a fold must give the same every time, and this is chance"),
        Mistake("  a: { $set: { b: { $function: {} } } }\n", 5, 21, "runs JavaScript"),
        Mistake("  a: { $set: { b: { $tsSecond: 1 } } }\n", 5, 21, "$tsSecond is refused: no event holds a timestamp"),
        Mistake("  a: { $set: { b: { $rank: {} } } }\n", 5, 21, "$rank is refused: it is computed over several documents"),
        Mistake("  a: { $set: { b: [ { c: { $tsIncrement: [ 1, 2 ] } } ] } }\n", 5, 28, "$tsIncrement is refused: no event holds a timestamp"),
        Mistake("  a: { $set: { b: { $regexMatch: { input: $data.x, regex: \"(a\" } } } }\n", 5, 59, "$regexMatch: missing closing parenthesis"),
        Mistake("  a: { $set: { b: { $regexMatch: { input: $data.x, regex: a, options: q } } } }\n", 5, 59, "$regexMatch: there is no option \"q\""),
        Mistake("  a: { $set: { b: { $dateFromParts: { month: 2 } } } }\n", 5, 37, "$dateFromParts needs year or isoWeekYear"),
        Mistake("  a: { $set: { b: { $dateFromParts: { year: 1, isoWeek: 2 } } } }\n", 5, 57, "$dateFromParts mixes isoWeek with the parts of"),
        Mistake("  a: { $set: { b: { $add: [ 1, 2 ], c: 1 } } }\n", 5, 21, "$add has no place here — an operator stands alone in its map"),
        Mistake("  a: { $set: { b: { $divide: $data.x } } }\n", 5, 30, "$divide takes 2 arguments, found 1 — such as { $divide: [ $data.cents, 100 ] }"),
        Mistake("  a: { $set: { b: { $abs: [ 1, 2 ] } } }\n", 5, 27, "$abs takes 1 argument, found 2"),
        Mistake("  a: { $set: { b: { $round: [ 1, 2, 3 ] } } }\n", 5, 29, "$round takes 1 to 2 arguments, found 3"),
        Mistake("  a: { $set: { b: { $ifNull: [ 1 ] } } }\n", 5, 30, "$ifNull takes at least 2 arguments, found 1"),
        Mistake("  a: { $set: { b: { $add: [ 1, $dat.x ] } } }\n", 5, 32, "did you mean \"$data.x\"?"),
        Mistake("  a: { $set: { b: { $trim: $data.x } } }\n", 5, 28, "$trim must be a map with input and chars, found \"$data.x\""),
        Mistake("  a: { $set: { b: { $trim: { chars: x } } } }\n", 5, 28, "$trim needs input — such as { $trim: { input: $data.name } }"),
        Mistake("  a: { $set: { b: { $trim: { inptu: x } } } }\n", 5, 30, "unknown key \"inptu\" — did you mean \"input\"?"),
        Mistake("  a: { $set: { b: { $cond: { if: 1, then: 2 } } } }\n", 5, 28, "$cond needs else"),
        Mistake("  a: { $set: { b: { $switch: { branches: 1 } } } }\n", 5, 42, "branches of $switch must be a list of maps, found 1"),
        Mistake("  a: { $set: { b: { $switch: { branches: [ { case: 1 } ] } } } }\n", 5, 44, "then: is missing"),
        Mistake("  a: { $set: { b: { $let: { vars: 1, in: 2 } } } }\n", 5, 35, "vars of $let must be a map of names and values, found 1"),
        Mistake("  a: { $set: { b: { $let: { vars: { X: 1 }, in: 2 } } } }\n", 5, 37, "\"X\" cannot be the name of a variable"),
        Mistake("  a: { $set: { b: { $map: { input: $data.x, as: doc, in: 1 } } } }\n", 5, 49, "cannot be the name of a variable — $$doc is the document"),
        Mistake("  a: { $set: { b: { $map: { input: $data.x, as: item, in: $$itme.y } } } }\n", 5, 59, "did you mean \"$$item\"?"),
        Mistake("  a: { $set: { b: { $map: { input: $$this, in: 1 } } } }\n", 5, 36, "unknown variable \"$$this\""),
        Mistake("  a: { $set: { b: { $sortArray: { input: $data.x, sortBy: 2 } } } }\n", 5, 59, "sortBy of $sortArray must be 1, -1 or a map of fields"),
        Mistake("  a: { $set: { b: { $zip: { inputs: [ $data.x ], defaults: [ 1 ] } } } }\n", 5, 60, "defaults of $zip need useLongestLength: true"),
        Mistake(
            "  a: { $set: { b: { $zip: { inputs: [ $data.x ], useLongestLength: true, defaults: [] } } } }\n", 5, 84, "$zip has 1 inputs and 0 defaults"),
        Mistake("  a: { $set: { b: { $getField: { field: $data.x, input: $data } } } }\n", 5, 41, "field of $getField must be a string"),
        Mistake(
            "  a: { $set: { b: { $convert: { input: $data.x, to: flaot } } } }\n", 5, 53,
            "to of $convert must be a type: int, long, double, decimal, bool, string, date and objectId"),
        Mistake("  a: { $set: { b: { $multiplly: [ 1, 2 ] } } }\n", 5, 21, "did you mean \"$multiply\"?"),
        Mistake("  a: { $set: { b: { $literal: 1, c: 2 } } }\n", 5, 21, "an operator stands alone in its map"),
        Mistake("  a: { $set: { b: { c.d: 1 } } }\n", 5, 21, "the name \"c.d\" in an object holds a dot"),
        Mistake("  a: { $set: { b: { \"\": 1 } } }\n", 5, 21, "a name in an object must not be empty"),
        Mistake("  a: { $set: { b: { \"c\\0\": 1 } } }\n", 5, 21, "holds NUL"),
        Mistake("  a: { $set: { b: { $literal: { \"c\\0\": 1 } } } }\n", 5, 33, "holds NUL"),
        Mistake("  a: { $set: { b: 9223372036854775808 } }\n", 5, 19, "does not fit into 64 bits"),
    ]

    @Test(arguments: effects + laterEffects + paths + operands + filters + expressions)
    func `mistakes in a fold are found where they are`(mistake: Mistake) throws {
        try expect(mistake, problems(fold: mistake.source))
    }

    @Test func `every mistake is reported, in the order of the lines`() {
        let found = problems(fold: "  a: { $sett: { b: 1 } }\n  b: { $inc: { c: x, _id: 1 } }\n  c: { $set: { d: $$NOW, e: $dta } }\n")
        #expect(found.map(\.line) == [5, 6, 6, 7, 7])
        #expect(found.map(\.column) == [8, 19, 22, 19, 29])
    }

    @Test func `what is not supported yet is told apart from what is unknown`() {
        #expect(problems(fold: "  a: { match: { b: 1 } }\n").map(\.problem) == [.notSupportedYet])
        #expect(problems(fold: "  a: { $upsret: { b: 1 } }\n").map(\.problem) == [.unknownName])
        #expect(problems(model: "version: 2\n").map(\.problem) == [.newerFormat])
    }

    private func expect(_ mistake: Mistake, _ found: [ConfigurationProblem]) throws {
        let problem = try #require(found.first)
        #expect(found.count == 1, "\(found)")
        #expect(problem.description.contains(mistake.fragment), "\(problem)")
        #expect((problem.line, problem.column) == (mistake.line, mistake.column), "\(problem)")
    }
}
