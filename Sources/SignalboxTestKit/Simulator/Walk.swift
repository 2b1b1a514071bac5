internal import EventStore
internal import Kernel
internal import Platform
internal import Sagas

extension Simulation {
    /// Several processes at once, of which a seeded scheduler lets one move at a time, from point to point.
    ///
    /// What goes wrong, how often, and who is whose zombie comes from the seed too, so a seed is a schedule that can be
    /// played again.
    ///
    /// - Parameters:
    ///   - seed: Any number.
    ///   - processes: How many there are at first.
    /// - Returns: How it ended.
    /// - Throws: What the log throws.
    package func walk(seed: UInt64, processes: Int = 3) async throws -> Outcome {
        let scheduler = SeededScheduler(seed: seed, processes: processes, simulation: self)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<processes {
                    group.addTask {
                        let process = SimulatedProcess { _, point in await scheduler.reach(number, point) }
                        do {
                            await scheduler.enter(number)
                            try await self.wander(process, number, scheduler)
                            await scheduler.leave(number)
                        } catch {
                            await scheduler.leave(number)
                            throw error
                        }
                    }
                }
                try await group.waitForAll()
            }
            world.land()
            try await settle(SimulatedProcess())
            return try await conclude()
        } catch let endless as Endless {
            return Outcome(ends: [:], violations: [endless.description])
        }
    }

    /// Does what is due; lets time pass only when the scheduler says so.
    private func wander(_ process: SimulatedProcess, _ number: Int, _ scheduler: SeededScheduler) async throws {
        let (engine, starter) = (try engine(process), try starter(process))
        for _ in 0..<200 {
            guard !process.isDead else { return }
            do throws(LogError) {
                while try await starter.turn() {}
            } catch { continue }
            if process.isDead { return }
            if await engine.turn() > 0 { continue }
            guard let due = try await due() else { return }
            if await scheduler.waits(number) { clock.advance(max(.milliseconds(1), due - clock.ids.now())) }
        }
    }
}

/// Lets one process move at a time, and draws what happens to it.
private actor SeededScheduler {
    private var state: UInt64
    private let simulation: Simulation
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var living: Set<Int>
    private var mishaps = 4
    private var isDeleted = false

    init(seed: UInt64, processes: Int, simulation: Simulation) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        living = Set(0..<processes)
        self.simulation = simulation
    }

    /// Waits until everybody is there and it is one's turn.
    func enter(_ number: Int) async { await turn(number) }

    func leave(_ number: Int) {
        living.remove(number)
        next()
    }

    /// Stands at a point until it is one's turn again, and is told what happens there.
    func reach(_ number: Int, _ point: SimulatedProcess.Point) async -> SimulatedProcess.Verdict {
        await turn(number)
        guard mishaps > 0, draw(24) == 0 else { return .go }
        mishaps -= 1
        if draw(4) == 0 { simulation.world.land() }
        if !isDeleted, draw(6) == 0 {
            isDeleted = true
            await simulation.deleteOrganization()
        }
        let faults: [Schedule.Fault] =
            [.inFlight, .late, .lost, .error(.transient(code: "503", message: "unwell"))]
            + (living.count > 1 ? [.crash, .crash] : [])
        let fault = faults[draw(faults.count)]
        guard fault.strikes(at: point), fault != .inFlight || living.count > 1 else { return .go }
        return fault.verdict ?? .go
    }

    /// Whether somebody who has nothing to do lets time pass: seldom while others are at something.
    func waits(_ number: Int) async -> Bool {
        await turn(number)
        return living.count == 1 || draw(12) == 0
    }

    private func turn(_ number: Int) async {
        await withCheckedContinuation { continuation in
            waiting[number] = continuation
            next()
        }
    }

    /// Once all stand still, one goes on.
    private func next() {
        guard waiting.count == living.count, !waiting.isEmpty else { return }
        let numbers = waiting.keys.sorted()
        waiting.removeValue(forKey: numbers[draw(numbers.count)])?.resume()
    }

    /// A number below `bound` (SplitMix64; Steele, Lea, Flood 2014).
    private func draw(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
