internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Everything that the provisioning of one generation of an instance is decided on, fixed when it begins.
struct ProvisionInput: SagaInput {
    var organization: OrganizationID
    var organizationName: String
    var slug: String
    var instance: InstanceID
    /// `main` for the organization's first.
    var name: String
    var subscription: SubscriptionID
    var price: PriceSnapshot
    var plan: PlanSnapshot
    var release: ReleaseSnapshot
    var computeEngine: ComputeEngine
    var generation: Int
    /// Billing's id of the subscription, once there is one: at first the draft that an earlier generation left behind.
    var formerDraft: String?
    /// The change of plan whose replacement is billed by now; `nil` while it is what the provisioning drafted.
    var billedBy: UniqueID?
    /// The credentials that the database is entered with, once there are any.
    var login: InstanceEvent.CredentialsReserved?
    /// Those that the generation began with.
    var first: InstanceEvent.CredentialsReserved?
    /// The id that the workload has at the identity service, once it is known.
    var oauthClient: String?
    /// The slot that it serves from; the first one when it is not said.
    var slot: String?
    /// The other slot, once something was put there.
    var spare: String?
    /// Whether another release was ever asked for, whose migration may have left its name behind.
    var migrates: Bool?

    init(
        requested: InstanceEvent.Requested,
        instance: InstanceID,
        price: PriceSnapshot,
        generation: Int,
        formerDraft: String? = nil
    ) {
        self.organization = requested.organization
        self.organizationName = requested.organizationName
        self.slug = requested.slug
        self.instance = instance
        self.name = requested.name
        self.subscription = requested.subscription
        self.price = price
        self.plan = requested.plan
        self.release = requested.release
        self.computeEngine = requested.computeEngine
        self.generation = generation
        self.formerDraft = formerDraft
    }
}

extension ProvisionInput {
    /// The slot that it serves from.
    var serving: String { slot ?? SlotName.first }

    /// From the streams of the instance and its subscription, as they were when the cause was recorded.
    static func read(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) -> Self {
        guard let instance = InstanceID(cause.stream.id) else { throw .malformed("\(cause.stream) is no instance") }
        return try await read(instance, through: (cause.version, cause.position), log)
    }

    /// From the same streams as they are now.
    static func now(_ instance: InstanceID, _ log: any EventLog) async throws(PortError) -> Self {
        do throws(SagaBeginError) {
            return try await read(instance, through: (.max, .max), log)
        } catch {
            switch error {
            case .log(let error): throw .unread(error)
            case .malformed(let why): throw .blocked(code: "log-unreadable", message: why)
            }
        }
    }

    /// As the output of a step.
    func output() throws(PortError) -> JSONValue {
        do throws(SagaBeginError) {
            return try json()
        } catch { throw .blocked(code: "output-unwritable", message: "what was found is not JSON") }
    }

    private static func read(
        _ instance: InstanceID,
        through end: (version: Int64, position: Int64),
        _ log: any EventLog
    ) async throws(SagaBeginError) -> Self {
        let stream = StreamName(category: InstanceEvent.category, id: instance)
        var requested: InstanceEvent.Requested?
        var generation = 1
        var (login, first) = (InstanceEvent.CredentialsReserved?.none, InstanceEvent.CredentialsReserved?.none)
        var oauthClient: String?
        // The saga of a change has the id of the event that asked for it.
        var (asked, changes) = (UniqueID?.none, [UniqueID?]())
        var (slot, used) = (SlotName.first, Set([SlotName.first]))
        var migrates: Bool?
        for event in try await history(stream, log) where event.version <= end.version {
            switch try decoded(InstanceEvent.self, event) {
            case .requested(let fact): (requested, generation) = (fact, fact.generation)
            case .retryRequested(let fact):
                (generation, login, first, oauthClient) = (fact.generation, nil, nil, nil)
                (slot, used) = (SlotName.first, [SlotName.first])
            case .changeRequested(let fact) where fact.change == InstanceChange.version: migrates = true
            case .slotDeployed(let fact): used.insert(fact.slot)
            case .slotServing(let fact): slot = fact.slot
            case .credentialsReserved(let fact): (login, first) = (fact, fact)
            case .credentialsRotated(let fact): login = fact
            case .workloadRegistered(let fact): oauthClient = fact.oauthClient
            case .changeRequested(let fact): asked = fact.change == InstanceChange.plan ? event.id : nil
            case .changed(let fact):
                if fact.change == InstanceChange.plan { changes.append(asked) }
                if let plan = fact.plan { requested?.plan = plan }
                if let release = fact.release { requested?.release = release }
            default: break
            }
        }
        guard let requested else { throw .malformed("\(stream) was never requested") }

        let subscription = StreamName(category: SubscriptionEvent.category, id: requested.subscription)
        var price: PriceSnapshot?
        var (draft, billedBy, count) = (String?.none, UniqueID?.none, 0)
        for event in try await history(subscription, log) where event.position <= end.position {
            switch try decoded(SubscriptionEvent.self, event) {
            case .requested(let fact): price = fact.price
            case .drafted(let fact): (draft, billedBy) = (fact.billingID, nil)
            case .planChanged(let fact):
                if fact.billingID != draft { billedBy = changes.indices.contains(count) ? changes[count] : nil }
                (price, draft, count) = (fact.price, fact.billingID, count + 1)
            default: break
            }
        }
        // Onboarding writes both streams in one request, whose positions may stand in either order.
        if price == nil { price = try await firstPrice(subscription, log) }
        guard let price else { throw .malformed("\(subscription) was never requested") }
        var input = Self(
            requested: requested,
            instance: instance,
            price: price,
            generation: generation,
            formerDraft: draft
        )
        (input.login, input.first, input.oauthClient) = (login, first, oauthClient)
        input.billedBy = billedBy
        input.migrates = migrates
        if slot != SlotName.first { input.slot = slot }
        let other = SlotName.other(than: slot)
        if used.contains(other) { input.spare = other }
        return input
    }

    private static func firstPrice(
        _ stream: StreamName,
        _ log: any EventLog
    ) async throws(SagaBeginError) -> PriceSnapshot? {
        for event in try await history(stream, log) {
            if case .requested(let fact) = try decoded(SubscriptionEvent.self, event) { return fact.price }
        }
        return nil
    }

    static func history(
        _ stream: StreamName,
        _ log: any EventLog
    ) async throws(SagaBeginError) -> [RecordedEvent] {
        do throws(LogError) {
            return try await log.readAll(stream)
        } catch { throw .log(error) }
    }

    static func decoded<Family: EventFamily>(
        _ family: Family.Type,
        _ event: RecordedEvent
    ) throws(SagaBeginError) -> Family? {
        guard let payload = event.payload else { return nil }
        do {
            return try Family.decode(type: event.type, schemaVersion: event.schemaVersion, payload: payload)
        } catch { throw .malformed("\(event.stream) \(event.version) cannot be read as \(event.type)") }
    }
}
