import Audit
import EventStore
import FoundationEssentials
import Kernel
import Subprocess
import SystemPackage
import Testing

/// A log in a folder of its own, as auditors are given it, and the programs that check it.
struct Export {
    /// The path from the root of a script or a program of `Tests/Verifiers`.
    static let verifiers =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/Verifiers"

    /// Whether this is the full run, with Go.
    static let full = ProcessInfo.processInfo.environment["SIGNALBOX_VERIFIERS"] == "full"

    let folder =
        FileManager.default.temporaryDirectory.path(percentEncoded: false)
        + "signalbox-verifiers-\(IDSource.system.unique())"
    let key: SigningKey
    let entries: [[UInt8]]
    let leaves: [Hash]
    let tiles: MemoryTiles

    /// Writes checkpoint, tiles and entries of a log of so many events.
    init(size: Int64) async throws {
        key = try SigningKey(generatedFor: "signalbox.test/log")
        entries = (1...size).map { Leaf(.example(position: $0), payloadHash: [UInt8](repeating: 9, count: 32)).entry }
        leaves = entries.map { Hash.leaf($0) }
        tiles = MemoryTiles(leaves)
        for tile in Tile.all(in: size) { try write(try await tiles.read(tile), to: tile.path) }
        for bundle in EntryTile.all(in: size) {
            let some = bundle.indices.map { entries[Int($0)] }
            try write(EntryBundle.bytes(some), to: bundle.path)
        }
        try write(Array(try await checkpoint(of: size).encoded.utf8), to: "checkpoint")
    }

    func checkpoint(of size: Int64) async throws -> SignedNote {
        let root = try await MerkleTree(size: size, reading: tiles).root()
        return try Checkpoint(origin: "signalbox.test/log", size: size, root: root).signed(by: [key])
    }

    /// The path of a file with a proof that an entry is in the log.
    func proof(of index: Int64) async throws -> String {
        let size = Int64(entries.count)
        let inclusion = try await MerkleTree(size: size, reading: tiles).inclusion(of: index)
        let proof = LogProof(inclusion, in: try await checkpoint(of: size), extra: entries[Int(index)])
        return try write(Array(proof.encoded.utf8), to: "\(index).tlog-proof")
    }

    /// The paths of an old checkpoint and of a proof that the log only grew since.
    func growth(since old: Int64) async throws -> [String] {
        let size = Int64(entries.count)
        let consistency = try await MerkleTree(size: size, reading: tiles).consistency(from: old)
        let proof = GrowthProof(consistency, in: try await checkpoint(of: size))
        return [
            try write(Array(try await checkpoint(of: old).encoded.utf8), to: "checkpoint-\(old)"),
            try write(Array(proof.encoded.utf8), to: "growth-\(old)"),
        ]
    }

    @discardableResult
    func write(_ bytes: [UInt8], to path: String) throws -> String {
        let url = URL(filePath: folder + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path(percentEncoded: false)
    }

    /// Changes one bit of a file; done a second time, it is as it was.
    func flip(bit: Int, of path: String) throws {
        let url = URL(filePath: path.hasPrefix("/") ? path : folder + "/" + path)
        try Data(Array(Data(contentsOf: url)).flipped(bit: bit)).write(to: url)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs `verify_log.py` with the key of this log.
    func python(_ arguments: [String]) async throws -> (verified: Bool, output: String) {
        try await Self.run(.name("python3"), [Self.verifiers + "/verify_log.py", key.verifier.description] + arguments)
    }

    /// Compiles `verify_log.go` against the sumdb of Debian's Go.
    func compileGo() async throws -> FilePath {
        let result = try await Self.run(
            .name("go"),
            ["build", "-o", folder + "/verify_log", Self.verifiers + "/verify_log.go"],
            .inherit.updating([
                "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": folder + "/go-cache", "GOFLAGS": "",
            ])
        )
        try #require(result.verified, "\(result.output)")
        return FilePath(folder + "/verify_log")
    }

    static func run(
        _ program: Executable,
        _ arguments: [String],
        _ environment: Environment = .inherit
    ) async throws -> (verified: Bool, output: String) {
        let result = try await Subprocess.run(
            program,
            arguments: Arguments(arguments),
            environment: environment,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        let output = (result.standardOutput) + (result.standardError)
        return (result.terminationStatus == .exited(0), output)
    }
}
