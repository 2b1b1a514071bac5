package import Kernel

/// What becomes of databases that nobody uses any more.
extension InstanceEvent {
    package struct DatabaseQuarantined: Fact {
        package var database: String
        package var renamed: String
        package var until: Timestamp
        /// Whose it was, when it was not the instance's own any more: left behind by an earlier generation.
        package var orphan: Orphan?
        package init(database: String, renamed: String, until: Timestamp, orphan: Orphan? = nil) {
            self.database = database
            self.renamed = renamed
            self.until = until
            self.orphan = orphan
        }
    }

    package struct Orphan: Fact {
        package var role: String
        package var generation: Int
        package init(role: String, generation: Int) {
            self.role = role
            self.generation = generation
        }
    }

    package struct DatabaseDropped: Fact {
        package var database: String
        package var role: String
        package init(database: String, role: String) {
            self.database = database
            self.role = role
        }
    }
}
