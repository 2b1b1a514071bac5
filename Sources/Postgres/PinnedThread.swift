internal import CLibPQ
internal import Glibc
internal import Synchronization

/// A serial executor that is one named operating-system thread.
///
/// A thread lives as long as the process, because an executor that ends while an actor still names it is undefined
/// behaviour; a closed connection leaves its thread to the next one (``ThreadLease``).
final class PinnedThread: SerialExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let wakeup = Semaphore()

    init(name: String) {
        let entry = Unmanaged.passRetained(Entry(thread: self, name: name)).toOpaque()
        var handle = pthread_t()
        let failed = pthread_create(
            &handle,
            nil,
            { raw in
                // The pointer was retained just above, so it is never nil.
                guard let raw else { return nil }
                return Unmanaged<Entry>.fromOpaque(raw).takeRetainedValue().run()
            },
            entry
        )
        precondition(failed == 0, "no thread for \(name)")
        pthread_detach(handle)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasIdle = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if wasIdle { wakeup.signal() }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    private func takeAll() -> [UnownedJob] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }

    private final class Entry: Sendable {
        let thread: PinnedThread
        let name: String

        init(thread: PinnedThread, name: String) {
            self.thread = thread
            self.name = name
        }

        func run() -> UnsafeMutableRawPointer? {
            name_this_thread(name)
            let executor = thread.asUnownedSerialExecutor()
            while true {
                thread.wakeup.wait()
                for job in thread.takeAll() { job.runSynchronously(on: executor) }
            }
        }
    }
}

/// The right to run on one thread; given back when the last holder is gone.
final class ThreadLease: Sendable {
    private static let idle = Mutex<[PinnedThread]>([])

    let thread: PinnedThread

    init() {
        thread = Self.idle.withLock { $0.popLast() } ?? PinnedThread(name: "postgres")
    }

    deinit {
        let thread = thread
        Self.idle.withLock { $0.append(thread) }
    }
}

/// A futex-backed counting semaphore; `Dispatch` is not needed for one.
///
/// Unchecked: `sem_t` is made to be shared, Swift cannot know.
private final class Semaphore: @unchecked Sendable {
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(raw, 0, 0) }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func signal() { sem_post(raw) }
    func wait() { while sem_wait(raw) != 0 {} }
}
