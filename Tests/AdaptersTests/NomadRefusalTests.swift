import Adapters
import Platform
import Testing

@testable import Adapters

@Suite("What Nomad says no with")
struct NomadRefusalTests {
    /// Status, text, the class of a write, the class of a read.
    static let table: [(Int, String, String, String)] = [
        (500, "No cluster leader", "transient", "transient"),
        (500, "rpc error: Not ready to serve consistent reads", "transient", "transient"),
        (500, "No path to region", "transient", "transient"),
        (500, "rpc error: failed to get conn: dial tcp 10.0.0.1:4647: i/o timeout", "unknown", "transient"),
        (500, "leadership lost while committing log", "unknown", "transient"),
        (502, "", "unknown", "transient"),
        (504, "", "unknown", "transient"),
        (
            429, "Your IP is issuing too many concurrent connections, please rate limit your calls", "transient",
            "transient"
        ),
        (500, "Enforcing job modify index 0: job already exists", "conflict", "conflict"),
        (
            500, "rpc error: Enforcing job modify index 5: job exists with conflicting job modify index: 7", "conflict",
            "conflict"
        ),
        (500, "Current job has version 6; enforcing version 5", "conflict", "conflict"),
        (409, "{\"Items\":{\"db_password\":\"hunter2\"}}", "conflict", "conflict"),
        (500, "1 error occurred:\n\t* Missing job datacenters", "permanent", "permanent"),
        (500, "2 error(s) occurred:\n\n* a\n* b", "permanent", "permanent"),
        (
            500, "Task group app validation failed: unsupported attribute \"${node.meta.tier}\"", "permanent",
            "permanent"
        ),
        (500, "job \"x\" is in nonexistent namespace \"y\"", "permanent", "permanent"),
        (500, "cannot update job from type \"service\" to \"batch\"", "permanent", "permanent"),
        (500, "Task group \"app\" has 0/1 healthy allocations", "pending", "pending"),
        (500, "can't promote terminal deployment", "conflict", "conflict"),
        (404, "deployment not found", "conflict", "conflict"),
        (403, "Permission denied", "blocked", "blocked"),
        (500, "rpc error: Permission denied", "blocked", "blocked"),
        (
            403, "Job registration, dispatch, and scale are disabled by the scheduler configuration", "blocked",
            "blocked"
        ),
        (400, "Job ID does not match name", "permanent", "permanent"),
        (400, "RPC Error:: 400,variables are limited to 64KiB in total size", "permanent", "permanent"),
        (500, "something nobody has seen yet", "unknown", "transient"),
    ]

    @Test("every answer has its class", arguments: table.indices)
    func classes(row: Int) {
        let (status, text, write, read) = Self.table[row]
        let answer = HTTPAnswer(status: status, headers: [], body: Array(text.utf8))
        #expect(TenantRefusalTests.name(NomadRefusal.portError(answer, changes: true)) == write)
        #expect(TenantRefusalTests.name(NomadRefusal.portError(answer, changes: false)) == read)
    }

    @Test("answers about variables are never quoted, others on one line that is not too long")
    func quoting() {
        let secret = HTTPAnswer(status: 409, headers: [], body: Array("{\"db_password\":\"hunter2\"}".utf8))
        #expect(!"\(NomadRefusal.portError(secret, changes: true, quotable: false))".contains("hunter2"))
        let long = HTTPAnswer(
            status: 500,
            headers: [],
            body: Array(("a\nb\0" + String(repeating: "x", count: 500)).utf8)
        )
        let message = NomadRefusal.portError(long, changes: true).message
        #expect(message.hasPrefix("nomad: a b "))
        #expect(message.count == "nomad: ".count + 300)
    }

    @Test("whose something is, is what is written on it")
    func standing() {
        let owner = Ownership(organization: "1", instance: "2", generation: 3, saga: "s")
        func marks(_ organization: String, _ instance: String, _ generation: String?) -> [String: String] {
            var marks = ["sbx_organization": organization, "sbx_instance": instance]
            marks["sbx_generation"] = generation
            return marks
        }
        #expect(Standing(of: marks("1", "2", "3"), towards: owner) == .ours)
        #expect(Standing(of: marks("1", "2", "2"), towards: owner) == .older)
        #expect(Standing(of: marks("1", "2", "4"), towards: owner) == .newer)
        #expect(Standing(of: marks("1", "9", "3"), towards: owner) == .foreign)
        #expect(Standing(of: marks("9", "2", "3"), towards: owner) == .foreign)
        #expect(Standing(of: marks("1", "2", nil), towards: owner) == .foreign)
        #expect(Standing(of: [:], towards: owner) == .foreign)
    }
}
