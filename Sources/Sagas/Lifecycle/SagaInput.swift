internal import Kernel
internal import Platform

/// What a saga is decided on, fixed when it begins.
protocol SagaInput: Codable, Sendable, Equatable {}

extension SagaInput {
    /// Reads it back from the event that the saga began with.
    init(_ input: JSONValue) throws(PortError) {
        do {
            self = try JSON.decode(Self.self, from: try JSON.encode(input))
        } catch { throw .blocked(code: "input-unreadable", message: "the saga's input cannot be read") }
    }

    /// As a saga's first event carries it.
    func json() throws(SagaBeginError) -> JSONValue {
        do {
            return try JSON.decode(JSONValue.self, from: try JSON.encode(self))
        } catch { throw .malformed("the saga's input is not JSON") }
    }
}

extension StepContext {
    /// The input, as the saga wrote it when it began.
    func decoded<Input: SagaInput>(_: Input.Type) throws(PortError) -> Input { try Input(input) }
}
