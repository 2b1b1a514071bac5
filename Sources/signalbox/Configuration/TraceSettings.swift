/// Where spans go, and of how many traces; off unless an endpoint is named.
///
/// The names are those of OpenTelemetry.
struct TraceSettings {
    /// Where they are posted to.
    var url: String
    /// Sent with them, such as a token.
    var headers: [(String, String)]
    var service: String
    /// The share of the traces that begin here; who comes with a trace says by its flags whether it is wanted.
    var ratio: Double

    /// What is asked for, so that a development machine can hand it on.
    static let names = [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER_ARG",
    ]

    init?(_ read: inout EnvironmentReader) {
        let base = read.address(Self.names[0], "OTLP_ENDPOINT", default: "")
        url = read.address(Self.names[1], default: "", shown: "`<endpoint>/v1/traces`")
        let text = read.secret(Self.names[2], as: "`<name>=<value>`, comma between") ?? ""
        let pairs = text.split(separator: ",").map { pair in
            let trimmed = String(pair.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            return trimmed.split(separator: "=", maxSplits: 1).map { Redaction.decoded(String($0)) }
        }
        headers = pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }
        if headers.count != pairs.count { read.complain("\(Self.names[2]) must be <name>=<value>, comma between") }
        service = read.text(Self.names[3], "APP_SERVICE", default: "signalbox")
        let share = read.text(Self.names[4], as: "0–1", default: "1")
        ratio = Double(share) ?? -1
        if !(0...1).contains(ratio) { read.complain("\(Self.names[4]) must be a number from 0 to 1") }
        if url.isEmpty { url = base.isEmpty ? "" : base + "/v1/traces" }
        guard !url.isEmpty else { return nil }
    }
}
