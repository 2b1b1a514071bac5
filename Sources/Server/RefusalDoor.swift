internal import Domain
package import Kernel

/// What was refused to whom.
package struct RefusalDoor: Sendable {
    /// One refusal as auditors see it.
    package struct Entry: Encodable, Sendable, Equatable {
        package var at: Timestamp
        package var principal: String
        package var organizationID: String?
        package var action: String
        package var problem: String
        package var requestID: String

        package init(
            at: Timestamp,
            principal: String,
            organizationID: String?,
            action: String,
            problem: String,
            requestID: String
        ) {
            self.at = at
            self.principal = principal
            self.organizationID = organizationID
            self.action = action
            self.problem = problem
            self.requestID = requestID
        }

        private enum CodingKeys: String, CodingKey {
            case at, principal
            case organizationID = "organizationId"
            case action, problem
            case requestID = "requestId"
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(at, forKey: .at)
            try container.encode(principal, forKey: .principal)
            try container.encode(organizationID, forKey: .organizationID)
            try container.encode(action, forKey: .action)
            try container.encode(problem, forKey: .problem)
            try container.encode(requestID, forKey: .requestID)
        }
    }

    /// Some of them, and where to go on.
    package struct Slice: Sendable {
        package var data: [Entry]
        package var next: Int64?

        package init(data: [Entry], next: Int64?) {
            (self.data, self.next) = (data, next)
        }
    }

    /// Takes one, and makes nobody wait.
    package var record: @Sendable (Entry) -> Void = { _ in }
    /// Of one organization or of all, before a number, newest first; `nil` when they cannot be had.
    package var list: @Sendable (String?, Int64?, Int) async -> Slice? = { _, _, _ in nil }

    package init() {}
}
