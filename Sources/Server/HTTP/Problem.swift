package import HTTPTypes
package import Kernel

/// Why a request was not answered as asked: an RFC 9457 problem document.
///
/// Everything in it is safe to show to whoever asked; what only operators may know is in ``cause``.
package struct Problem: Error, Sendable {
    /// One thing that is wrong with the input.
    package struct Fault: Sendable, Equatable {
        /// For people.
        package var detail: String
        /// A JSON pointer into the body as a URI fragment (`#/plan`), when the fault is in the body.
        package var pointer: String?
        /// The query parameter, when the fault is in one.
        package var parameter: String?

        package init(_ detail: String, pointer: String? = nil, parameter: String? = nil) {
            self.detail = detail
            self.pointer = pointer
            self.parameter = parameter
        }
    }

    /// What comes before the slug in `type`.
    package static let namespace = "urn:signalbox:problem:"

    /// The stable name that clients match on; the part of `type` after the namespace.
    package var slug: String
    package var status: HTTPResponse.Status
    /// The same text for every problem with this slug.
    package var title: String
    /// What is special about this one; never to be parsed.
    package var detail: String?
    package var faults: [Fault]
    /// Further members of the document, each with a name of at least three characters.
    package var members: [String: JSONValue]
    package var headers: HTTPFields
    /// The type of a problem that somebody else has named, instead of ours.
    var registeredType: String?
    /// What really happened, for our own log lines only.
    package var cause: (any Error)?

    package init(
        _ slug: String,
        status: HTTPResponse.Status,
        title: String,
        detail: String? = nil,
        faults: [Fault] = [],
        members: [String: JSONValue] = [:],
        headers: HTTPFields = [:],
        cause: (any Error)? = nil
    ) {
        self.slug = slug
        self.status = status
        self.title = title
        self.detail = detail
        self.faults = faults
        self.members = members
        self.headers = headers
        self.cause = cause
    }

    /// What is wrong, in one sentence for people.
    var sentence: String { detail ?? faults.first?.detail ?? title }

    /// The absolute URI that names the kind of problem.
    package var type: String { registeredType ?? Self.namespace + slug }

    /// The document itself.
    package func document(request: String) -> JSONValue {
        var document = members
        document["type"] = .string(type)
        document["title"] = .string(title)
        document["status"] = .integer(Int64(status.code))
        document["requestId"] = .string(request)
        if let detail { document["detail"] = .string(detail) }
        if !faults.isEmpty { document["errors"] = .array(faults.map(\.document)) }
        return .object(document)
    }
}

extension Problem.Fault {
    fileprivate var document: JSONValue {
        var document: [String: JSONValue] = ["detail": .string(detail)]
        if let pointer { document["pointer"] = .string(pointer) }
        if let parameter { document["parameter"] = .string(parameter) }
        return .object(document)
    }
}

/// A refusal that knows how it looks over HTTP.
package protocol ProblemConvertible: Error {
    var problem: Problem { get }
}
