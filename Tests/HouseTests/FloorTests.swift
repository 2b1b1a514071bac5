import Testing

/// The floors of docs/architecture.md, held against the `import` lines.
@Suite("Floors")
struct FloorTests {
    /// Who may import which of our own targets.
    static let floors: [String: Set<String>] = [
        "CAssets": [],
        "CLibPQ": [],
        "CZlib": [],
        "Kernel": [],
        "Postgres": ["CLibPQ", "Kernel"],
        "Domain": ["Kernel"],
        "EventStore": ["CAssets", "Kernel", "Postgres"],
        "Platform": ["Kernel"],
        "Commands": ["Kernel", "Domain", "EventStore"],
        "Projections": ["Kernel", "Domain", "EventStore", "Postgres"],
        "Audit": ["Kernel", "EventStore", "Postgres"],
        "Sagas": ["Kernel", "Domain", "EventStore", "Commands", "Platform", "Postgres"],
        "Webhooks": ["Kernel", "Domain", "EventStore", "Commands", "Postgres"],
        "Adapters": ["Kernel", "Platform", "Postgres"],
        "DevPlane": ["Kernel", "Platform", "Postgres"],
        "Server": ["Kernel", "Domain", "Commands", "Projections", "Sagas", "Audit", "Platform", "CAssets", "CZlib"],
    ]

    /// Which packages from outside decide a floor, beside those that are free everywhere.
    static let packages: [String: Set<String>] = [
        "Adapters": [
            "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOPosix", "HTTPTypes", "CryptoExtras", "Subprocess",
            "SystemPackage",
        ],
        "DevPlane": [
            "Hummingbird", "NIOCore", "NIOHTTP1", "HTTPTypes", "Subprocess", "SystemPackage", "AsyncHTTPClient",
        ],
        "Server": [
            "Hummingbird", "HummingbirdCore", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "HTTPTypes", "CryptoExtras",
        ],
    ]

    /// Free on floors 1 to 6, but not in Kernel and Domain.
    static let free: Set<String> = [
        "Logging", "Metrics", "Tracing", "Crypto", "Synchronization", "DequeModule", "AsyncAlgorithms",
        "ServiceLifecycle", "FoundationEssentials", "Glibc",
    ]

    @Test("a target imports what its floor may and nothing else", arguments: floors.keys.sorted())
    func imports(target: String) throws {
        var allowed = Self.floors[target, default: []]
        allowed.formUnion(Self.packages[target, default: []])
        allowed.formUnion(["Kernel", "Domain"].contains(target) ? ["FoundationEssentials"] : Self.free)
        for (path, module) in try Self.imports(below: "Sources/" + target) where !allowed.contains(module) {
            Issue.record("\(path) imports \(module)")
        }
    }

    @Test("the simulator knows sagas and ports, not what implements them")
    func simulator() throws {
        let allowed: Set = ["Kernel", "Domain", "EventStore", "Platform", "Commands", "Sagas", "SignalboxTestKit"]
        for (path, module) in try Self.imports(below: "Sources/SignalboxTestKit/Simulator")
        where !allowed.union(Self.free).contains(module) {
            Issue.record("\(path) imports \(module)")
        }
    }

    @Test("every folder of Sources has its floor")
    func known() {
        let folders = Set(Repository.files(below: "Sources").map { String($0.split(separator: "/")[1]) })
        #expect(folders == Set(Self.floors.keys).union(["signalbox", "SignalboxTestKit"]))
    }

    @Test("nobody links all of Foundation: it costs every process 8 MB and its start")
    func foundation() throws {
        for (path, module) in try Self.imports(below: "Sources") where module == "Foundation" {
            Issue.record("\(path) imports Foundation")
        }
    }

    @Test("YAML is read in the executable alone")
    func yaml() throws {
        for (path, module) in try Self.imports(below: "Sources") where module == "Yams" {
            #expect(path.hasPrefix("Sources/signalbox/"))
        }
    }

    @Test("the guard itself sees an import")
    func sees() {
        #expect(Self.module(of: "package import struct Kernel.Timestamp") == "Kernel")
        #expect(Self.module(of: "@testable import Sagas") == "Sagas")
        #expect(Self.module(of: "internal import CLibPQ") == "CLibPQ")
        #expect(Self.module(of: "let x = 1") == nil)
    }

    static func imports(below folder: String) throws -> [(path: String, module: String)] {
        try Repository.files(below: folder, ending: ".swift").flatMap { path in
            try Repository.text(path).split(separator: "\n").compactMap { line in
                module(of: line).map { (path, $0) }
            }
        }
    }

    private static func module(of line: some StringProtocol) -> String? {
        var words = String(line).split(separator: " ").map(String.init)
        let prefixes: Set = ["package", "internal", "private", "public", "fileprivate", "@testable", "@preconcurrency"]
        while let first = words.first, prefixes.contains(first) { words.removeFirst() }
        guard words.first == "import", words.count > 1 else { return nil }
        let kinds: Set = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
        let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
        return name.split(separator: ".").first.map(String.init)
    }
}
