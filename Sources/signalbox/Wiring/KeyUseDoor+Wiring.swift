internal import Audit
internal import Kernel
internal import Postgres
internal import Server

extension KeyUseDoor {
    /// Uses as the recorder takes them and the store has them.
    init(_ recorder: KeyUseRecorder, _ store: KeyUseStore) {
        self.init()
        note = { key, moment in recorder.note(key.value, at: moment) }
        uses = { keys in
            do throws(PostgresError) {
                let found = try await store.uses(of: keys.map(\.value))
                return Dictionary(keys.compactMap { key in found[key.value].map { (key, $0) } }) { first, _ in first }
            } catch {
                return nil
            }
        }
    }
}
