internal import ArgumentParser

/// How much of a list is shown.
struct PageSize: ParsableArguments {
    @Option(help: "How many, at most 200.")
    var limit = 50

    func validate() throws {
        guard (1...200).contains(limit) else { throw ValidationError("--limit is 1 to 200") }
    }
}
