/// The answer to an accepted command; the same command again gets the same one.
package struct Receipt<Answer: Codable & Sendable>: Sendable {
    package var answer: Answer
    /// The position of the last event it wrote, or of the last event of its stream when there was nothing to write.
    package var position: Int64
    /// The version of the stream the command was for.
    package var version: Int64
    /// Whether this is the answer to the first of two.
    package var repeated: Bool

    package init(answer: Answer, position: Int64, version: Int64, repeated: Bool) {
        self.answer = answer
        self.position = position
        self.version = version
        self.repeated = repeated
    }
}
