import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@Suite("Master keys")
struct MasterKeysTests {
    private static let good = (0..<32).map { UInt8(($0 * 37 + 11) % 256) }

    @Test("keys that are missing, short or out of a manual are refused")
    func refused() {
        #expect(throws: MasterKeys.Problem.missing) { try MasterKeys([:]) }
        #expect(throws: MasterKeys.Problem.short(version: 1)) { try MasterKeys([1: Array(Self.good.prefix(31))]) }
        #expect(throws: MasterKeys.Problem.versions) { try MasterKeys([0: Self.good]) }
        let examples: [[UInt8]] = [
            [UInt8](repeating: 0, count: 32), Array(0..<32), (0..<32).map { UInt8($0 % 4) },
            Array("change-me-change-me-now-please-32".utf8), Array("this is an example key of 32 byte".utf8),
            Array("0123456701234567012345670123456701234567".utf8),
        ]
        for bytes in examples { #expect(throws: MasterKeys.Problem.example(version: 1)) { try MasterKeys([1: bytes]) } }
    }

    @Test("a file of keys is read line by line")
    func file() throws {
        let keys = try MasterKeys(
            parsing: "# the plane's\n1: \(Hex.text(Self.good))\n\n2:\(Hex.text(Self.good.reversed()))\n"
        )
        #expect(keys.current == 2)
        #expect(throws: MasterKeys.Problem.versions) { try MasterKeys(parsing: "one:\(Hex.text(Self.good))") }
        #expect(throws: MasterKeys.Problem.versions) { try MasterKeys(parsing: "nothing but text") }
        #expect(throws: MasterKeys.Problem.short(version: 1)) { try MasterKeys(parsing: "1:not hexadecimal") }
        #expect(throws: MasterKeys.Problem.missing) { try MasterKeys(parsing: "\n# nothing\n") }
        let twice = "1:\(Hex.text(Self.good))\n1:\(Hex.text(Self.good.reversed()))"
        #expect(throws: MasterKeys.Problem.versions) { try MasterKeys(parsing: twice) }
    }

    @Test("what is printed of keys is not the keys")
    func printed() throws {
        let keys = try MasterKeys([1: Self.good])
        var dumped = ""
        dump(keys, to: &dumped)
        for text in ["\(keys)", String(reflecting: keys), dumped] {
            #expect(!text.contains(Hex.text(Self.good)))
            #expect(!text.contains("bytes"))
        }
    }

    @Test("what was sealed is opened with its key and context, and with nothing else")
    func seal() throws {
        let keys = Samples.masterKeys(versions: 1...2)
        let sealed = try keys.seal(Array("secret".utf8), as: "oauth org-1")
        #expect(try keys.open(sealed, as: "oauth org-1") == Array("secret".utf8))
        #expect(throws: MasterKeys.Problem.notSealed) { try keys.open(sealed, as: "oauth org-2") }
        #expect(throws: MasterKeys.Problem.notSealed) { try keys.open([1, 2, 3], as: "oauth org-1") }
        #expect(throws: MasterKeys.Problem.unknownVersion(2)) {
            try Samples.masterKeys().open(sealed, as: "oauth org-1")
        }
        for index in sealed.indices.dropFirst(4) {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: MasterKeys.Problem.notSealed) { try keys.open(changed, as: "oauth org-1") }
        }
        #expect(try keys.seal(Array("secret".utf8), as: "oauth org-1") != sealed)
    }

    @Test("old keys open what they sealed after a new one came")
    func rotation() throws {
        let sealed = try MasterKeys([1: Self.good]).seal([7], as: "x")
        #expect(try MasterKeys([1: Self.good, 2: Self.good.reversed()]).open(sealed, as: "x") == [7])
    }
}

@Suite("Derived secrets")
struct DerivedSecretsTests {
    private static let good = (0..<32).map { UInt8(($0 * 37 + 11) % 256) }
    private static let first = InstanceEvent.CredentialsReserved(keyVersion: 1, rotation: 1, generation: 1)

    private func identifiers() throws -> (OrganizationID, InstanceID) {
        (try #require(OrganizationID(42)), try #require(InstanceID(7)))
    }

    @Test("a secret is HKDF-SHA256 of what it is for, for ever the same")
    func stable() throws {
        let (organization, instance) = try identifiers()
        let secret = try DerivedSecrets(keys: MasterKeys([1: Self.good]))
            .secret(.databasePassword, organization: organization, instance: instance, credentials: Self.first)
        // Computed by another implementation of RFC 5869.
        #expect(secret == "7176250ce6854bba39b8c6aec7e5bddcabd15d93668702951495b6877df137c4")
    }

    @Test("no two purposes, organizations, instances, generations, rotations or keys share a secret")
    func distinct() throws {
        let (organization, instance) = try identifiers()
        let secrets = DerivedSecrets(keys: try MasterKeys([1: Self.good, 2: Self.good.reversed()]))
        var all: [String] = []
        for purpose in DerivedSecrets.Purpose.allCases {
            for (keyVersion, rotation, generation) in [
                (1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 11, 1), (1, 1, 11),
            ] {
                let credentials = InstanceEvent.CredentialsReserved(
                    keyVersion: keyVersion,
                    rotation: rotation,
                    generation: generation
                )
                all.append(
                    try secrets.secret(
                        purpose,
                        organization: organization,
                        instance: instance,
                        credentials: credentials
                    )
                )
            }
        }
        let other = try #require(OrganizationID(43))
        let second = try #require(InstanceID(8))
        all.append(try secrets.secret(.jwtSecret, organization: other, instance: instance, credentials: Self.first))
        all.append(
            try secrets.secret(.jwtSecret, organization: organization, instance: second, credentials: Self.first)
        )
        #expect(Set(all).count == all.count)
    }

    @Test("a key that is gone derives nothing")
    func unknownKey() throws {
        let (organization, instance) = try identifiers()
        let credentials = InstanceEvent.CredentialsReserved(keyVersion: 3, rotation: 1, generation: 1)
        #expect(throws: MasterKeys.Problem.unknownVersion(3)) {
            try DerivedSecrets(keys: MasterKeys([1: Self.good]))
                .secret(.jwtSecret, organization: organization, instance: instance, credentials: credentials)
        }
    }
}

@Suite("Vault")
struct VaultTests {
    @Test("what is sealed for a subject is opened for it, until it is erased")
    func erase() async throws {
        let vault = Vault(keys: Samples.masterKeys(), subjects: MemorySubjectKeys())
        let sealed = try await vault.seal("ada@example.com", for: "user-1")
        let other = try await vault.seal("bob@example.com", for: "user-2")
        #expect(try await vault.open(sealed) == "ada@example.com")
        #expect(!sealed.box.contains("ada"))

        try await vault.erase("user-1")
        #expect(try await vault.open(sealed) == nil)
        #expect(try await vault.open(other) == "bob@example.com")
        await #expect(throws: Vault.Problem.erased) { try await vault.seal("again", for: "user-1") }
    }

    @Test("a box cannot be passed off as another subject's")
    func swapped() async throws {
        let vault = Vault(keys: Samples.masterKeys(), subjects: MemorySubjectKeys())
        var sealed = try await vault.seal("ada@example.com", for: "user-1")
        _ = try await vault.seal("bob@example.com", for: "user-2")
        sealed.subject = "user-2"
        await #expect(throws: Vault.Problem.keys(.notSealed)) { try await vault.open(sealed) }
    }

    @Test("ten who seal for a new subject at once use one key")
    func race() async throws {
        let vault = Vault(keys: Samples.masterKeys(), subjects: MemorySubjectKeys())
        let opened = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<10 {
                group.addTask { try await vault.open(try await vault.seal("\(number)", for: "user-1")) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(opened) == Set((0..<10).map { "\($0)" }))
    }
}
