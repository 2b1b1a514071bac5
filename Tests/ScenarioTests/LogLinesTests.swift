import Kernel
import Logging
import Synchronization
import Testing

@testable import signalbox

@Suite("Log lines")
struct LogLinesTests {
    private static let password = "kR9-vQ2z-Lw"
    private static let secrets = [
        "postgres://signalbox:\(password)@db.internal/log", "vault-5f0e9a", "ab",
        "host=h password='in-conninfo' port=1",
        "postgres://u:pa%20ss%25word@h/log",
    ]

    /// What one event becomes.
    private func line(
        _ format: LogSettings.Format,
        _ message: String,
        _ metadata: Logger.Metadata = [:]
    ) throws -> String {
        let written = Mutex("")
        var settings = try LogSettings(environment: [:])
        settings.format = format
        var handler = LogLines(
            label: "signalbox.test",
            settings: settings,
            redact: Redaction(Self.secrets),
            now: { Timestamp(microseconds: 0) },
            write: { line in written.withLock { $0 += line } }
        )
        handler.metadata = ["request": "r-1"]
        handler.log(
            event: LogEvent(
                level: .warning,
                message: "\(message)",
                metadata: metadata,
                source: "test",
                file: #fileID,
                function: #function,
                line: #line
            )
        )
        return written.withLock { $0 }
    }

    @Test("are one JSON object each, with everything that is known")
    func json() throws {
        let text = try line(.json, "it \"failed\"\nbadly", ["error": "no", "codes": ["1", "2"]])
        #expect(text.hasSuffix("}\n") && text.count { $0 == "\n" } == 1)
        let value = try JSON.decode(JSONValue.self, from: text.utf8)
        #expect(value["level"] == "warning" && value["logger"] == "signalbox.test")
        #expect(value["message"] == "it \"failed\"\nbadly")
        #expect(value["time"]?.string?.hasPrefix("1970-01-01T00:00:00") == true)
        #expect(value["fields"] == ["request": "r-1", "error": "no", "codes": ["1", "2"]])
    }

    @Test("cannot be forged by who has a line break written")
    func lines() throws {
        let text = try line(.text, "it failed\n1970-01-01T00:00:00Z error signalbox: forged", ["by": "a\rb\u{1B}[2J"])
        #expect(text.count { $0 == "\n" } == 1 && !text.contains("\r") && !text.contains("\u{1B}"))
        #expect(text.contains("request=r-1"))
    }

    @Test(
        "have no secret in them, wherever it stands",
        arguments: [
            "cannot connect to postgres://signalbox:\(password)@db.internal/log", "password is \(password)",
            "the vault said vault-5f0e9a!", "GET / Authorization: Bearer abc.def-ghi", "key sbx_123_0123456789abcdef",
            "key=sbx_123_0123456789abcdef", "host='h' password='hidden-1' port=5",
            "token eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln", "https://u:hidden-2@nomad:4646/v1?token=hidden-3&a=b",
            "vk_live_key_7_hidden-4-long", "amqp://u:p@ss:hidden-5@host/", "postgres://u:a#hidden-8@host/log",
            "postgres://u:a?hidden-9@host/log", "secret=hidden-6", "(whsec_hidden-7-long)",
            "it was in-conninfo",
            "{\"password\": \"hidden-8\"}", "the password: hidden-9", "it was pa ss%word",
        ]
    )
    func redacted(message: String) throws {
        let hidden = [
            Self.password, "in-conninfo", "pa ss%word", "vault-5f0e9a", "abc.def-ghi", "0123456789abcdef", "c2ln",
            "hidden-",
        ]
        for format in LogSettings.Format.allCases {
            for text in [
                try line(format, message), try line(format, "no", ["why": "\(message)", "all": ["\(message)"]]),
            ] {
                #expect(text.contains(Redaction.mark), "\(text)")
                for secret in hidden { #expect(!text.contains(secret), "\(text)") }
            }
        }
    }

    @Test("hide what is kept under the name of a secret, whatever it looks like")
    func names() throws {
        for name in ["password", "apiKey", "X-Auth-Token", "client_secret", "Authorization", "Set-Cookie"] {
            let text = try line(.json, "no", [name: "plain-1", "deep": [name: .array(["plain-2"])]])
            #expect(!text.contains("plain-"), "\(text)")
        }
        #expect(try line(.text, "no", ["trace": "plain-1", "slug": "acme"]).contains("plain-1"))
    }

    @Test("leave alone what is no secret")
    func untouched() {
        for text in [
            "an org id 7205759403792 in https://acme.example/path?a=b", "3 of 4 at 12:30: x=1, y=2", "",
            "a user@example.com wrote", "secretly, the tokens of appreciation", "  spaces   stay  ",
        ] { #expect(Redaction(Self.secrets)(text) == text) }
    }
}
