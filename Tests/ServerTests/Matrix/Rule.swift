import Domain
import HTTPTypes
import Kernel
@testable import Server

/// Whom a route is for; what the route table alone cannot say, because roles are looked up where commands are decided.
enum Audience: Equatable {
    case everybody
    case edge
    /// Whoever has credentials.
    case signedIn
    /// Who acts as a person.
    case people
    /// Who acts as a person and holds what the path names, whosever it is.
    case holders
    /// Members with one of these roles, and all who run or audit the plane.
    case readers(Set<Role>)
    /// Members with one of these roles, and operators.
    case actors(Set<Role>)
    /// Operators and platform auditors.
    case platform
    case operators

    static let members = Audience.readers(Set(Role.allCases))
    static let overseers = Audience.readers([.owner, .admin, .auditor])
    static let administrators = Audience.actors([.owner, .admin])
    static let developers = Audience.actors([.owner, .admin, .developer])
    static let owners = Audience.actors([.owner])
}

/// What is expected of one route, and what has to be sent so that only the caller decides about the answer.
struct Rule {
    var audience: Audience
    /// What comes after the `?`; names in braces stand for the same as in paths.
    var query = ""
    /// `nil` for the least that the shape of the body takes.
    var body: String?
    var headers: HTTPFields = [:]

    init(_ audience: Audience, query: String = "", body: String? = nil, headers: HTTPFields = [:]) {
        (self.audience, self.query, self.body, self.headers) = (audience, query, body, headers)
    }
}

/// What an answer says about who asked.
enum Verdict: Equatable {
    case allowed
    /// 401
    case unauthenticated
    /// 403
    case forbidden
    /// 404, as for what does not exist.
    case hidden
    /// The answer is an error of ours.
    case broken

    init(status: HTTPResponse.Status, problem: String?) {
        switch (status.code, problem) {
        case (401, _): self = .unauthenticated
        case (403, _): self = .forbidden
        case (404, "not-found"): self = .hidden
        case (404, "route-unknown"), (500, _): self = .broken
        default: self = .allowed
        }
    }
}

/// Whose things a request names.
enum Place: CaseIterable {
    case own, foreign
    /// The first thing is the caller's, those below it are somebody else's.
    case crossed
}

extension Rule {
    /// What a caller is to be answered.
    func verdict(for caller: Caller, _ place: Place, writing: Bool) -> Verdict {
        if audience == .everybody { return .allowed }
        if caller.kind == .nobody { return .unauthenticated }
        if writing, caller.readsOnly { return .forbidden }
        switch audience {
        case .everybody, .signedIn: return .allowed
        case .edge: return .unauthenticated
        case .holders:
            guard case .user = caller.kind else { return .forbidden }
            return .allowed
        case .people:
            guard case .user = caller.kind else { return .forbidden }
            return place == .own ? .allowed : .hidden
        case .platform: return [.operator, .auditor].contains(caller.kind) ? .allowed : .forbidden
        case .operators: return caller.kind == .operator ? .allowed : .forbidden
        case .readers(let roles):
            return [.operator, .auditor].contains(caller.kind) ? .allowed : verdict(for: caller.role, roles, place)
        case .actors(let roles):
            if caller.kind == .operator { return .allowed }
            return caller.kind == .auditor ? .forbidden : verdict(for: caller.role, roles, place)
        }
    }

    private func verdict(for role: Role?, _ roles: Set<Role>, _ place: Place) -> Verdict {
        guard let role, place != .foreign else { return .hidden }
        guard roles.contains(role) else { return .forbidden }
        return place == .crossed ? .hidden : .allowed
    }
}

extension Schema {
    /// The least that the shape takes.
    var least: JSONValue {
        switch self {
        case .object(let members):
            .object(
                Dictionary(members.filter(\.required).map { ($0.name, $0.schema.least) }) { first, _ in first }
            )
        case .array: .array([])
        case .string(let range, _, _): .string(String(repeating: "x", count: range.lowerBound))
        case .oneOf(let values): .string(values[0])
        case .integer(let range): .integer(range.lowerBound)
        case .boolean: .bool(false)
        case .number: .number(0)
        case .nullable, .json: .null
        case .anything, .named: .object([:])
        }
    }
}
