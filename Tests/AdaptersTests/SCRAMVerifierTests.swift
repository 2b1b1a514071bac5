import Adapters
import Platform
import Testing

@Suite("SCRAM verifier")
struct SCRAMVerifierTests {
    @Test("is the one that a server accepted")
    func vector() throws {
        let verifier = try SCRAMVerifier(password: Secret("s3cr3t-pw"), salt: Array(0...15))
        let expected =
            "SCRAM-SHA-256$4096:AAECAwQFBgcICQoLDA0ODw==$ke/vHq5AeSUEn0n0en9lvig8C9LqijoUPMyaosDulPY="
            + ":/BnUDRA02y9gbzkw7NW4f/gm1SmB85LGUbS8VSWU+Jg="
        #expect(verifier.text == expected)
    }

    @Test("has a salt of its own each time")
    func salt() throws {
        let password = Secret("s3cr3t-pw")
        #expect(try SCRAMVerifier(password: password).text != SCRAMVerifier(password: password).text)
    }

    @Test("is refused where SASLprep would be needed", arguments: ["", "pässword", "tab\t"])
    func refused(password: String) {
        #expect(throws: PortError.self) { try SCRAMVerifier(password: Secret(password)) }
    }
}
