internal import Domain

extension InstanceRow.Slot {
    /// Nobody comes to it any more.
    mutating func rest(as status: Status) {
        (self.status, weight, readWeight) = (status, 0, nil)
    }
}

extension InstanceRow {
    /// A job was registered: in place of what the slot had, or as the first there is.
    mutating func register(_ job: String) {
        guard let index = slots.firstIndex(where: { $0.job == job }) else {
            slots = [
                Slot(name: SlotName.first, status: .pending, release: desiredRelease, job: job, weight: 0)
            ]
            return
        }
        // What serves goes on serving while it is replaced.
        guard slots[index].weight == 0, slots[index].status != .ready else { return }
        slots[index].status = .pending
        slots[index].release = desiredRelease
    }

    /// All of the traffic goes to the slot with this service.
    mutating func serve(from service: String) {
        for index in slots.indices {
            if slots[index].job == service {
                (slots[index].status, slots[index].weight, slots[index].readWeight) = (.serving, 100, nil)
            } else {
                slots[index].rest(as: slots[index].status)
            }
        }
    }

    mutating func move(_ name: String, to status: Slot.Status) {
        guard let index = slots.firstIndex(where: { $0.name == name }) else { return }
        if status == .terminated { slots[index].rest(as: .terminated) } else { slots[index].status = status }
    }
}
