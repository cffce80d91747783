// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: existentials are spelt out, and a module is used only where it is imported.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Of a lookup's path: what is asynchronous goes on where its caller is, instead of asking the executor anew at every call and return.
let lookups: [SwiftSetting] = strict + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// The pure targets on the hot path: what they export is optimised where it is used, too.
let hot: [SwiftSetting] = strict + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

/// The readers of what others wrote, which `scripts/test --fuzz` builds with libFuzzer's instruments.
let isFuzzing = Context.environment["MILLRACE_FUZZ"] != nil
let fuzzed: Set = ["Values", "Events", "Models", "Definitions", "RedisAddress", "Schedules", "fuzz"]

/// The hot path (decode, fold, encode) is optimised across files in release builds, and debug builds carry the
/// named crash points that the tests kill the worker at.
let package = Package(
    name: "millrace",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "millrace", targets: ["millrace"]),
        // For tests alone: loaded into workers whose clocks are to be wrong.
        .library(name: "WrongClock", type: .dynamic, targets: ["WrongClock"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // System libraries and shims. Each is imported by exactly one Swift target.
        .systemLibrary(name: "CDecimal"),
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CMongoC", pkgConfig: "libmongoc-1.0"),
        .systemLibrary(name: "CRegex"),
        .systemLibrary(name: "CScheduler"),
        .systemLibrary(name: "CZstd"),
        .target(name: "CMongoShim", dependencies: ["CMongoC"]),
        .target(name: "CJSON", cxxSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("simdjson")]),

        // Pure: no I/O, no store.
        .target(name: "Values", dependencies: ["CDecimal", "CJSON"], swiftSettings: hot),
        .target(name: "Events", dependencies: ["Values", "CZstd"], swiftSettings: hot),
        .target(name: "Models", dependencies: ["CRegex", "Values", "Events"], swiftSettings: hot),
        .target(name: "Projector", dependencies: ["Values", "Events", "Models", .product(name: "Logging", package: "swift-log")], swiftSettings: strict),

        .target(name: "Schedules", dependencies: ["Values", "Models"], swiftSettings: strict),
        .target(name: "RedisAddress", dependencies: ["Events"], swiftSettings: strict),

        // Configuration.
        .target(name: "Definitions", dependencies: ["Values", "Events", "Models", "Projector", "RedisAddress", "Schedules", "Yams"], swiftSettings: strict),

        // Stores, behind the protocols of Projector.
        .target(name: "Threads", dependencies: ["CScheduler"], swiftSettings: strict),
        .target(
            name: "Reads", dependencies: ["Events", "Models", "Projector", "Values", .product(name: "Crypto", package: "swift-crypto")], swiftSettings: lookups),
        .target(name: "RedisBuffer", dependencies: ["CHiredis", "Threads", "Events", "Projector", "RedisAddress"], swiftSettings: strict),
        .target(
            name: "MongoStore",
            dependencies: ["CMongoShim", "Threads", "Values", "Events", "Models", "Projector", "Reads", "Schedules", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),

        // What runs.
        .target(
            name: "Jobs",
            dependencies: [
                "Projector", "Events", "Models", "Schedules", "Threads", "Values",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Health",
            dependencies: [
                "Events", "Projector",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "ReadAPI",
            dependencies: [
                "Events", "Health", "Models", "Projector", "Reads", "Threads", "Values",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: lookups
        ),
        .target(name: "Sandbox", dependencies: ["Events", "MongoStore", "RedisAddress", "RedisBuffer", "Values"], swiftSettings: strict),
        .executableTarget(
            name: "millrace",
            dependencies: [
                "CMalloc", "Definitions", "Events", "Health", "Jobs", "Models", "MongoStore", "Projector", "ReadAPI", "Reads", "RedisAddress",
                "RedisBuffer", "Sandbox", "Schedules", "Values",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // For benchmarks alone: a server that answers nothing, a plain cursor, and the fold without servers.
        .executableTarget(
            name: "bare-bench",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird"), .product(name: "Logging", package: "swift-log")], path: "bench/bare",
            swiftSettings: strict
        ),
        .executableTarget(name: "cursor-bench", dependencies: ["CMongoC"], path: "bench/cursor"),
        .executableTarget(name: "fold-bench", dependencies: ["Definitions", "Events", "Models", "Values"], path: "bench/fold", swiftSettings: strict),

        // What tests of several targets share: seeds, random values, events and logs made of them, servers to read from, and bad networks.
        .target(name: "Fixtures", dependencies: ["Values"], path: "Tests/Fixtures", swiftSettings: strict),
        .target(name: "EventFixtures", dependencies: ["Events", "Fixtures", "Values"], path: "Tests/EventFixtures", swiftSettings: strict),
        .target(name: "ReadFixtures", dependencies: ["Reads", "Models", "Projector", "Events", "Values"], path: "Tests/ReadFixtures", swiftSettings: strict),
        .target(name: "WrongClock", path: "Tests/WrongClock"),
        .target(name: "BadNetwork", path: "Tests/BadNetwork", swiftSettings: strict),
        .testTarget(name: "ValuesTests", dependencies: ["Values", "Fixtures"], swiftSettings: strict),
        .testTarget(name: "EventsTests", dependencies: ["Events", "EventFixtures", "Fixtures", "Values"], swiftSettings: strict),
        .testTarget(name: "ModelsTests", dependencies: ["Models", "Events", "EventFixtures", "Fixtures", "Values"], swiftSettings: strict),
        .testTarget(name: "SchedulesTests", dependencies: ["Schedules", "Models", "Fixtures", "Values"], swiftSettings: strict),
        .testTarget(name: "HealthTests", dependencies: ["Health", "Projector", "Values", "Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ReadsTests", dependencies: ["Reads", "ReadFixtures", "Models", "Projector", "Events", "Values", "Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ReadAPITests",
            dependencies: [
                "ReadAPI", "ReadFixtures", "Reads", "Models", "Projector", "Events", "Values",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "JobsTests", dependencies: ["Jobs", "Projector", "Events"], swiftSettings: strict),
        .testTarget(name: "RedisAddressTests", dependencies: ["RedisAddress", "Events"], swiftSettings: strict),
        .testTarget(
            name: "DefinitionsTests", dependencies: ["Definitions", "Models", "Projector", "Schedules", "Events", "EventFixtures", "Fixtures", "Values"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RedisBufferTests", dependencies: ["RedisBuffer", "RedisAddress", "Threads", "Events", "Projector", "Values"], swiftSettings: strict),
        .testTarget(
            name: "MongoStoreTests",
            dependencies: ["MongoStore", "Projector", "Schedules", "Models", "Events", "EventFixtures", "Fixtures", "BadNetwork", "Values"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DifferentialTests", dependencies: ["Definitions", "Models", "MongoStore", "Events", "EventFixtures", "Fixtures", "Values"],
            path: "Tests/Differential", swiftSettings: strict
        ),
        .testTarget(
            name: "ProjectorTests",
            dependencies: ["Projector", "Models", "Events", "EventFixtures", "Fixtures", "Values", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: ["MongoStore", "Events", "EventFixtures", "Fixtures", "Values", .product(name: "JWTKit", package: "jwt-kit")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: ["Sandbox", "MongoStore", "RedisAddress", "RedisBuffer", "Projector", "BadNetwork", "Threads", "Events", "Fixtures", "Values"],
            path: "Tests/Faults", exclude: ["config"], swiftSettings: strict
        ),
        .testTarget(
            name: "FuzzTests", dependencies: ["Definitions", "Models", "Events", "EventFixtures", "Fixtures", "Values"], path: "Tests/Fuzz",
            exclude: ["corpus", "Driver"], swiftSettings: strict
        ),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "MongoStore", "RedisAddress", "RedisBuffer", "Projector", "Events", "Values"], swiftSettings: strict
        ),
    ],
    cxxLanguageStandard: .cxx17
)

if isFuzzing {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["Definitions", "Models", "Events", "EventFixtures", "Fixtures", "Values"], path: "Tests/Fuzz",
            exclude: ["corpus", "FuzzTests.swift", "Mutator.swift"], sources: ["Driver", "Targets"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]
        )
    )
    package.targets.removeAll { $0.name == "FuzzTests" }
    for target in package.targets {
        if fuzzed.contains(target.name) {
            target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library", "-enable-testing"])]
        }
        if target.name == "CJSON" { target.cxxSettings = (target.cxxSettings ?? []) + [.unsafeFlags(["-fsanitize=fuzzer-no-link"])] }
    }
}
