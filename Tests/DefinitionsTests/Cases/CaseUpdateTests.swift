import Testing

@testable import Definitions

@Suite struct CaseUpdateTests {
    /// What a file of cases looks like before and after.
    static let updates: [(before: String, after: String)] = [
        (
            """
            # Why these cases are here.
            - name: one   # the first
              given: { events: [ { eventType: counted, key: a } ] }

              # What comes out.
              expect:
                documents:
                  a: { count: 7 }   # gone with what it belongs to

              # The last word of the first case.
              repeatable: false

            # Of the second.
            - name: two
              given:
                events: [ { eventType: renamed, key: b, data: { name: B } } ]
              expect: { documents: { b: { name: B } } }   # is right
            """,
            """
            # Why these cases are here.
            - name: one   # the first
              given: { events: [ { eventType: counted, key: a } ] }

              # What comes out.
              expect:
                documents:
                  a: { count: 1 }

              # The last word of the first case.
              repeatable: false

            # Of the second.
            - name: two
              given:
                events: [ { eventType: renamed, key: b, data: { name: B } } ]
              expect: { documents: { b: { name: B } } }   # is right
            """
        ),
        (
            "- { name: one, given: { events: [ { eventType: counted, key: a }, { eventType: no, key: b } ] }, expect: { documents: {} }, repeatable: false }",
            "- { name: one, given: { events: [ { eventType: counted, key: a }, { eventType: no, key: b } ] }, "
                + "expect: { documents: { a: { count: 1 } }, ignored: [ 2 ] }, repeatable: false }"
        ),
        (
            "- name: one\n  expect: { absent: [ a, \"}'\" ],   # here\n    ignored: [ 1 ] }   # there\n  given: { events: [ { eventType: counted, key: a } ] }\n",
            "- name: one\n  expect: { absent: [ \"}'\" ] }   # there\n  given: { events: [ { eventType: counted, key: a } ] }\n"
        ),
        (
            "- name: one\n  given: { events: [ { eventType: counted, key: a } ] }\n\n# The end.\n",
            "- name: one\n  given: { events: [ { eventType: counted, key: a } ] }\n  expect:\n    documents:\n      a: { count: 1 }\n\n# The end.\n"
        ),
        (
            "- expect:\n  name: one\n  given: { events: [ { eventType: renamed, key: a } ] }\n",
            "- expect:\n    documents: {}\n    parked:\n      - { event: 1, problem: missing-value }\n  name: one\n  given: { events: [ { eventType: renamed, key: a } ] }\n"
        ),
        (
            "- name: one\r\n  given: { events: [ { eventType: counted, key: a } ] }\r\n  expect: { documents: {} }\r\n",
            "- name: one\r\n  given: { events: [ { eventType: counted, key: a } ] }\r\n  expect: { documents: { a: { count: 1 } } }\r\n"
        ),
    ]

    @Test(arguments: updates) func `what is expected is written anew, and the rest stays`(before: String, after: String) throws {
        let file = try cases(before)
        let results = try run(file)
        let update = CaseUpdate(file, results)
        #expect(update.text == CaseMistakes.head + after)
        #expect(update.count == 1 && update.left.isEmpty)
        let wrong = try run(try cases(after)).flatMap(\.differences)
        #expect(wrong.isEmpty, "\(wrong)")
    }

    @Test func `what no expectation can put right is left, and said`() throws {
        let wrong = "- { name: one, given: { events: [ { eventType: counted, key: a } ] }, expect: { documents: { a: { count: 1 } } }, repeatable: true }\n"
        let file = try cases(wrong)
        let update = CaseUpdate(file, try run(file))
        #expect(update.text == CaseMistakes.head + wrong && update.count == 0 && update.left.isEmpty)
        // A case in braces that says nothing has no place to write to.
        let silent = "- { name: one, given: { events: [ { eventType: counted, key: a } ] } }\n"
        let other = try cases(silent)
        let none = CaseUpdate(other, try run(other))
        #expect(none.text == CaseMistakes.head + silent && none.left == ["one"])
    }

    @Test func `an anchor that others use is left alone`() throws {
        let source = """
            - name: one
              given: { events: [ { eventType: counted, key: a } ] }
              expect: &same { documents: { a: { count: 5 } } }
            - name: two
              given: { events: [ { eventType: counted, key: a } ] }
              expect: *same

            """
        let file = try cases(source)
        let update = CaseUpdate(file, try run(file))
        let read = try cases(String(update.text.dropFirst(CaseMistakes.head.count)))
        #expect(read.cases.count == 2, "\(update.text)")
    }
}
