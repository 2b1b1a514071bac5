// swift-tools-version: 6.2
import PackageDescription

/// The settings every target of the house shares.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335: `any` is visible
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409: imports do not leak
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444: no members through neighbours
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461: async helpers stay on the caller's executor
    .treatAllWarnings(as: .error),  // SE-0480: applies to our targets only
]

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncAlgorithms = product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPCompression = product(name: "NIOHTTPCompression", package: "swift-nio-extras")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let system = product(name: "SystemPackage", package: "swift-system")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

extension Target {
    /// One floor of the house: its own name, who it may import, the settings all of them share.
    static func floor(
        _ name: String,
        _ dependencies: [Target.Dependency] = [],
        _ more: [SwiftSetting] = []
    ) -> Target {
        target(name: name, dependencies: dependencies, swiftSettings: house + more)
    }

    static func tests(
        _ name: String,
        _ dependencies: [Target.Dependency],
        exclude: [String] = []
    ) -> Target {
        testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: house)
    }
}

/// Built only when asked for (`make bench`), so that no other build pays for them.
let benchmarks: [Target] =
    Context.environment["SIGNALBOX_BENCHMARKS"] == nil
    ? []
    : [
        .target(
            name: "BenchmarkKit",
            dependencies: ["Postgres", "SignalboxTestKit", .subprocess, .system],
            path: "Benchmarks/Kit",
            swiftSettings: house
        ),
        .executableTarget(
            name: "LogBenchmark",
            dependencies: [
                "BenchmarkKit", "EventStore", "Kernel", "Postgres", "Projections", "SignalboxTestKit", .argumentParser,
                .logging, .subprocess, .system,
            ],
            path: "Benchmarks/Log",
            swiftSettings: house
        ),
        .executableTarget(
            name: "SagaBenchmark",
            dependencies: [
                "BenchmarkKit", "Domain", "EventStore", "Kernel", "Platform", "Postgres", "Sagas", "SignalboxTestKit",
                .argumentParser, .logging,
            ],
            path: "Benchmarks/Sagas",
            swiftSettings: house
        ),
        .executableTarget(
            name: "BareServer",
            dependencies: [.hummingbird],
            path: "Benchmarks/HTTP/Bare",
            swiftSettings: house
        ),
    ]

let package = Package(
    name: "signalbox",
    products: [.executable(name: "signalbox", targets: ["signalbox"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // Floor 0
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CAssets"),
        // Floor 1
        .floor("Kernel"),
        .floor("Postgres", ["CLibPQ", "Kernel", .logging, .metrics]),
        // Floor 2
        .floor("Domain", ["Kernel"]),
        .floor("EventStore", ["Kernel", "Postgres", "CAssets", .crypto, .logging, .metrics]),
        .floor("Platform", ["Kernel"]),
        // Floor 3
        .floor("Commands", ["Kernel", "Domain", "EventStore", .crypto]),
        .floor("Projections", ["Kernel", "Domain", "EventStore", "Postgres", .logging, .metrics]),
        .floor("Audit", ["Kernel", "EventStore", "Postgres", .crypto, .logging, .metrics]),
        // Floor 4
        .floor(
            "Sagas",
            ["Kernel", "Domain", "EventStore", "Commands", "Platform", "Postgres", .crypto, .logging, .metrics]
        ),
        .floor(
            "Webhooks",
            ["Kernel", "Domain", "EventStore", "Commands", "Postgres", .crypto, .logging, .metrics]
        ),
        .floor(
            "Adapters",
            [
                "Kernel", "Platform", "Postgres", .asyncHTTPClient, .nioCore, .nioHTTP1, .nioPosix, .crypto,
                .cryptoExtras, .subprocess, .system,
                .logging,
            ]
        ),
        .floor(
            "DevPlane",
            [
                "Kernel", "Platform", "Postgres", .hummingbird, .httpTypes, .nioCore, .subprocess, .system, .logging,
                .serviceLifecycle,
            ]
        ),
        // Floor 5
        .floor(
            "Server",
            [
                "CZlib", "Kernel", "Domain", "Commands", "Projections", "Sagas", "Audit", "Platform", .hummingbird,
                .hummingbirdCore, .httpTypes, .nioCore, .nioHTTPTypes, .asyncAlgorithms, .crypto, .cryptoExtras,
                .logging, .metrics,
                .serviceLifecycle,
            ],
            // Swift 6.3.1 makes async functions of it wrongly with -O: docs/decisions/0006-server-without-optimisation.md.
            [.unsafeFlags(["-Onone"], .when(configuration: .release))]
        ),
        // Floor 6
        .executableTarget(
            name: "signalbox",
            dependencies: [
                "Kernel", "Postgres", "Domain", "EventStore", "Platform", "Commands", "Projections", "Audit", "Sagas",
                "Webhooks", "Adapters", "DevPlane", "Server", "CAssets", .metrics, .argumentParser, .asyncHTTPClient,
                .serviceLifecycle,
                .unixSignals, .subprocess, .system, .logging, .yams, .nioCore, .nioHTTP1, .crypto,
            ],
            swiftSettings: house
        ),
        // Tests
        .target(
            name: "SignalboxTestKit",
            dependencies: [
                "Kernel", "Postgres", "Domain", "EventStore", "Platform", "Commands", .subprocess, .logging,
            ],
            exclude: ["Simulator"],
            swiftSettings: house
        ),
        // Apart, so that not every test is built again when a saga changes.
        .target(
            name: "SagaSimulator",
            dependencies: [
                "Kernel", "Domain", "EventStore", "Platform", "Commands", "Sagas", "SignalboxTestKit", .logging,
            ],
            path: "Sources/SignalboxTestKit/Simulator",
            swiftSettings: house
        ),
        .tests("KernelTests", ["Kernel", "SignalboxTestKit"]),
        .tests("PostgresTests", ["Postgres", "SignalboxTestKit", .logging]),
        .tests("DomainTests", ["Domain", "Kernel", "SignalboxTestKit", .crypto, .yams]),
        .tests("EventStoreTests", ["EventStore", "Kernel", "Postgres", "SignalboxTestKit"]),
        .tests("CommandsTests", ["Commands", "Domain", "EventStore", "Kernel", "Postgres", "SignalboxTestKit"]),
        .target(name: "TestAssets", path: "Tests/TestAssets"),
        .tests(
            "ProjectionsTests",
            [
                "Projections", "Domain", "EventStore", "Kernel", "Postgres", "SignalboxTestKit", "TestAssets", .logging,
            ],
            exclude: ["Added/renames.v1.sql"]
        ),
        .tests(
            "AuditTests",
            ["Audit", "EventStore", "Kernel", "Postgres", "SignalboxTestKit", .logging, .subprocess, .system]
        ),
        .tests(
            "SagasTests",
            [
                "Sagas", "Commands", "Domain", "EventStore", "Kernel", "Platform", "Postgres", "SagaSimulator",
                "SignalboxTestKit", .crypto,
            ]
        ),
        .tests(
            "WebhooksTests",
            ["Webhooks", "Commands", "Domain", "EventStore", "Kernel", "Postgres", "SignalboxTestKit"]
        ),
        .tests(
            "AdaptersTests",
            [
                "Adapters", "DevPlane", "Platform", "Kernel", "Postgres", "SignalboxTestKit", .hummingbird, .httpTypes,
                .nioCore, .asyncHTTPClient, .yams, .logging, .crypto,
            ]
        ),
        .tests(
            "DevPlaneTests",
            [
                "DevPlane", "Platform", "Kernel", "Postgres", "SignalboxTestKit", .asyncHTTPClient, .nioCore,
                .nioHTTP1,
                .subprocess,
                .logging,
                .serviceLifecycle,
            ]
        ),
        .tests(
            "ServerTests",
            [
                "Server", "Commands", "Projections", "Sagas", "Audit", "Domain", "EventStore", "Kernel", "Platform",
                "Postgres", "SignalboxTestKit", .asyncHTTPClient, .hummingbirdTesting, .hummingbird, .httpTypes,
                .nioCore, .nioEmbedded, .nioHTTPCompression, .nioHTTPTypes, .nioPosix, .nioHTTP1, .crypto,
                .cryptoExtras, .logging, .metrics,
                .serviceLifecycle,
            ]
        ),
        .tests(
            "ScenarioTests",
            [
                "signalbox", "Commands", "Kernel", "Platform", "Postgres", "EventStore", "SignalboxTestKit",
                .asyncHTTPClient, .hummingbird, .httpTypes, .crypto,
                .nioCore, .nioHTTP1,
                .subprocess, .system, .logging,
            ]
        ),
        .executableTarget(
            name: "LogWorker",
            dependencies: ["EventStore", "Kernel", "Postgres"],
            path: "Tests/LogWorker",
            swiftSettings: house
        ),
        .executableTarget(
            name: "SagaWorker",
            dependencies: [
                "Adapters", "Commands", "EventStore", "Kernel", "Platform", "Postgres", "Sagas", .asyncHTTPClient,
                .logging, .unixSignals,
            ],
            path: "Tests/SagaWorker",
            swiftSettings: house
        ),
        .executableTarget(
            name: "ProjectionWorker",
            dependencies: ["EventStore", "Kernel", "Postgres", "Projections", .logging],
            path: "Tests/ProjectionWorker",
            swiftSettings: house
        ),
        .tests(
            "TortureTests",
            [
                "LogWorker", "ProjectionWorker", "SagaWorker", "Adapters", "Commands", "DevPlane", "Domain",
                "EventStore", "Kernel", "Platform", "Postgres", "Projections", "SagaSimulator", "Sagas",
                "SignalboxTestKit", .asyncHTTPClient, .logging, .subprocess, .system,
            ]
        ),
        .tests("HouseTests", ["SignalboxTestKit"]),
    ] + benchmarks,
    cLanguageStandard: .c2x
)
