/// How an instance comes from one release to another.
///
/// Add to the list; never rename: the values stand in the log.
package enum ReleaseStrategy: String, Codable, Sendable, CaseIterable {
    /// Beside the release that serves, in the other slot, which then takes over.
    case zeroDowntime = "zero-downtime"
    /// In place of it.
    case rolling
}

/// The two places in which a release of an instance can run; one serves, the other stands by or rests.
package enum SlotName {
    /// Where an instance begins.
    package static let first = "a"
    package static let second = "b"

    /// The one beside it.
    package static func other(than slot: String) -> String { slot == first ? second : first }
}

extension InstanceEvent {
    package struct SlotDeployed: Fact {
        /// `a` or `b`.
        package var slot: String
        /// The version that runs there now, without a route.
        package var release: String
        package var job: String
        package var jobVersion: Int
        /// Nomad's JobModifyIndex, read again after the write.
        package var modifyIndex: Int64
        /// Hex SHA-256 of the job specification as it was sent.
        package var specHash: String
        package var generation: Int
        package init(
            slot: String,
            release: String,
            job: String,
            jobVersion: Int,
            modifyIndex: Int64,
            specHash: String,
            generation: Int
        ) {
            self.slot = slot
            self.release = release
            self.job = job
            self.jobVersion = jobVersion
            self.modifyIndex = modifyIndex
            self.specHash = specHash
            self.generation = generation
        }
    }

    package struct SlotMoved: Fact {
        /// `a` or `b`.
        package var slot: String
        /// The version that runs, or ran, there.
        package var release: String
        package var generation: Int
        package init(slot: String, release: String, generation: Int) {
            self.slot = slot
            self.release = release
            self.generation = generation
        }
    }

    package struct TrafficShifted: Fact {
        package var router: String
        /// One for each slot that has to do with it, in the order of their names.
        package var weights: [SlotWeight]
        package var generation: Int
        package init(router: String, weights: [SlotWeight], generation: Int) {
            self.router = router
            self.weights = weights
            self.generation = generation
        }
    }

    /// The share of the traffic that a slot gets, in percent.
    package struct SlotWeight: Fact {
        /// `a` or `b`.
        package var slot: String
        /// Its name in the service catalogue.
        package var service: String
        /// Of what only looks: GET and HEAD.
        package var reads: Int
        /// Of everything else.
        package var writes: Int
        package init(slot: String, service: String, reads: Int, writes: Int) {
            self.slot = slot
            self.service = service
            self.reads = reads
            self.writes = writes
        }
    }

    package struct LeaseHandedOver: Fact {
        /// Whose scheduler works from here on.
        package var slot: String
        /// Grows with every hand-over, so that the one before can be told from it.
        package var epoch: Int64
        package var generation: Int
        package init(slot: String, epoch: Int64, generation: Int) {
            self.slot = slot
            self.epoch = epoch
            self.generation = generation
        }
    }
}
