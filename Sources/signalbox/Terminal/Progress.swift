internal import Glibc
internal import Synchronization

/// How far a long command is: one line that changes on a terminal, and nothing where nobody looks.
final class Progress: Sendable {
    private let what: String
    private let isShown = isatty(2) == 1
    private let last = Mutex<Int64>(-1)

    /// - Parameter what: What is counted, in the plural.
    init(_ what: String) {
        self.what = what
    }

    /// Shows how many are done, when the percentage has changed, or whenever there is something to be said of it.
    func show(_ done: Int64, of all: Int64, note: String = "") {
        guard isShown, all > 0 else { return }
        let percent = min(100, done * 100 / all)
        let isNew = last.withLock { last in
            defer { last = percent }
            return last != percent
        }
        guard isNew || !note.isEmpty else { return }
        let bar = String(repeating: "#", count: Int(percent / 4)) + String(repeating: ".", count: 25 - Int(percent / 4))
        put("\r[\(bar)] \(percent) % of \(all) \(what)" + (note.isEmpty ? "" : ", \(note)\u{1B}[K"))
    }

    /// Makes room for what is said next.
    func end() {
        guard isShown, last.withLock({ $0 >= 0 }) else { return }
        put("\r\u{1B}[K")
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        // A terminal that is gone needs no progress.
        _ = write(2, bytes, bytes.count)
    }
}
