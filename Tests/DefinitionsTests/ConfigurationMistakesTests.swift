import Testing

@testable import Definitions

@Suite struct ConfigurationMistakesTests {
    static let settings = [
        Mistake("redis: { url: rediss://h:1 }", 2, 15, "Let a tunnel on this machine do it"),
        Mistake("redis: { urll: x }", 2, 10, "unknown key \"urll\" — did you mean \"url\"?"),
        Mistake("redis:", 2, 7, "redis: must be a map with url, found nothing"),
        Mistake("mongodb: { url: \"mongodb://h/?w=1\" }", 2, 17, "w other than majority"),
        Mistake("mongodb: { database: a.b }", 2, 22, "database: \"a.b\" must not hold the character \".\""),
        Mistake("mongodb: { database: local }", 2, 22, "must not be one of MongoDB's own databases"),
        Mistake("mongodb: { database: \(String(repeating: "a", count: 64)) }", 2, 22, "must have 1 to 63 bytes"),
        Mistake("mongodb: { database: \"\" }", 2, 22, "database: must not be empty"),
        Mistake("mongodb: { database: 5 }", 2, 22, "database: must be a string, found 5 — quote it"),
        Mistake("lease: 10", 2, 8, "lease: must be a duration from 1s to 10m, found 10 — write a whole number and ms, s, m, h or d"),
        Mistake("lease: 900ms", 2, 8, "lease: must be a duration from 1s to 10m, found 900ms"),
        Mistake("lease: 1.5s", 2, 8, "found \"1.5s\""),
        Mistake("lease: 11m", 2, 8, "lease: must be a duration from 1s to 10m, found 11m"),
        Mistake("runs: { keep: 1h }", 2, 15, "keep: must be a duration from 1d to 3650d, found 1h"),
        Mistake("health: { listen: 9090 }", 2, 19, "listen: must be a string, found 9090"),
        Mistake("api: { listen: localhost }", 2, 16, "listen: \"localhost\" is no address"),
        Mistake("api: { port: 80 }", 2, 8, "unknown key \"port\""),
        Mistake("api: { rate: 0 }", 2, 14, "rate: must be an integer from 1 to 10000000, found 0"),
        Mistake("api: { concurrency: many }", 2, 21, "concurrency: must be an integer from 1 to 100000, found \"many\""),
        Mistake("api: { deadline: 1ms }", 2, 18, "deadline: must be a duration from 100ms to 1m, found 1ms"),
        Mistake("api: { connections: 0 }", 2, 21, "connections: must be an integer from 1 to 1000000, found 0"),
        Mistake("health: { listen: localhost }", 2, 19, "listen: \"localhost\" is no address — write one such as 127.0.0.1:9090, or off"),
        Mistake("health: { listen: \"::1:9090\" }", 2, 19, "\"::1:9090\" is no address"),
        Mistake("health: { listen: \"h:70000\" }", 2, 19, "\"h:70000\" is no address"),
        Mistake("runs: { kep: 30d }", 2, 9, "unknown key \"kep\" — did you mean \"keep\"?"),
        Mistake("lease: -10s", 2, 8, "found \"-10s\""),
        Mistake("mongodb: { url: \"mongodb://h/?retrywrite=true\" }", 2, 17, "\"retrywrite\" is not known — did you mean \"retryWrites\"?"),
        Mistake("mongodb: { url: 5 }", 2, 17, "url: must be a string, found 5"),
        Mistake("redis: { url: \"\" }", 2, 15, "url: must not be empty"),
        Mistake("redis: { url: redis://h:70000 }", 2, 15, "the port must be a number from 1 to 65535"),
        Mistake("redis: { url: \"redis://::1:6379\" }", 2, 15, "an IPv6 address is written in brackets"),
        Mistake("redis: [ redis://h ]", 2, 8, "redis: must be a map with url, found a list"),
        Mistake("leas: 10s", 2, 1, "unknown key \"leas\" — did you mean \"lease\"?"),
    ]

    @Test(arguments: settings)
    func `mistakes in the settings are found where they are`(mistake: Mistake) throws {
        try expect(mistake, "version: 1\n\(mistake.source)\nstreams: { product: {} }\n")
    }

    static let streams = [
        Mistake("product: { partitons: 4 }", 3, 14, "unknown key \"partitons\" — did you mean \"partitions\"?"),
        Mistake("product: { partitions: 0 }", 3, 26, "partitions: must be an integer from 1 to 4096, found 0"),
        Mistake("product: { partitions: -1 }", 3, 26, "from 1 to 4096, found -1"),
        Mistake("product: { partitions: 4097 }", 3, 26, "from 1 to 4096, found 4097"),
        Mistake("product: { partitions: 1e3 }", 3, 26, "from 1 to 4096, found 1e3"),
        Mistake("product: { partitions: yes }", 3, 26, "from 1 to 4096, found \"yes\""),
        Mistake("product: { maxEventBytes: 8MiB }", 3, 29, "must be a size from 1KiB to 4MiB, found 8MiB"),
        Mistake("product: { maxEventBytes: -1 }", 3, 29, "must be a size from 1KiB to 4MiB, found -1"),
        Mistake("product: { dedupe: { window: 31d } }", 3, 32, "window: must be a duration from 1s to 30d, found 31d"),
        Mistake("product: { dedupe: { window: soon } }", 3, 32, "found \"soon\""),
        Mistake("product: { partitions: 1.5 }", 3, 26, "found 1.5"),
        Mistake("product: { partitions: four }", 3, 26, "found \"four\""),
        Mistake("product: { partitions: }", 3, 26, "found nothing"),
        Mistake("product: { partitions: [ 1 ] }", 3, 26, "found a list"),
        Mistake("product: { list: {product} }", 3, 20, "unquoted braces are a map: write list: \"events:{product}\""),
        Mistake("product: { list: \"\" }", 3, 20, "list: must not be empty"),
        Mistake("product: { list: \"a\\tb\" }", 3, 20, "no control characters"),
        Mistake("product: { format: cloudevent }", 3, 22, "unknown format \"cloudevent\" — did you mean \"cloudevents\"?"),
        Mistake("product: { format: avro }", 3, 22, "unknown format \"avro\" — there is native, cloudevents and debezium, or a map of JSON pointers"),
        Mistake("product: { format: [ native ] }", 3, 22, "format: must be native, cloudevents, debezium or a map of JSON pointers, found a list"),
        Mistake("product: { format: { eventId: /id, eventType: /t, key: /k, dat: /d } }", 3, 62, "unknown key \"dat\" — did you mean \"data\"?"),
        Mistake("product: { format: { eventId: /id, key: /k } }", 3, 22, "eventType: is missing"),
        Mistake("product: { format: { eventId: /id, eventType: /t } }", 3, 22, "key: is missing"),
        Mistake("product: { format: { eventId: id, eventType: /t, key: /k } }", 3, 33, "eventId: \"id\" is no JSON pointer — such as /meta/id"),
        Mistake("product: { format: { eventId: /a~2, eventType: /t, key: /k } }", 3, 33, "eventId: \"/a~2\" is no JSON pointer"),
        Mistake("product: { outbox: events }", 3, 22, "outbox: needs format: debezium"),
        Mistake("product: { format: native, keys: { a: $row.id } }", 3, 36, "keys: needs format: debezium"),
        Mistake("product: { format: debezium, key: $row.id, keys: { a: $row.id } }", 3, 52, "keys: and key: exclude each other"),
        Mistake("product: { format: debezium, keys: $row.id }", 3, 38, "keys: must be a map of tables and paths, found \"$row.id\""),
        Mistake(
            "product: { format: debezium, keys: { a: row.id } }", 3, 43, "keys: must be a path into the event, found \"row.id\" — did you mean \"$row.id\"?"),
        Mistake("product: { format: debezium, keys: { a: $rwo.id } }", 3, 43, "did you mean \"$row.id\"?"),
        Mistake("product: { format: debezium, outbox: \"\" }", 3, 40, "outbox: must not be empty"),
        Mistake("product: { types: [ date ] }", 3, 21, "types: must be a map of paths and types, found a list"),
        Mistake("product: { types: { data.at: dat } }", 3, 32, "unknown type \"dat\" — did you mean \"date\"?"),
        Mistake("product: { types: { occurredAt: decimal } }", 3, 35, "occurredAt is a time, and no decimal"),
        Mistake("product: { types: { at: date } }", 3, 23, "\"at\" is no path into $data or $row, and not occurredAt — did you mean \"data.at\"?"),
        Mistake("product: { types: { data: date } }", 3, 23, "\"data\" is no path into $data or $row"),
        Mistake("product: { types: { data..at: date } }", 3, 23, "\"data..at\" has an empty part"),
        Mistake("product: { types: { data.a: date, data.a.b: date } }", 3, 37, "\"data.a.b\" leads into a value that has a type"),
        Mistake("product: { key: data.id }", 3, 19, "key: must be a path into the event, found \"data.id\" — did you mean \"$data.id\"?"),
        Mistake("product: { key: id }", 3, 19, "such as $data.flightId"),
        Mistake("product: { key: $$doc.id }", 3, 19, "key: must be a path into the event"),
        Mistake("product: { key: $dta.id }", 3, 19, "did you mean \"$data.id\"?"),
        Mistake("product: { key: $data..id }", 3, 19, "has an empty part"),
        Mistake("product: { dedupe: { window: 500ms } }", 3, 32, "window: must be a duration from 1s to 30d, found 500ms"),
        Mistake("product: { dedupe: { events: 0 } }", 3, 32, "events: must be an integer from 1 to 50000000, found 0"),
        Mistake("product: { dedupe: 1h }", 3, 22, "dedupe: must be a map with window and events, found \"1h\""),
        Mistake("product: { chunk: { events: 20001 } }", 3, 31, "from 1 to 20000, found 20001"),
        Mistake("product: { chunk: { bytes: 7MiB } }", 3, 30, "bytes: must be a size from 64KiB to 6MiB, found 7MiB"),
        Mistake("product: { chunk: { bytes: 4Mb } }", 3, 30, "found \"4Mb\" — write bytes, or a whole number and KiB, MiB, kB or MB"),
        Mistake("product: { maxEventBytes: 99999999999999999999MiB }", 3, 29, "must be a size from 1KiB to 4MiB"),
        Mistake("1product: {}", 3, 3, "\"1product\" cannot be the name of a stream"),
        Mistake(
            "product: 5", 3, 12,
            "stream product must be a map with list, partitions, format, key, keys, outbox, types, dedupe, chunk, maxEventBytes, log, upcast and schemaVersions, found 5"
        ),
        Mistake("product: {}\n  other: { list: \"events:{product}\" }", 4, 18, "stream other would use the key \"events:{product}\" of Redis"),
        Mistake("product: {}\n  other: { list: \"events:{product}:segment\" }", 4, 18, "which stream product uses already"),
        Mistake("product: { partitions: 4 }\n  other: { list: \"events:{product.3}\" }", 4, 18, "which stream product uses already"),
        Mistake("product.3: {}", 3, 3, "cannot be the name of a stream"),
    ]

    @Test(arguments: streams)
    func `mistakes in a stream are found where they are`(mistake: Mistake) throws {
        try expect(mistake, "version: 1\nstreams:\n  \(mistake.source)\n")
    }

    static let files = [
        Mistake("version: 1\n", 1, 1, "streams: is missing"),
        Mistake("version: 1\nstreams: {}\n", 2, 10, "streams: must be a map with at least one stream, found an empty map"),
        Mistake("version: 1\nstreams: [ product ]\n", 2, 10, "found a list"),
        Mistake("", nil, nil, "is empty"),
        Mistake("version: 7\n", 1, 10, "the file is of version 7"),
        Mistake("hello\n", 1, 1, "millrace.yaml must be a map with version, redis, mongodb, lease, runs, health, api and streams, found \"hello\""),
    ]

    @Test(arguments: files)
    func `mistakes in the file are found where they are`(mistake: Mistake) throws {
        try expect(mistake, mistake.source)
    }

    private func expect(_ mistake: Mistake, _ source: String) throws {
        let findings = Findings(file: "millrace.yaml")
        let settings = ConfigurationReader(findings: findings, environment: [:]).read(source)
        let problem = try #require(findings.problems.first)
        #expect(settings.problems.isEmpty)
        #expect(findings.problems.count == 1, "\(findings.problems)")
        #expect(problem.description.contains(mistake.fragment), "\(problem)")
        #expect((problem.line, problem.column) == (mistake.line, mistake.column), "\(problem)")
    }
}
