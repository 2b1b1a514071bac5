internal import Audit
internal import EventStore
internal import Server

extension AuditDoor {
    /// The transparency log as it is sealed.
    init(_ log: TransparencyLog) {
        self.init()
        checkpoint = { () throws(Failure) in
            do throws(AuditError) { return try await log.checkpoint() } catch { throw Failure(error) }
        }
        tile = { path throws(Failure) in
            guard let tile = Tile(path: path) else { return nil }
            do throws(AuditError) { return try await log.tile(tile) } catch { throw Failure(error) }
        }
        entries = { path throws(Failure) in
            guard let bundle = EntryTile(path: path) else { return nil }
            do throws(AuditError) { return try await log.entries(bundle) } catch { throw Failure(error) }
        }
        signers = { () throws(Failure) in
            do throws(AuditError) { return try await log.signers().map(SignerView.init) } catch { throw Failure(error) }
        }
        proof = { position throws(Failure) in
            do throws(AuditError) { return try await log.proof(at: position)?.encoded } catch { throw Failure(error) }
        }
        kept = { position throws(Failure) in
            do throws(AuditError) {
                guard let event = try await log.stored(at: position) else { return nil }
                let proof = try await log.proof(of: event)?.encoded
                return KeptEvent(salt: event.salt, payload: event.event.payload, proof: proof)
            } catch { throw Failure(error) }
        }
    }
}

extension AuditDoor.Failure {
    fileprivate init(_ error: AuditError) {
        switch error {
        case .unavailable, .fenced: self = .unavailable
        case .violated(let promise): self = .broken(promise)
        case .refused(let refusal): self = .broken(refusal.description)
        }
    }
}

extension SignerView {
    init(_ record: SignerRecord) {
        self.init(
            vkey: record.vkey,
            epoch: record.epoch,
            firstSize: record.firstSize,
            lastSize: record.lastSize,
            current: record.isCurrent
        )
    }
}
