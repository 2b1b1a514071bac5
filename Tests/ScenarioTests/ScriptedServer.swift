import FoundationEssentials
import Glibc
import Kernel
import Subprocess
import SystemPackage

/// An HTTP server that gives prepared answers in turn, the last one for ever, and writes down what it was asked.
struct ScriptedServer {
    /// One answer; status 0 closes the connection without one.
    struct Answer {
        var status: Int
        var body: JSONValue = [:]
    }

    /// What one request was.
    struct Asked {
        var method: String
        var path: String
        var key: String?
        var body = ""
    }

    /// Runs `body` with the address of a server.
    ///
    /// - Returns: What it was asked, in order.
    static func with(
        _ answers: [Answer],
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws -> [Asked] {
        let folder = try temporaryFolder("signalbox-server")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = JSONValue.array(answers.map { [.integer(Int64($0.status)), $0.body] })
        let result = try await Subprocess.run(
            .name("python3"),
            arguments: ["-c", program, folder, String(decoding: JSON.encode(script), as: UTF8.self)],
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution -> Result<Void, any Error> in
            defer { kill(execution.processIdentifier.value, SIGKILL) }
            do {
                let port = try await eventually(within: .seconds(20)) { read(folder + "/port") }
                try await body("http://127.0.0.1:\(port)")
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.closureResult.get()
        return (read(folder + "/asked") ?? "").split(separator: "\n").compactMap { line in
            guard let asked = try? JSON.decode(JSONValue.self, from: line.utf8) else { return nil }
            return Asked(
                method: asked["method"]?.string ?? "",
                path: asked["path"]?.string ?? "",
                key: asked["key"]?.string,
                body: asked["body"]?.string ?? ""
            )
        }
    }

    private static func read(_ path: String) -> String? {
        (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
    }

    private static let program = """
        import http.server, json, os, sys
        folder, answers = sys.argv[1], json.loads(sys.argv[2])
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
                with open(folder + "/asked", "a") as asked:
                    key = self.headers.get("Idempotency-Key")
                    asked.write(json.dumps({"method": self.command, "path": self.path, "key": key, "body": sent}) + "\\n")
                status, body = answers.pop(0) if len(answers) > 1 else answers[0]
                self.close_connection = True
                if status == 0: return
                bytes = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(bytes)))
                self.end_headers()
                self.wfile.write(bytes)
            do_GET = do_POST = answer
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        with open(folder + "/draft", "w") as port: port.write(str(server.server_port))
        os.rename(folder + "/draft", folder + "/port")
        server.serve_forever()
        """
}
