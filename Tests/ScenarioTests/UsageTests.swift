import Kernel
import Testing

@testable import signalbox

@Suite("How the program is called")
struct UsageTests {
    @Test("an option that is missing is told, and never the program's version instead")
    func missing() async throws {
        let program = CommandLine()
        let version = try await program("--version")
        #expect(version.code == 0 && !version.output.isEmpty)
        for arguments in [
            ["sagas", "park", "01a2008d-68c5-7c05-8a77-698f5b6b7fc3", "--version", "3"],
            ["targets", "open", "nomad", "--version", "3"], ["events", "at", "--version", "3"],
        ] {
            let outcome = try await program.call(arguments)
            #expect(outcome.code == 2 && outcome.output.isEmpty, "\(arguments)")
        }
    }

    @Test("a database that cannot be reached is told by the code, too")
    func unreachable() async throws {
        let program = CommandLine(database: "host=127.0.0.1 port=1 dbname=x user=x connect_timeout=2")
        for arguments in [["sagas", "list", "--directly"], ["targets", "list", "--directly"]] {
            let outcome = try await program.call(arguments)
            #expect(outcome.code == 5 && outcome.errors.contains("cannot be reached"), "\(outcome.errors)")
        }
    }

    @Test("why an instance failed is told in words")
    func lastError() throws {
        let error: JSONValue = ["step": "create-role", "class": "permanent", "reason": "no quota"]
        let text = try InstanceCommand.Show.text(["id": "42", "lastError": error])
        #expect(text.contains("create-role: no quota (permanent)"))
        #expect(!(try InstanceCommand.Show.text(["id": "42", "lastError": .null]).contains("last error")))
    }
}
