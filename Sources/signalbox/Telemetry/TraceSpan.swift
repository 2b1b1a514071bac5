internal import Kernel

/// Something that took its time, as a part of a trace.
struct TraceSpan: Sendable, Equatable {
    /// What it was to the others, by OTLP's numbers.
    enum Kind: Int64 {
        case `internal` = 1
        case server = 2
        case client = 3
    }

    /// 32 hexadecimal digits.
    var trace: String
    /// 16 hexadecimal digits.
    var id: String
    /// The span that it is a part of; `nil` for the first of a trace.
    var parent: String?
    var name: String
    var kind: Kind
    var start: Timestamp
    var end: Timestamp
    var attributes: [String: JSONValue] = [:]
    /// What went wrong; `nil` when nothing did.
    var problem: String?

    /// As OTLP's JSON has it.
    var json: JSONValue {
        var json: [String: JSONValue] = [
            "traceId": .string(trace), "spanId": .string(id), "name": .string(name), "kind": .integer(kind.rawValue),
            "startTimeUnixNano": .string("\(start.microseconds)000"),
            "endTimeUnixNano": .string("\(end.microseconds)000"),
            "attributes": Self.attributes(attributes),
        ]
        if let parent { json["parentSpanId"] = .string(parent) }
        if let problem { json["status"] = ["code": 2, "message": .string(problem)] }
        return .object(json)
    }

    /// A list of names and values, in the order of the names.
    static func attributes(_ values: [String: JSONValue]) -> JSONValue {
        .array(
            values.sorted { $0.key < $1.key }.map { name, value in
                let typed: JSONValue =
                    switch value {
                    // 64-bit numbers are texts in protobuf's JSON.
                    case .integer(let number): ["intValue": .string("\(number)")]
                    case .number(let number): ["doubleValue": .number(number)]
                    case .bool(let flag): ["boolValue": .bool(flag)]
                    case .string(let text): ["stringValue": .string(text)]
                    case .null, .array, .object: ["stringValue": "?"]
                    }
                return ["key": .string(name), "value": typed]
            }
        )
    }
}

/// A span that has not ended.
struct OpenSpan: Sendable {
    let trace: String
    let id: String
    let parent: String?
    let name: String
    let kind: TraceSpan.Kind
    let start: Timestamp

    /// The trace context that says that something is a part of it.
    var traceparent: String { "00-\(trace)-\(id)-01" }
}
