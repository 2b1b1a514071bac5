internal import Adapters
internal import Kernel
internal import Platform
internal import Sagas

extension SagaDefinition {
    /// The same saga, of whose every attempt at a step a span is left, with those of the calls below it.
    func traced(by recorder: SpanRecorder) -> SagaDefinition {
        let kind = kind
        return SagaDefinition(
            kind: kind,
            version: version,
            priority: priority,
            steps: steps.map { $0.traced(by: recorder, in: kind) },
            begin: begin,
            scope: scope,
            failed: failed
        )
    }
}

extension SagaStep {
    fileprivate func traced(by recorder: SpanRecorder, in kind: String) -> SagaStep {
        let watch = StepWatch(recorder: recorder, kind: kind, target: policy.target)
        let ensure = ensure
        var tracedProbe: Probe?
        if let probe {
            tracedProbe = { context async throws(PortError) in
                try await watch.follow("look", context) {
                    do throws(PortError) { return .success(try await probe(context)) } catch { return .failure(error) }
                }.get()
            }
        }
        var tracedUndo: EnsureAbsent?
        if let ensureAbsent {
            tracedUndo = { context async throws(PortError) in
                try await watch.follow("undo", context) {
                    do throws(PortError) { return .success(try await ensureAbsent(context)) } catch {
                        return .failure(error)
                    }
                }.get()
            }
        }
        return SagaStep(
            id,
            policy: policy,
            ensure: { context async throws(PortError) in
                try await watch.follow("ensure", context) {
                    do throws(PortError) { return .success(try await ensure(context)) } catch { return .failure(error) }
                }.get()
            },
            probe: tracedProbe,
            ensureAbsent: tracedUndo,
            undoAfter: undoAfter,
            resources: resources
        )
    }
}

/// Follows the attempts at one step.
private struct StepWatch: Sendable {
    let recorder: SpanRecorder
    let kind: String
    let target: String

    func follow<Value: Sendable>(
        _ deed: String,
        _ context: StepContext,
        _ body: @Sendable () async -> Result<Value, PortError>
    ) async -> Result<Value, PortError> {
        let name = "\(kind)/\(context.step) \(deed)"
        guard let span = recorder.begin(name, .internal, partOf: context.traceparent) else { return await body() }
        let outcome = await OutsideCalls.$observer.withValue(CallWatch(recorder: recorder, step: span)) { await body() }
        var problem: String?
        if case .failure(let error) = outcome { problem = "\(error.code): \(error.message)" }
        recorder.end(
            span,
            attributes: [
                "signalbox.saga": .string("\(context.saga)"), "signalbox.step": .string(context.step),
                "signalbox.attempt": .integer(Int64(context.attempt)), "signalbox.target": .string(target),
            ],
            problem: problem
        )
        return outcome
    }
}

/// Follows the calls of one attempt.
private struct CallWatch: CallObserver {
    let recorder: SpanRecorder
    let step: OpenSpan

    func began(_ verb: HTTPVerb, _ url: String) -> ObservedCall {
        let host = url.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        guard let span = recorder.begin("\(verb.rawValue) \(host)", .client, partOf: step.traceparent) else {
            return ObservedCall(traceparent: step.traceparent) { _ in }
        }
        let recorder = recorder
        return ObservedCall(traceparent: span.traceparent) { outcome in
            var attributes: [String: JSONValue] = [
                "http.request.method": .string(verb.rawValue), "url.full": .string(url),
            ]
            var problem: String?
            switch outcome {
            case .success(let status):
                attributes["http.response.status_code"] = .integer(Int64(status))
                if status >= 400 { problem = "status \(status)" }
            case .failure(let failure): problem = "\(failure)"
            }
            recorder.end(span, attributes: attributes, problem: problem)
        }
    }
}
