import Kernel
import Testing

@Suite("JSON")
struct JSONTests {
    private func value(_ text: String) throws -> JSONValue {
        try JSON.decode(JSONValue.self, from: Array(text.utf8))
    }

    @Test("is written the same way every time: keys sorted, slashes as they are")
    func deterministic() throws {
        let value: JSONValue = ["b": 1, "a": ["/x", nil, true], "ä": ["z": 0.5.json, "y": "\u{1F6A6}"]]
        let text = String(decoding: try JSON.encode(value), as: UTF8.self)
        #expect(text == #"{"a":["/x",null,true],"b":1,"ä":{"y":"🚦","z":0.5}}"#)
        #expect(try self.value(text) == value)
    }

    @Test("integers keep their 64 bits, and numbers stay numbers")
    func numbers() throws {
        #expect(try value("[9223372036854775807,-9223372036854775808]") == [.integer(.max), .integer(.min)])
        #expect(try value("1.5") == .number(1.5))
        #expect(try value("true") == .bool(true))
        #expect(try value("1") == .integer(1))
        #expect(try value("0") == .integer(0))
        #expect(try value("\"1\"") == .string("1"))
    }

    @Test("what is not there is nil, and so is what is something else")
    func access() throws {
        let object = try value(#"{"s":"x","i":3,"a":[1],"o":{},"b":false,"n":null}"#)
        #expect(object["s"]?.string == "x")
        #expect(object["i"]?.integer == 3)
        #expect(object["a"]?.array == [1])
        #expect(object["o"]?.object == [:])
        #expect(object["b"]?.bool == false)
        #expect(object["n"] == .null)
        #expect(object["nothing"] == nil)
        #expect(object["i"]?.string == nil)
        #expect(object["s"]?["deeper"] == nil)
    }

    @Test("malformed text is an error", arguments: ["", "{", "[1", "{\"a\":}", "nul", "\"\\x\"", "01"])
    func malformed(text: String) {
        #expect(throws: (any Error).self) { try value(text) }
    }
}

extension Double {
    fileprivate var json: JSONValue { .number(self) }
}
