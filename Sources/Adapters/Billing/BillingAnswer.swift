internal import Kernel

/// JSON from the billing engine with its keys in one spelling.
///
/// It writes `customer_id` when it creates and `CustomerID` when it reads the same thing; here both are `customerid`.
enum BillingAnswer {
    static func normalized(_ json: JSONValue) -> JSONValue {
        switch json {
        case .object(let members):
            .object(
                Dictionary(members.map { (spelling($0), normalized($1)) }) { first, _ in first }
            )
        case .array(let elements):
            .array(elements.map(normalized))
        case .null, .bool, .integer, .number, .string:
            json
        }
    }

    private static func spelling(_ key: String) -> String {
        key.lowercased().filter { $0 != "_" }
    }
}
