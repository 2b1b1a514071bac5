/// The steps by which the tree grows, in their order; a crash may come after any of them.
package enum SealStep: String, CaseIterable, Sendable {
    /// The tiles and the root are in the database, on disk.
    case sealed
    /// The checkpoint is signed, in memory.
    case signed
    /// The signed checkpoint is in the folder outside of the database, on disk.
    case kept
    /// It is in the database, for everyone to fetch.
    case published
}
