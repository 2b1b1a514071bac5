package import Commands
package import Testing

/// What has happened to something so far.
///
/// `given(Model.self, history…).when(command).then(events…)` or `.refused(refusal)`.
package func given<Model: Decider>(_: Model.Type, _ history: Model.Event...) -> Scenario<Model> {
    Scenario(model: Model(replaying: history))
}

/// The same for a history at hand.
package func given<Model: Decider>(_: Model.Type, after history: [Model.Event]) -> Scenario<Model> {
    Scenario(model: Model(replaying: history))
}

/// A write model about to be given a command.
package struct Scenario<Model: Decider> {
    let model: Model

    /// Gives one command.
    package func when(_ command: Model.Command) -> Outcome {
        do throws(Model.Refusal) {
            return Outcome(model: model, command: command, result: .success(try model.decide(command)))
        } catch {
            return Outcome(model: model, command: command, result: .failure(error))
        }
    }

    /// What a command came to.
    package struct Outcome {
        let model: Model
        let command: Model.Command
        let result: Result<[Model.Event], Model.Refusal>

        /// Expects these events and no others, and nothing new when the same command is sent again after them.
        package func then(_ events: Model.Event..., at location: SourceLocation = #_sourceLocation) {
            #expect(result == .success(events), sourceLocation: location)
            guard case .success(let caused) = result else { return }
            var after = model
            for event in caused { after.evolve(event) }
            #expect((try? after.decide(command)) == [], "sent again: nothing new", sourceLocation: location)
        }

        /// Expects these events and no others, of a command that is another one each time it is sent.
        package func thenOnce(_ events: Model.Event..., at location: SourceLocation = #_sourceLocation) {
            #expect(result == .success(events), sourceLocation: location)
        }

        /// Expects a refusal.
        package func refused(_ refusal: Model.Refusal, at location: SourceLocation = #_sourceLocation) {
            #expect(result == .failure(refusal), sourceLocation: location)
        }
    }
}
