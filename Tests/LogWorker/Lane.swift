import EventStore
import Kernel

/// One caller: writes event 1, 2, 3, … of its stream, each until the log has answered.
///
/// The same number is always the same request, so that a new process can ask again what a killed one never heard.
struct Lane: Sendable {
    let name: String
    /// Whether its requests carry a command; else they are recognised by their first event, like those of sagas.
    let isClient: Bool
    let log: PostgresLog

    func run(from first: Int64) async {
        var number = first
        while true {
            // Some requests are refused, and must leave no trace.
            if number.isMultiple(of: 11) { await refused(number) }
            if await write(number) == false { return }
            number += 1
        }
    }

    private func write(_ number: Int64) async -> Bool {
        while true {
            do throws(AppendError) {
                let appended = try await log.append(request(number, expecting: number - 1, salt: 0))
                LogWorker.say("ack \(name) \(number) \(appended.firstPosition)")
                return true
            } catch {
                switch error {
                case .unavailable:
                    await LogWorker.away()
                default:
                    LogWorker.say("bug \(name) \(number): \(error)")
                    return false
                }
            }
        }
    }

    private func refused(_ number: Int64) async {
        do throws(AppendError) {
            _ = try await log.append(request(number, expecting: number + 5, salt: 1))
            LogWorker.say("bug \(name) \(number): accepted at a version the stream does not have")
        } catch {
            // It was refused, or never asked.
        }
    }

    private func request(_ number: Int64, expecting version: Int64, salt: UInt64) -> AppendRequest {
        let stream = StreamName(category: "lane", id: name)
        let command = id(number, 2 + 8 * salt)
        var writes = [StreamWrite(stream, expecting: .version(version), events: [event(number, 0 + 8 * salt)])]
        if number.isMultiple(of: 5) {
            // A stream that many lanes write.
            let shared = StreamName(category: "shared", id: number % 7)
            writes.append(StreamWrite(shared, expecting: .any, events: [event(number, 1 + 8 * salt)]))
        }
        return AppendRequest(
            causation: Causation(actor: "system", command: command),
            command: isClient
                ? CommandRecord(
                    id: command,
                    principal: "user-1",
                    requestHash: [UInt8](repeating: 7, count: 32),
                    answer: Array("{}".utf8)
                ) : nil,
            writes: writes
        )
    }

    private func event(_ number: Int64, _ part: UInt64) -> NewEvent {
        let padding = String(repeating: "x", count: Int(number % 200))
        return NewEvent(
            id: id(number, part),
            type: "lane.counted",
            payload: Array(#"{"lane":"\#(name)","n":\#(number),"padding":"\#(padding)"}"#.utf8)
        )
    }

    private func id(_ number: Int64, _ part: UInt64) -> UniqueID {
        // FNV-1a, twice: the same words give the same identity in every process.
        let words = "\(name)/\(number)/\(part)"
        func hash(_ seed: UInt64) -> UInt64 {
            words.utf8.reduce(14_695_981_039_346_656_037 ^ seed) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        }
        return UniqueID(UInt128(hash(0)) << 64 | UInt128(hash(0x9E37_79B9_7F4A_7C15)))
    }
}
