import Audit
import Commands
import Domain
import EventStore
import Kernel
import Projections
@testable import Server
import SignalboxTestKit

/// All rows of a read model, folded from the log, by key.
private func rows<Model: Projection>(
    _ model: Model.Type,
    _ log: MemoryLog
) async throws(ReadError) -> [String: Model.Row] {
    var rows: [String: Model.Row] = [:]
    do {
        let page = try await log.read(after: 0, through: nil, matching: .everything, limit: 100_000)
        for record in page.events where Model.reads.contains(record.type) {
            guard let entry = try Entry(record), let key = Model.key(of: entry) else { continue }
            try Model.fold(into: &rows[key], entry)
        }
    } catch {
        throw .unavailable
    }
    return rows
}

private func frontier(_ log: MemoryLog) async throws(ReadError) -> Int64 {
    do { return try await log.frontier() } catch { throw .unavailable }
}

/// A part of a list; the cursor is simply an index.
private func page<Element>(_ all: [Element], _ request: PageRequest) throws(ReadError) -> Page<Element> {
    guard let start = request.after.map({ Int($0) }) ?? 0 else { throw .badCursor }
    let part = Array(all.dropFirst(start).prefix(request.limit))
    let end = start + part.count
    return Page(data: part, next: end < all.count ? String(end) : nil)
}

extension ReadDoor {
    /// Answers by folding the whole log for every question.
    init(folding log: MemoryLog) {
        self.init()
        position = { () throws(ReadError) in try await frontier(log) }
        wait = { wanted, time, _ throws(ReadError) in
            let deadline = ContinuousClock.now + time
            while try await frontier(log) < wanted {
                guard ContinuousClock.now < deadline else { throw .behind(position: try await frontier(log)) }
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
        role = { user, organization throws(ReadError) in
            let isThere = try await rows(Organizations.self, log)[organization.description]?.status != .deleted
            return isThere ? try await rows(Members.self, log)["\(organization).\(user)"]?.role : nil
        }
        outlived = { organization, user throws(ReadError) in
            let isDeleted = try await rows(Organizations.self, log)[organization.description]?.status == .deleted
            let member = try await rows(Members.self, log)["\(organization).\(user)"]
            return isDeleted && member != nil
        }
        key = { id throws(ReadError) in try await rows(APIKeys.self, log)[id.description] }
        keys = { owner, request throws(ReadError) in
            let all = try await rows(APIKeys.self, log).values.filter { $0.owner == owner }.sorted { $0.id < $1.id }
            return Reading(try page(all.map(\.view), request), at: try await frontier(log))
        }
        organization = { id throws(ReadError) in
            Reading(try await rows(Organizations.self, log)[id.description], at: try await frontier(log))
        }
        organizations = { user, request throws(ReadError) in
            let mine = try await rows(Members.self, log).values.filter { $0.userID == user }.map(\.organizationID)
            let all = try await rows(Organizations.self, log).values
                .filter { $0.status != .deleted && (user == nil || mine.contains($0.id)) }.sorted { $0.id < $1.id }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        members = { organization, request throws(ReadError) in
            let all = try await rows(Members.self, log).values.filter { $0.organizationID == organization }
            return Reading(try page(Array(all), request), at: try await frontier(log))
        }
        invitations = { organization, request throws(ReadError) in
            let all = try await rows(Invitations.self, log).values
                .filter { $0.organizationID == organization }.sorted { $0.position > $1.position }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        instance = { id throws(ReadError) in
            let row = try await rows(Instances.self, log)[id.description]
            return Reading(row.map { InstanceView($0, subscription: nil) }, at: try await frontier(log))
        }
        instances = { organization, request throws(ReadError) in
            let all = try await rows(Instances.self, log).values
                .filter { $0.organizationID == organization }.sorted { $0.id < $1.id }
            return Reading(
                try page(all.map { InstanceView($0, subscription: nil) }, request),
                at: try await frontier(log)
            )
        }
        history = { instance, request throws(ReadError) in
            let all = try await rows(Timeline.self, log).values
                .filter { $0.instanceID == instance }.sorted { $0.position < $1.position }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        subscription = { id throws(ReadError) in
            Reading(try await rows(Subscriptions.self, log)[id.description], at: try await frontier(log))
        }
        operation = { id throws(ReadError) in
            Reading(try await rows(Operations.self, log)[id.description], at: try await frontier(log))
        }
        operations = { organizations, status, request throws(ReadError) in
            let all = try await rows(Operations.self, log).values
                .filter { row in organizations.map { row.organizationID.map($0.contains) ?? false } ?? true }
                .filter { status == nil || $0.status == status }
                .sorted { $0.position > $1.position }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        auditLog = { organization, actor, request throws(ReadError) in
            let all = try await rows(AuditLog.self, log).values
                .filter { organization == nil || $0.organizationID == organization }
                .filter { actor == nil || $0.actor == actor }.sorted { $0.position > $1.position }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        databases = { status, request throws(ReadError) in
            let all = try await rows(Databases.self, log).values
                .filter { status == nil || $0.status == status }.sorted { $0.position < $1.position }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        releases = { () throws(ReadError) in
            let all = try await rows(Releases.self, log).values.flatMap(\.releases)
            return Reading(all, at: try await frontier(log))
        }
        rollout = { id throws(ReadError) in
            Reading(try await rows(Rollouts.self, log)[id.description], at: try await frontier(log))
        }
        rollouts = { request throws(ReadError) in
            let all = try await rows(Rollouts.self, log).values.sorted { $0.id > $1.id }
            return Reading(try page(all, request), at: try await frontier(log))
        }
        routes = { floor throws(ReadError) in
            let position = try await frontier(log)
            guard position >= floor else { throw .behind(position: position) }
            return Reading(try await rows(Routes.self, log).values.sorted { $0.router < $1.router }, at: position)
        }
    }
}

extension EventDoor {
    /// The log as it is, looked at every few milliseconds.
    init(_ log: MemoryLog, erased: any ErasedSubjects) {
        self.init()
        isStreamName = { StreamName($0) != nil }
        look(at: log, erased)
        let slice: @Sendable (Wish, Int64, Int) async throws(Failure) -> Slice = { wish, after, limit throws(Failure) in
            do {
                let page = try await log.read(after: after, through: nil, matching: .init(wish), limit: 100_000)
                let events = page.events.prefix(limit)
                let all = events.count == page.events.count
                return Slice(
                    events: try await shown(Array(events), erased),
                    scannedTo: all ? page.scannedTo : events.last?.position ?? after
                )
            } catch {
                throw .unavailable
            }
        }
        list = slice
        next = { wish, after, limit, patience throws(Failure) in
            let deadline = ContinuousClock.now + patience
            while true {
                let found = try await slice(wish, after, limit)
                if !found.events.isEmpty || ContinuousClock.now >= deadline || Task.isCancelled { return found }
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
        beginning = { text throws(Failure) in
            guard let token = ResumeToken(text) else { return .unknown }
            do {
                return switch try await EventHistory(log: log, bell: Bell()).standing(of: token) {
                case .known: .after(token.position)
                case .forked: .forked
                case .beyond(let end): .beyond(end: end)
                }
            } catch {
                throw .unavailable
            }
        }
        token = { position throws(Failure) in
            do {
                return ResumeToken(position: position, leaf: try await log.leaf(at: position)).description
            } catch {
                throw .unavailable
            }
        }
        one = { position throws(Failure) in try await slice(Wish(), position - 1, 1).events.first }
        frontier = { () throws(Failure) in
            do { return try await log.frontier() } catch { throw .unavailable }
        }
    }
}

extension EventDoor {
    /// What is asked of one stream, and of everything at once.
    private mutating func look(at log: MemoryLog, _ erased: any ErasedSubjects) {
        export = { wish, place, end throws(Failure) in
            do {
                // Two at a time, so that there is more than one page.
                let page = try await log.read(after: place.position, through: end, matching: .init(wish), limit: 2)
                let views = try await shown(page.events, erased)
                return (views, page.scannedTo < end ? Place(after: page.scannedTo) : nil)
            } catch {
                throw .unavailable
            }
        }
        history = { name, version, limit throws(Failure) in
            guard let stream = StreamName(name) else { return [] }
            do {
                return try await shown(try await log.read(stream, after: version, limit: limit), erased)
            } catch {
                throw .unavailable
            }
        }
        state = { name, moment throws(Failure) in
            guard let stream = StreamName(name) else { return nil }
            do {
                guard var state = try await Past(log: log).state(of: stream, at: moment) else { return nil }
                let gone = try await erased.erased(among: Disclosure.subjects(in: state.state))
                state.state = Disclosure.closed(state.state, erased: gone)
                return state
            } catch PastError.noState {
                throw .stateless
            } catch PastError.notYet(let detail) {
                throw .notYet(detail)
            } catch {
                throw .unavailable
            }
        }
    }
}

extension EventFilter {
    fileprivate init(_ wish: EventDoor.Wish) {
        self.init(
            categories: wish.category.map { [$0] },
            types: wish.type.map { [$0] },
            organization: wish.organization,
            stream: wish.stream.flatMap { StreamName($0) },
            actor: wish.actor,
            from: wish.from,
            to: wish.to
        )
    }
}

/// Events as they are shown.
private func shown(
    _ events: [RecordedEvent],
    _ erased: any ErasedSubjects
) async throws(LogError) -> [EventView] {
    var views: [EventView] = []
    for event in events {
        let data = event.payload.flatMap { try? JSON.decode(JSONValue.self, from: $0) }
        let gone = try await erased.erased(among: data.map(Disclosure.subjects(in:)) ?? [])
        views.append(
            EventView(
                position: event.position,
                id: event.id,
                stream: event.stream.text,
                version: event.version,
                type: event.type,
                schemaVersion: Int(event.schemaVersion),
                recordedAt: event.recordedAt,
                organization: event.organization,
                actor: event.actor,
                command: event.command,
                cause: event.cause,
                correlation: event.correlation,
                data: data,
                metadata: (try? JSON.decode(JSONValue.self, from: Array(event.metadata.utf8))) ?? .object([:]),
                erased: gone
            )
        )
    }
    return views
}
