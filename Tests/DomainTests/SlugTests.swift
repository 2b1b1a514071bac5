import Domain
import Testing

@Suite("Slug")
struct SlugTests {
    @Test("a DNS label is a slug", arguments: ["a", "acme", "7", "a-b", "acme-2", String(repeating: "x", count: 63)])
    func accepted(text: String) throws {
        #expect(try Slug(text).text == text)
    }

    @Test(
        "what is not a lower-case DNS label is malformed",
        arguments: [
            "", "-acme", "acme-", "Acme", "ac me", "acme.com", "ac_me", "acmé", "acme\n", "a\u{0}",
            String(repeating: "x", count: 64),
        ]
    )
    func malformed(text: String) {
        #expect(throws: Slug.Refusal.malformed) { try Slug(text) }
    }

    @Test(
        "the plane's own names are reserved, and so is the form of further instances' hosts",
        arguments: ["cloud", "www", "api", "traefik", "accounts", "blue--acme", "xn--80ak6aa92e"]
    )
    func reserved(text: String) {
        #expect(throws: Slug.Refusal.reserved) { try Slug(text) }
    }

    @Test("every reserved name is well formed, else nobody could ask for it anyway", arguments: Slug.reserved.sorted())
    func reservedNames(text: String) {
        #expect(throws: Slug.Refusal.reserved) { try Slug(text) }
    }

    @Test("an instance's name is a letter and up to 15 letters or digits")
    func instanceNames() {
        for name in ["main", "a", "blue2", String(repeating: "x", count: 16)] { #expect(InstanceName(name) != nil) }
        // Names of slots, generations and rotations are spoken for.
        for name in ["b", "g2", "r10", "", "2blue", "Blue", "a-b", "a_b", "ä", String(repeating: "x", count: 17)] {
            #expect(InstanceName(name) == nil)
        }
    }

    @Test("an organization's name is any text of 1 to 100 characters without control characters")
    func organizationNames() {
        for name in ["A", "Acme & Söhne", "株式会社", String(repeating: "x", count: 100)] {
            #expect(OrganizationName.accepts(name))
        }
        for name in ["", " ", " Acme", "Acme ", "A\nB", "A\u{7F}", String(repeating: "x", count: 101)] {
            #expect(!OrganizationName.accepts(name))
        }
    }
}
