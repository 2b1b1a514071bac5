/// Told of every call to an outside service, as far as somebody wants to know.
package protocol CallObserver: Sendable {
    /// A request is about to be sent.
    ///
    /// - Parameters:
    ///   - verb: What is asked for.
    ///   - url: Where, without a query.
    /// - Returns: What the service is told of it, and who wants to know how it ends.
    func began(_ verb: HTTPVerb, _ url: String) -> ObservedCall
}

/// A call under way that somebody looks at.
package struct ObservedCall: Sendable {
    /// The W3C trace context that goes with the request.
    package var traceparent: String
    /// Told of the status, or of why there is none; once.
    package var ended: @Sendable (Result<Int, HTTPFailure>) -> Void

    package init(traceparent: String, ended: @escaping @Sendable (Result<Int, HTTPFailure>) -> Void) {
        self.traceparent = traceparent
        self.ended = ended
    }
}

/// Who looks at the calls of a task, and of the tasks below it.
package enum OutsideCalls {
    @TaskLocal package static var observer: (any CallObserver)?
}
