internal import EventStore
internal import Kernel

extension SagaDeed {
    /// What the log remembers of it, so that the same command again is the same deed; `nil` for one that comes once.
    func record(_ receipt: SagaReceipt) throws(AppendError) -> CommandRecord? {
        guard let requestHash, let command else { return nil }
        do {
            return CommandRecord(
                id: command,
                principal: actor,
                requestHash: requestHash,
                answer: try JSON.encode(receipt)
            )
        } catch { throw .invalid("a receipt is not JSON") }
    }
}

extension SagaReceipt {
    /// This one, or that of the first of two.
    func answered(_ appended: Appended) throws(AppendError) -> SagaReceipt {
        var receipt = self
        if let bytes = appended.repeated {
            do {
                receipt = try JSON.decode(SagaReceipt.self, from: bytes)
            } catch { throw .invalid("a remembered answer is not that of a deed") }
            receipt.repeated = true
        }
        receipt.position = appended.lastPosition
        return receipt
    }
}
