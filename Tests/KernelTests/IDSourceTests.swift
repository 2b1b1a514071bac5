import Kernel
import Testing

@Suite("IDSource")
struct IDSourceTests {
    @Test("makes identities of the time and chance it is handed")
    func fixed() {
        let moment = Timestamp(microseconds: 1_763_712_000_000_000)
        let source = IDSource(now: { moment }, random: { 7 })
        let id: InstanceID = source.identifier()
        #expect(id == InstanceID(at: moment, random: 7))
        #expect(source.unique() == UniqueID(at: moment, random: (7, 7)))
    }

    @Test("the machine's own never repeats itself")
    func system() {
        let ids = Set((0..<1000).map { _ in IDSource.system.unique() })
        #expect(ids.count == 1000)
        #expect(IDSource.system.now() > Timestamp(microseconds: 1_700_000_000_000_000))
    }
}
