internal import Kernel
internal import Platform
internal import Synchronization

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

/// A saga's input, and what it was read as: a turn of many steps reads it once.
package final class SagaReading: Sendable {
    let json: JSONValue
    private let values = Mutex<[ObjectIdentifier: any SagaInput]>([:])

    init(_ json: JSONValue) { self.json = json }

    func decoded<Input: SagaInput>(_ type: Input.Type) throws(PortError) -> Input {
        let id = ObjectIdentifier(type)
        if let known = values.withLock({ $0[id] }) as? Input { return known }
        let value = try Input(json)
        values.withLock { $0[id] = value }
        return value
    }
}

extension StepContext {
    /// The input, as the saga wrote it when it began.
    func decoded<Input: SagaInput>(_ type: Input.Type) throws(PortError) -> Input { try reading.decoded(type) }
}
