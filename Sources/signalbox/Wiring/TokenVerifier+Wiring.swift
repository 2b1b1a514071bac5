internal import Adapters
internal import AsyncHTTPClient
internal import Dispatch
internal import FoundationEssentials
internal import Kernel
internal import Logging
internal import Server

extension TokenVerifier {
    /// Tokens as the settings want them, with keys from the network or from a file.
    init(_ settings: TokenSettings, http: HTTPClient, ids: IDSource = .system, logger: Logger) {
        let fetch: @Sendable () async -> [UInt8]?
        if settings.keys.hasPrefix("/") {
            fetch = { await Self.read(settings.keys) }
        } else {
            let caller = HTTPCaller(client: http, base: settings.keys, timeout: .seconds(5), bodyLimit: 1 << 18)
            fetch = {
                do throws(HTTPFailure) {
                    let answer = try await caller.send(.get, "")
                    return answer.status == 200 ? answer.body : nil
                } catch {
                    return nil
                }
            }
        }
        self.init(
            issuer: settings.issuer,
            audience: settings.audience,
            ring: KeyRing(now: ids.now, logger: logger, fetch: fetch),
            now: ids.now
        )
    }

    /// A file may be on a slow disk, which is nobody's to wait for who waits for others too.
    private static func read(_ path: String) async -> [UInt8]? {
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                done.resume(returning: (try? Data(contentsOf: URL(filePath: path))).map(Array.init))
            }
        }
    }
}
