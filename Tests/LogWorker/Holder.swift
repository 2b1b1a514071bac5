import EventStore
import Kernel

/// Takes a piece of work again and again and writes under its fence until it is told that the lease is gone.
struct Holder: Sendable {
    private let name: String
    private let log: PostgresLog
    private let queue: PostgresWorkQueue

    init(_ settings: Settings, log: PostgresLog, queue: PostgresWorkQueue) {
        name = settings.name
        self.log = log
        self.queue = queue
    }

    func run() async {
        while true {
            do throws(LogError) {
                let items = try await queue.claim(
                    kinds: ["chore"],
                    owner: name,
                    limit: 1,
                    lease: .milliseconds(500)
                )
                guard let item = items.first else {
                    await LogWorker.away()
                    continue
                }
                try await hold(item)
            } catch {
                await LogWorker.away()
            }
        }
    }

    private func hold(_ item: WorkItem) async throws(LogError) {
        while true {
            do throws(AppendError) {
                let appended = try await log.append(request(under: item))
                LogWorker.say("ack \(name) \(item.fence) \(appended.firstPosition)")
            } catch {
                switch error {
                case .fenced:
                    LogWorker.say("fenced \(name) \(item.fence)")
                    return
                case .unavailable:
                    await LogWorker.away()
                default:
                    LogWorker.say("bug \(name) \(item.fence): \(error)")
                    return
                }
            }
            _ = try await queue.renew(item, lease: .milliseconds(500))
        }
    }

    private func request(under item: WorkItem) -> AppendRequest {
        let event = NewEvent(
            id: IDSource.system.unique(),
            type: "lane.held",
            payload: Array(#"{"fence":\#(item.fence)}"#.utf8)
        )
        return AppendRequest(
            causation: Causation(actor: "system", command: IDSource.system.unique()),
            writes: [StreamWrite(item.stream, expecting: .any, events: [event])],
            work: [
                WorkUpdate(item.stream, guard: .holding(fence: item.fence), kind: "chore", status: "running")
            ]
        )
    }
}
