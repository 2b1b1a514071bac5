package import Kernel

extension EventView {
    /// The event as CloudEvents 1.0 has it, in structured JSON
    /// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
    ///
    /// `subject` is the stream. What CloudEvents has no attribute for are extensions, by names of `a–z 0–9`; numbers of
    /// 64 bits are text, because an Integer of CloudEvents has 32. `sequence` is the position, padded so that it sorts.
    package var cloudEvent: JSONValue {
        let digits = String(position)
        var event: [String: JSONValue] = [
            "specversion": "1.0",
            "id": .string(id.description),
            "source": "urn:signalbox:log",
            "type": .string(type),
            "subject": .string(stream),
            "time": .string(recordedAt.description),
            "datacontenttype": "application/json",
            "data": data,
            "sequence": .string(String(repeating: "0", count: max(0, 19 - digits.count)) + digits),
            "partitionkey": .string(stream),
            "streamversion": .string(String(version)),
            "schemaversion": .integer(Int64(schemaVersion)),
            "actor": .string(actor),
            "commandid": .string(command.description),
            "correlationid": .string(correlation.description),
        ]
        if let cause { event["causationid"] = .string(cause.description) }
        if let organization { event["organizationid"] = .string(organization.description) }
        if let trace = metadata["traceparent"]?.string { event["traceparent"] = .string(trace) }
        return .object(event)
    }
}
