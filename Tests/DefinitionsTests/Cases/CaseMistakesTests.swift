import Testing

@testable import Definitions

/// Mistakes in files of cases, by what they are made in. Each is the one problem of its file.
enum CaseMistakes {
    static let file = [
        Mistake("", nil, nil, "is empty"),
        Mistake("version: 1\ncases: []\nmodel: product\n", 2, 8, "cases: must be a list of at least one case, found an empty list"),
        Mistake("version: 1\nmodel: prodct\ncases: [ { name: a, given: { events: [ a ] } } ]\n", 2, 8, "unknown model \"prodct\" — did you mean \"product\"?"),
        Mistake("version: 1\ncases: [ { name: a, given: { events: [ a ] } } ]\n", 1, 1, "model: is missing"),
        Mistake("version: 2\nmodel: product\n", 1, 10, "the file is of version 2"),
    ]

    /// Below `cases:`, in a file that is good otherwise. The first line is the fourth.
    static let cases = [
        Mistake("- 5", 4, 3, "a case must be a map with name, given, expect, repeatable and orders, found 5"),
        Mistake("- { given: { events: [ a ] } }", 4, 3, "name: is missing"),
        Mistake("- { name: a }", 4, 3, "given: is missing"),
        Mistake("- { name: a, given: {} }", 4, 21, "events: is missing"),
        Mistake("- { name: a, given: { events: [] } }", 4, 31, "events: must be a list of at least one event, found an empty list"),
        Mistake("- { name: a, given: { events: [ 5 ] } }", 4, 33, "an event must be a map, or the text of one, found 5"),
        Mistake("- { name: a, given: { events: [ { data: .nan } ] } }", 4, 41, "JSON has no number .nan"),
        Mistake("- { name: a, given: { event: [ a ], events: [ a ] } }", 4, 23, "unknown key \"event\" — did you mean \"events\"?"),
        Mistake("- { name: a, given: { events: [ a ], documents: [ 5 ] } }", 4, 49, "documents: must be a map of ids and fields, found a list"),
        Mistake("- { name: a, given: { events: [ a ], documents: { b: 5 } } }", 4, 54, "document \"b\" must be a map of fields, found 5"),
        Mistake("- { name: a, given: { events: [ a ], documents: { b: { _id: b } } } }", 4, 56, "_id has no place here — the document's id stands before"),
        Mistake("- { name: a, given: { events: [ a ], documents: { \"\": {} } } }", 4, 51, "\"\" cannot be the id of a document"),
        Mistake("- { name: a, given: { events: [ a ], documents: { b: { c: { $date: today } } } } }", 4, 59, "$date holds no value of its type"),
        Mistake("- { name: a, given: { events: [ a ], documents: { b: { c: { $numberLong: 5 } } } } }", 4, 59, "$numberLong holds no value"),
        Mistake("- { name: a, given: { events: [ a ] }, repeatable: 1 }", 4, 52, "repeatable: must be true or false, found 1"),
        Mistake("- { name: a, given: { events: [ a ] }, orders: any }", 4, 48, "orders: must be all, found \"any\""),
        Mistake("- { name: a, given: { events: [ a, a, a, a, a, a, a, a ] }, orders: all }", 4, 69, "orders: all takes at most 7 events, found 8"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { document: {} } }", 4, 50, "unknown key \"document\" — did you mean \"documents\"?"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { held: 1 } }", 4, 56, "held: must be a list, found 1"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { ignored: [ 2 ] } }", 4, 61, "there is no event 2: the case has 1"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { ignored: [ 0 ] } }", 4, 61, "there is no event 0"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { ignored: [ e-1 ] } }", 4, 61, "there is no event \"e-1\""),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { ignored: 1 } }", 4, 59, "ignored: must be a list, found 1"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { parked: [ { event: 1 } ] } }", 4, 60, "problem: is missing"),
        Mistake("- { name: a, given: { events: [ a ], loggedAfter: 3d } }", 4, 51, "loggedAfter: must be a map of events and durations, found \"3d\""),
        Mistake("- { name: a, given: { events: [ a ], loggedAfter: { 2: 3d } } }", 4, 53, "there is no event \"2\": the case has 1"),
        Mistake(
            "- { name: a, given: { events: [ a ], loggedAfter: { 1: soon } } }", 4, 56, "loggedAfter: must be a duration from 0ms to 36500d, found \"soon\""),
        Mistake(
            "- { name: a, given: { events: [ a, b ], loggedAfter: { 1: 2d, 2: 1d } } }", 4, 66,
            "loggedAfter: an event cannot be logged before the one before it"),
        Mistake("- { name: a, given: { documents: { a: { _expires: 1 } }, events: [ a ] } }", 4, 41, "_expires"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { stopped: [ 1 ] } }", 4, 59, "stopped: must be a map with event and problem, found a list"),
        Mistake(
            "- { name: a, given: { events: [ a, b ] }, expect: { ignored: [ 2 ], stopped: { event: 1, problem: bad-json } } }", 4, 51,
            "event 2 comes behind the one that stops the model, and waits"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { ignored: [ 1 ], duplicates: [ 1 ] } }", 4, 48, "event 1 is named twice"),
        Mistake("- { name: a, given: { events: [ a ] }, expect: { documents: { b: {} }, absent: [ b ] } }", 4, 82, "\"b\" is among the documents"),
        Mistake(
            "- { name: a, given: { events: [ a ] } }\n- { name: a, given: { events: [ a ] } }", 5, 11, "the case \"a\" stands here a second time, first at 4:11"
        ),
    ]

    static let head = "version: 1\nmodel: product\ncases:\n"

    static var all: [(source: String, mistake: Mistake)] { file.map { ($0.source, $0) } + cases.map { (head + $0.source + "\n", $0) } }
}

@Suite struct CaseMistakesTests {
    @Test func `mistakes in cases are found where they are`() throws {
        for (source, mistake) in CaseMistakes.all {
            let findings = Findings(file: "cases.yaml")
            _ = CaseReader(findings: findings, models: ["product"]).read(source)
            let problem = try #require(findings.problems.first, "\(mistake)")
            #expect(findings.problems.count == 1, "\(findings.problems)")
            #expect(problem.description.contains(mistake.fragment), "\(problem)")
            #expect((problem.line, problem.column) == (mistake.line, mistake.column), "\(problem)")
        }
    }

    @Test func `the files of a configuration are read, and those that somebody names`() throws {
        let good = CaseMistakes.head + "- { name: a, given: { events: [ a ] } }\n"
        let files = try Files(["millrace.yaml": goodMain, "models/product.yaml": goodModel, "tests/a.yaml": good, "tests/b.yaml": "version: 1\n"])
        let all = CaseFiles(configuration: files.path + "/", models: ["product"])
        #expect(all.files.map(\.file) == [files.path + "/tests/a.yaml"])
        #expect(all.problems.count == 2 && all.problems.allSatisfy { $0.file == files.path + "/tests/b.yaml" }, "\(all.problems)")
        #expect(CaseFiles(configuration: files.path + "/models", models: nil).problems.isEmpty, "there need not be any")
        let missing = CaseFiles(paths: [files.path + "/tests/c.yaml"], models: nil)
        #expect(missing.problems.map(\.message) == ["there is no such file"])
    }
}
