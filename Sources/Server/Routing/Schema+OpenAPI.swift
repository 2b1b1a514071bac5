package import Kernel

extension Schema {
    /// The shape in JSON Schema 2020-12, which is what OpenAPI 3.1 speaks.
    package var document: JSONValue {
        switch self {
        case .object(let members):
            var properties: [String: JSONValue] = [:]
            for member in members { properties[member.name] = member.schema.document }
            var document: [String: JSONValue] = [
                "type": "object", "properties": .object(properties), "additionalProperties": false,
            ]
            let required = members.filter(\.required).map { JSONValue.string($0.name) }
            if !required.isEmpty { document["required"] = .array(required) }
            return .object(document)
        case .named(let name):
            return ["$ref": .string("#/components/schemas/" + name)]
        case .array(let element):
            return ["type": "array", "items": element.document]
        case .string(let range, let format, let pattern):
            var document: [String: JSONValue] = ["type": "string"]
            if range.lowerBound > 0 { document["minLength"] = .integer(Int64(range.lowerBound)) }
            if range.upperBound < Int.max { document["maxLength"] = .integer(Int64(range.upperBound)) }
            if let format { document["format"] = .string(format.rawValue) }
            if let pattern { document["pattern"] = .string(pattern.text) }
            return .object(document)
        case .oneOf(let values):
            return ["type": "string", "enum": .array(values.map { .string($0) })]
        case .integer(let range):
            var document: [String: JSONValue] = ["type": "integer"]
            if range.lowerBound > .min { document["minimum"] = .integer(range.lowerBound) }
            if range.upperBound < .max { document["maximum"] = .integer(range.upperBound) }
            return .object(document)
        case .boolean:
            return ["type": "boolean"]
        case .number:
            return ["type": "number"]
        case .nullable(let schema):
            return ["anyOf": [schema.document, ["type": "null"]]]
        case .anything:
            return ["type": "object"]
        case .json:
            return [:]
        }
    }
}
