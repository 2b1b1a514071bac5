import Kernel
import Testing

@Suite("Moments")
struct MomentTests {
    @Test("are read as people write them")
    func reading() throws {
        let time = try #require(Timestamp("2026-01-31T10:00:00.5Z"))
        #expect(Moment("now") == .now)
        #expect(Moment("3") == .version(3))
        #expect(Moment("version:3") == .version(3))
        #expect(Moment("position:17") == .position(17))
        #expect(Moment("2026-01-31T10:00:00.500000Z") == .time(time))
        for moment in [Moment.now, .version(0), .position(9), .time(time)] {
            #expect(Moment(moment.description) == moment)
        }
    }

    @Test(
        "are not read from anything else",
        arguments: ["", "-1", "+1", "1.5", "position:", "position:x", "time:3", "yesterday", "99999999999999999999"]
    )
    func nonsense(text: String) {
        #expect(Moment(text) == nil)
    }

    @Test("include what had happened by then, itself included")
    func inclusion() {
        let at = Timestamp(microseconds: 5)
        func includes(_ moment: Moment) -> Bool { moment.includes(version: 3, position: 17, recordedAt: at) }
        #expect(includes(.now) && includes(.version(3)) && includes(.position(17)) && includes(.time(at)))
        #expect(!includes(.version(2)) && !includes(.position(16)) && !includes(.time(Timestamp(microseconds: 4))))
    }
}

@Suite("Differences of JSON")
struct JSONDifferenceTests {
    @Test("name every place by its pointer, and nothing that is equal")
    func places() {
        let before: JSONValue = ["a": 1, "b": ["c": "x", "d/e~": 2], "gone": true, "list": [1, 2]]
        let after: JSONValue = ["a": 1, "b": ["c": "y", "d/e~": 3], "new": nil, "list": [1, 3]]
        #expect(
            before.differences(to: after) == [
                JSONDifference(path: "/b/c", before: "x", after: "y"),
                JSONDifference(path: "/b/d~1e~0", before: 2, after: 3),
                JSONDifference(path: "/gone", before: true, after: nil),
                JSONDifference(path: "/list", before: [1, 2], after: [1, 3]),
                JSONDifference(path: "/new", before: nil, after: .null),
            ]
        )
        #expect(before.differences(to: before).isEmpty)
        #expect(JSONValue.integer(1).differences(to: 2) == [JSONDifference(path: "", before: 1, after: 2)])
    }

    @Test("say nothing about a side that has nothing")
    func encoding() throws {
        let text = try JSON.encode(JSONDifference(path: "/a", before: nil, after: 2))
        #expect(String(decoding: text, as: UTF8.self) == #"{"after":2,"path":"/a"}"#)
    }
}
