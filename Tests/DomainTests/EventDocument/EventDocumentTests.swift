import Domain
import FoundationEssentials
import Kernel
import Testing

@Suite("docs/events.md")
struct EventDocumentTests {
    /// The root of the repository, four levels above this file.
    private static let path =
        #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/docs/events.md"

    @Test("docs/events.md says what the events are; UPDATE_DOCS=1 rewrites it")
    func document() throws {
        let made = try EventDocument.text()
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            try made.write(toFile: Self.path, atomically: true, encoding: .utf8)
        }
        let kept = FileManager.default.contents(atPath: Self.path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let difference = made.split(separator: "\n").difference(from: kept.split(separator: "\n")).map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
        #expect(made == kept, "\(difference.prefix(20).joined(separator: "\n"))")
    }

    private enum Colour: String, Codable, CaseIterable {
        case red, blue
    }

    private struct Inner: Codable {
        var at: Timestamp
        var amount: Int64
    }

    private struct Outer: Codable {
        var id: UserID
        var event: UniqueID?
        var colour: Colour
        var name: Sealed?
        var inner: [Inner]
        var limits: [String: Double]
        var data: JSONValue?
        var done: Bool?
    }

    @Test("the form of a value is found out from the way it decodes itself")
    func shapes() throws {
        let inner = Shape.object(
            name: "Inner",
            [
                .init(name: "at", shape: .plain("time"), isOptional: false),
                .init(name: "amount", shape: .plain("integer"), isOptional: false),
            ]
        )
        let shape = try ShapeRecorder.shape(of: Outer.self)
        #expect(
            shape
                == .object(
                    name: "Outer",
                    [
                        .init(name: "id", shape: .plain("id"), isOptional: false),
                        .init(name: "event", shape: .plain("UUID"), isOptional: true),
                        .init(name: "colour", shape: .choice(["red", "blue"]), isOptional: false),
                        .init(name: "name", shape: .plain("**sealed** string"), isOptional: true),
                        .init(name: "inner", shape: .list(inner), isOptional: false),
                        .init(name: "limits", shape: .map(.plain("number")), isOptional: false),
                        .init(name: "data", shape: .plain("any JSON"), isOptional: true),
                        .init(name: "done", shape: .plain("boolean"), isOptional: true),
                    ]
                )
        )
        #expect(shape.objects.map(\.name) == ["Outer", "Inner"])
    }
}
