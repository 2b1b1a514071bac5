extension InstanceEvent {
    package struct Observed: Fact {
        package var condition: String
        package var status: ConditionStatus
        package var reason: String
        package var generation: Int
        package init(condition: String, status: ConditionStatus, reason: String, generation: Int) {
            self.condition = condition
            self.status = status
            self.reason = reason
            self.generation = generation
        }
    }

    package struct Drift: Fact {
        package var what: String
        package var expected: String
        package var observed: String
        /// Of the thing, at its target.
        package var name: String?
        /// What is written on the thing, where that is not the instance's own.
        package var generation: Int?
        /// How often it was detected.
        package var count: Int?
        /// It was one of too many: a person has to let its repair go on.
        package var braked: Bool?
        package init(
            what: String,
            expected: String,
            observed: String,
            name: String? = nil,
            generation: Int? = nil,
            count: Int? = nil,
            braked: Bool? = nil
        ) {
            self.what = what
            self.expected = expected
            self.observed = observed
            self.name = name
            self.generation = generation
            self.count = count
            self.braked = braked
        }
    }

    package struct BackedUp: Fact {
        package var database: String
        /// Where the dump is, on the machine that made it.
        package var path: String
        /// In bytes.
        package var size: Int64
        /// Hex SHA-256 of the dump.
        package var sha256: String
        package init(database: String, path: String, size: Int64, sha256: String) {
            self.database = database
            self.path = path
            self.size = size
            self.sha256 = sha256
        }
    }
}
