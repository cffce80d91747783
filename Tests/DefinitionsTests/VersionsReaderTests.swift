import Events
import Models
import Testing
import Values

@testable import Definitions

@Suite struct VersionsReaderTests {
    private static let head = "version: 1\nstreams:\n  product:\n"

    private static let mistakes = [
        Mistake("    upcast: []\n", 4, 13, "upcast: must be a map of event types"),
        Mistake("    upcast: {}\n", 4, 13, "an empty map"),
        Mistake("    upcast: { created: { $set: { data.a: 1 } } }\n", 4, 26, "\"$set\" is no schema version"),
        Mistake("    upcast: { created: { 0: { $set: { data.a: 1 } } } }\n", 4, 26, "\"0\" is no schema version"),
        Mistake("    upcast: { created: { 1: 2 } }\n", 4, 29, "must be a map of $set, $unset and $rename"),
        Mistake("    upcast: { created: { 1: { $inc: { data.a: 1 } } } }\n", 4, 31, "$inc has no place in an upcast"),
        Mistake("    upcast: { created: { 1: { create: false, $set: { data.a: 1 } } } }\n", 4, 31, "create has no place in an upcast"),
        Mistake("    upcast: { created: { 1: { $set: { a: 1 } } } }\n", 4, 29, "does not begin with data"),
        Mistake("    upcast: { created: { 1: { $rename: { a: data.b } } } }\n", 4, 29, "does not begin with data"),
        Mistake("    upcast: { created: { 1: { $set: { data.a: $$doc.a } } } }\n", 4, 29, "reads the event alone"),
        Mistake("    upcast: { created: { 1: { $set: { data.a: $dta.a } } } }\n", 4, 47, "did you mean"),
        Mistake("    upcast: { created: { 1: { $unset: { data.a: 1 } }, 3: { $unset: { data.b: 1 } } } }\n", 4, 15, "no upcast from version 2 to 3"),
        Mistake("    upcast: { created: { 1: { $unset: { data.a: 1 } } } }\n    schemaVersions: { created: 3 }\n", 5, 32, "its upcasts make version 2"),
        Mistake("    schemaVersions: { created: 0 }\n", 4, 32, "created"),
        Mistake("    schemaVersions: 3\n", 4, 21, "schemaVersions: must be a map"),
    ]

    @Test(arguments: mistakes) func `a mistake is reported where it stands`(mistake: Mistake) throws {
        let files = try Files(["millrace.yaml": Self.head + mistake.source, "models/product.yaml": goodModel])
        let problems = files.check().problems
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first.map { [$0.line, $0.column] } == [mistake.line, mistake.column], "\(problems)")
        #expect(problems.first?.description.contains(mistake.fragment) == true, "\(problems)")
    }

    private func model(_ stream: String, _ source: String = goodModel) throws -> Model {
        let files = try Files(["millrace.yaml": Self.head + stream, "models/product.yaml": source])
        let check = files.check()
        return try #require(check.configuration?.models.first, "\(check.problems)")
    }

    @Test func `what is said of versions is part of the fold, and is kept with the build`() throws {
        let plain = try model("    partitions: 1\n")
        #expect(plain.versions == nil && plain.fold.versions.isEmpty)
        let first = try model("    upcast: { created: { 1: { $rename: { data.title: data.name } }, 2: { $set: { data.name: \"1\", data.n: 1.0 } } } }\n")
        #expect(first.fold.versions["created"]?.current == 3 && first.fold.versions["created"]?.upcasts.count == 2)
        #expect(first.foldHash != plain.foldHash)
        // As a build keeps it, it is the same.
        let kept = try ModelReader.read(source: first.source, versions: first.versions, file: "product@1")
        #expect(kept.fold == first.fold && kept.foldHash == first.foldHash && kept.versions == first.versions)
        let others = [
            "    upcast: { created: { 1: { $rename: { data.title: data.name } }, 2: { $set: { data.name: 1, data.n: 1.0 } } } }\n",
            "    upcast: { created: { 1: { $rename: { data.title: data.name } } } }\n", "    schemaVersions: { created: 3 }\n",
        ]
        #expect(Set(try others.map { try model($0).foldHash } + [first.foldHash, plain.foldHash]).count == 5)
        let ignored = try model("    upcast: { other: { 1: { $unset: { data.a: 1 } } } }\n    schemaVersions: { another: 2 }\n")
        #expect(ignored.versions == nil && ignored.foldHash == plain.foldHash, "the model has no effect for them")
    }

    @Test func `unknown is ignore or park`() throws {
        let park = try ModelReader.read(source: goodModel + "unknown: park\n", file: "product.yaml")
        let plain = try ModelReader.read(source: goodModel, file: "product.yaml")
        #expect(park.fold.parksUnknown && park.fold.handles("anything") && park.foldHash != plain.foldHash)
        #expect(try ModelReader.read(source: goodModel + "unknown: ignore\n", file: "product.yaml").foldHash == plain.foldHash)
        let found = problems(model: goodModel + "unknown: parc\n")
        #expect(found.count == 1 && found.first?.description.contains("did you mean \"park\"") == true, "\(found)")
    }
}
