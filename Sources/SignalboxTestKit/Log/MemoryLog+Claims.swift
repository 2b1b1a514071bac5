internal import EventStore

// The witness has no suspension point and never fails, so it is the method that tests call anyway.
extension MemoryLog: ClaimDirectory {}
