import Kernel
@testable import Server
import Testing

@Suite("JSON as others send it")
struct JSONTextTests {
    @Test(
        "what is JSON is taken",
        arguments: [
            (#" {"a":[1,-2.5,1.0,1e2,true,false,null,"x"]} "#, #"{"a":[1,-2.5,1,100,true,false,null,"x"]}"#),
            (#""\u00e4\ud83d\ude00\n\/""#, #""ä😀\n/""#), ("9223372036854775807", "9223372036854775807"),
            ("[]", "[]"), ("{}", "{}"), ("-0", "0"), (#"{"a":{"a":1}}"#, #"{"a":{"a":1}}"#),
        ]
    )
    func taken(text: String, plain: String) throws {
        let value = try JSONText.parse(Array(text.utf8))
        #expect(String(decoding: try JSON.encode(value), as: UTF8.self) == plain)
    }

    @Test(
        "what is not, is not",
        arguments: [
            "", " ", "{", "[1,]", #"{"a":1,}"#, "{a:1}", "'a'", "01", "1.", ".5", "+1", "1e", "nul", "truex", "[1] 2",
            "\"a\nb\"", #""\x""#, #""\ud800""#, #""\udc00\ud800""#, #""\u12g4""#, "\"", "NaN", "1e999", "\u{FEFF}{}",
            "[1 2]", #"{"a" 1}"#,
        ]
    )
    func refused(text: String) {
        #expect(JSONText.value(Array(text.utf8)) == nil, "\(text)")
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(JSONText.value([0x22, 0xC3, 0x28, 0x22]) == nil)
        #expect(JSONText.value([0x22, 0xED, 0xA0, 0x80, 0x22]) == nil)
    }

    @Test("a name that comes twice is refused, however it is written")
    func twice() {
        #expect(throws: JSONText.Flaw.repeatedName("a")) { try JSONText.parse(Array(#"{"a":1,"\u0061":2}"#.utf8)) }
    }

    @Test("nesting has a bound")
    func depth() {
        let deep = { (levels: Int) in
            Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
        }
        #expect(JSONText.value(deep(64)) != nil)
        #expect(throws: JSONText.Flaw.tooDeep) { try JSONText.parse(deep(65)) }
        #expect(throws: JSONText.Flaw.tooDeep) { try JSONText.parse(deep(100_000)) }
    }
}
