import Kernel

/// A job like a tenant's, quick to become healthy.
enum TestJob {
    static let second: Int64 = 1_000_000_000

    static func json(
        _ id: String,
        environment: JSONValue = [:],
        update: [String: JSONValue] = [:],
        group: [String: JSONValue] = [:],
        task: [String: JSONValue] = [:],
        job: [String: JSONValue] = [:]
    ) -> JSONValue {
        var taskMembers: [String: JSONValue] = [
            "Name": "railzway", "Driver": "docker", "Config": ["image": "tenant:1", "ports": ["http"]],
            "Env": environment,
            "Resources": ["CPU": 100, "MemoryMB": 64], "KillTimeout": .integer(5 * second),
        ]
        taskMembers.merge(task) { $1 }
        var updateMembers: [String: JSONValue] = [
            "MaxParallel": 1, "HealthCheck": "checks", "MinHealthyTime": .integer(second / 10),
            "HealthyDeadline": .integer(20 * second), "ProgressDeadline": .integer(30 * second),
        ]
        updateMembers.merge(update) { $1 }
        var groupMembers: [String: JSONValue] = [
            "Name": .string(id), "Count": 1, "Update": .object(updateMembers),
            "RestartPolicy": [
                "Attempts": 3, "Interval": .integer(300 * second), "Delay": .integer(second / 10), "Mode": "fail",
            ],
            "Networks": [["Mode": "bridge", "DynamicPorts": [["Label": "http", "To": 8080]]]],
            "Services": [
                [
                    "Provider": "nomad", "Name": .string(id), "PortLabel": "http", "Tags": ["traefik.enable=true"],
                    "Checks": [
                        [
                            "Name": "health", "Type": "http", "Path": "/health", "Interval": .integer(second),
                            "Timeout": .integer(second),
                        ]
                    ],
                ]
            ],
            "Tasks": [.object(taskMembers)],
        ]
        groupMembers.merge(group) { $1 }
        var members: [String: JSONValue] = [
            "ID": .string(id), "Name": .string(id), "Type": "service", "Datacenters": ["dc1"],
            "TaskGroups": [.object(groupMembers)],
        ]
        members.merge(job) { $1 }
        return .object(members)
    }

    /// What a task runs here: it serves its environment, and dies where that says so.
    static let command = [
        "/usr/bin/python3", "-c",
        """
        import http.server, json, os, sys
        if os.environ.get("BROKEN") == "exit": sys.exit(3)
        class H(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/exit": os._exit(9)
                body = json.dumps({"pid": os.getpid(), "environment": dict(os.environ)}).encode()
                self.send_response(500 if os.environ.get("BROKEN") == "sick" else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *a): pass
        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["NOMAD_HOST_PORT_http"])), H).serve_forever()
        """,
    ]
}
