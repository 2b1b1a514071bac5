import Testing

@testable import signalbox

@Suite("The archive's commands", .wholeMachine, .timeLimit(.minutes(15)))
struct ArchiveCommandTests {
    @Test(
        "ages are read as people write them",
        arguments: [("90d", 7_776_000), ("36h", 129_600), ("15m", 900), ("0s", 0)]
    )
    func ages(text: String, seconds: Int) throws {
        #expect(try #require(Span(argument: text)).duration == .seconds(seconds))
    }

    @Test("and nothing else is", arguments: ["", "d", "90", "-1d", "1.5h", "1 d", "9999999d", "3w"])
    func nonsense(text: String) {
        #expect(Span(argument: text) == nil)
    }
}
