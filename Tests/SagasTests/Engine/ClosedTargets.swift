import EventStore
import Kernel
import Sagas
import Synchronization

/// A board on which some targets are left alone for as long as a test says.
final class ClosedTargets: TargetBoard {
    private let targets: Set<String>
    private let isClosed = Mutex(true)
    private let heard = Mutex<[TargetOutcome]>([])

    init(_ targets: Set<String>) { self.targets = targets }

    /// What it was told of calls.
    var outcomes: [TargetOutcome] { heard.withLock { $0 } }

    func open() { isClosed.withLock { $0 = false } }
    func close() { isClosed.withLock { $0 = true } }

    func admit(
        _ target: String,
        by visitor: StreamName,
        atMost span: Duration,
        counted: Bool
    ) async throws(LogError) -> TargetAdmission {
        guard targets.contains(target), isClosed.withLock({ $0 }) else { return .granted }
        return .refused(.open, wait: .seconds(30))
    }

    func settle(_ target: String, by visitor: StreamName, _ outcome: TargetOutcome) async {
        heard.withLock { $0.append(outcome) }
    }

    func list() async throws(LogError) -> [TargetView] { [] }
    func hold(_ target: String, because reason: String) async throws(LogError) {}
    func free(_ target: String) async throws(LogError) {}
}
