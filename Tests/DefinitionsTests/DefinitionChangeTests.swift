import Foundation
import Models
import Testing

@testable import Definitions

@Suite struct DefinitionChangeTests {
    private static let base = """
        version: 1
        model: product
        stream: product
        fold:
          renamed: { $set: { name: $data.name, size: 5 } }
          counted: { $inc: { count: 1 } }

        """

    static let edits: [(from: String, to: String, fold: [String])] = [
        ("counted: {", "counted:   {", []),
        ("version: 1", "version: 1   # a comment", []),
        ("name: $data.name, size: 5", "size: 5, name: $data.name", ["renamed changed"]),
        ("size: 5", "size: 5.0", ["renamed changed"]),
        ("$inc: { count: 1 }", "$inc: { count: 2 }", ["counted changed"]),
        ("  counted: { $inc: { count: 1 } }\n", "", ["counted removed"]),
        ("  counted:", "  dropped: { $delete: true }\n  counted:", ["dropped added"]),
        ("counted:", "tallied:", ["counted removed", "tallied added"]),
        ("stream: product", "stream: other", ["stream"]),
    ]

    @Test(arguments: edits) func `an edit of the fold is told by what it changes`(from: String, to: String, fold: [String]) throws {
        let before = try ModelReader.read(source: Self.base, file: "product.yaml")
        let after = try ModelReader.read(source: Self.base.replacingOccurrences(of: from, with: to), file: "product.yaml")
        try #require(before.source != after.source)
        let change = DefinitionChange(from: before.source, versions: nil, foldHash: before.foldHash, to: after)
        #expect(change.fold == fold && change.serve.isEmpty, "\(change)")
        // The order of event types has no meaning, and text that means the same under another hash is a change all the same.
        let other = DefinitionChange(from: after.source, versions: nil, foldHash: "another", to: after)
        #expect(other.fold == ["fold"])
    }

    @Test func `an edit of a stream's versions is an edit of the fold`() throws {
        func model(_ versions: String?) throws -> Model { try ModelReader.read(source: Self.base, versions: versions, file: "product.yaml") }
        let upcast = #"{"upcast":{"renamed":{"1":{"$rename":{"data.n":"data.name"}}}}}"#
        let (before, after) = (try model(nil), try model(upcast))
        let added = DefinitionChange(from: before.source, versions: before.versions, foldHash: before.foldHash, to: after)
        #expect(added.fold == ["upcast of renamed added"])
        let other = try model(upcast.replacing("data.n\"", with: "data.title\""))
        #expect(DefinitionChange(from: after.source, versions: after.versions, foldHash: after.foldHash, to: other).fold == ["upcast of renamed changed"])
        #expect(DefinitionChange(from: after.source, versions: after.versions, foldHash: after.foldHash, to: after).isEmpty)
    }

    @Test(arguments: ErrorPolicy.allCases) func `a model that stops goes on under every other policy, and no other does`(policy: ErrorPolicy) throws {
        func model(_ policy: ErrorPolicy) throws -> Model {
            try ModelReader.read(source: Self.base + "onError: \(policy)\n", file: "product.yaml")
        }
        let live = try model(policy)
        for other in ErrorPolicy.allCases where other != policy {
            let edited = try model(other)
            let change = DefinitionChange(from: live.source, versions: nil, foldHash: live.foldHash, to: edited)
            #expect(policy == .stop ? change.serve == ["onError"] && change.fold.isEmpty : change.fold == ["onError"] && change.serve.isEmpty)
            #expect(edited.goesOn(with: live.foldHash) == (policy == .stop))
        }
        let both = try ModelReader.read(source: Self.base.replacing("count: 1", with: "count: 2") + "onError: skip\n", file: "product.yaml")
        let change = DefinitionChange(from: live.source, versions: nil, foldHash: live.foldHash, to: both)
        #expect(change.fold.contains("counted changed") && change.serve.isEmpty)
    }

    @Test func `an edit of what is served is no edit of the fold`() throws {
        let before = try ModelReader.read(source: Self.base, file: "product.yaml")
        var after = before
        after.source += "indexes: [ { name: 1 } ]\nprivate: [ name ]\n"
        let change = DefinitionChange(from: before.source, versions: nil, foldHash: before.foldHash, to: after)
        #expect(change.fold.isEmpty && change.serve == ["indexes", "private"])
        let back = DefinitionChange(from: after.source, versions: nil, foldHash: before.foldHash, to: before)
        #expect(back.fold.isEmpty && back.serve == ["indexes", "private"])
        let source = "source: { file: rows, event: { type: renamed, key: $row.id } }\n"
        let told = DefinitionChange(
            from: before.source, versions: nil, foldHash: before.foldHash, to: try ModelReader.read(source: Self.base + source, file: "product.yaml"))
        #expect(told.fold.isEmpty && told.serve == ["source"])
    }

    @Test func `a plan has what is new, changed, unchanged and gone`() throws {
        let model = try ModelReader.read(source: Self.base, file: "product.yaml")
        func named(_ name: String) -> Model {
            var other = model
            other.name = name
            return other
        }
        var served = named("served")
        served.source += "indexes: [ { name: 1 } ]\n"
        func live(_ name: String, hash: String? = nil, version: Int32 = foldVersion) -> Plan.Live {
            Plan.Live(build: "\(name)@3", stream: "product", source: model.source, versions: nil, foldHash: hash ?? model.foldHash, foldVersion: version)
        }
        let plan = Plan(
            [served, named("new"), named("same"), named("edited"), named("old")],
            live: ["same": live("same"), "edited": live("edited", hash: "x"), "gone": live("gone"), "old": live("old", version: 1), "served": live("served")],
            logged: ["product": 70]
        )
        #expect(
            plan.entries == [
                .init(model: "edited", build: "edited@3", state: .changed, fold: ["fold"], eventsToFold: 70),
                .init(model: "new", build: nil, state: .new, eventsToFold: 70),
                .init(
                    model: "old", build: "old@3", state: .changed, fold: ["folded by version 1, this binary carries \(foldVersion)"], eventsToFold: 70
                ),
                .init(model: "same", build: "same@3", state: .unchanged),
                .init(model: "served", build: "served@3", state: .changed, serve: ["indexes"]),
                .init(model: "gone", build: "gone@3", state: .gone),
            ])
        #expect(plan.isToDo)
        #expect(!Plan([named("same")], live: ["same": live("same"), "gone": live("gone")], logged: [:]).isToDo)
    }
}
