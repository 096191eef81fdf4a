// Threads: started with a name, on request bound to one processor.

internal import CLinux
internal import Glibc
internal import Synchronization

/// A running thread with one owner. Detached when the owner ends without joining it.
package struct Thread: ~Copyable {
    private let handle: pthread_t

    /// Runs `body` in a new thread.
    ///
    /// - Parameters:
    ///   - name: Shown by `ps -L` and debuggers; the kernel keeps 15 bytes.
    ///   - processor: The only processor it may run on, counted from 0; nil: any. A processor that
    ///     does not exist is ignored.
    package static func start(
        name: String, processor: Int? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Thread {
        let start = Start(name: name, processor: processor, body: body)
        let box = unsafe Unmanaged.passRetained(start)
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw SystemError("start thread", on: name, code: code)
        }
        return Thread(handle: handle)
    }

    deinit { _ = pthread_detach(handle) }

    /// Waits until the thread has ended.
    package consuming func join() {
        _ = pthread_join(handle, nil)
        discard self
    }

    /// Binds the calling thread to one processor, counted from 0.
    package static func pinCurrent(to processor: Int) throws(SystemError) {
        guard holdfast_pin_thread(Int32(clamping: processor)) == 0 else {
            throw .last("pin a thread to processor", on: "\(processor)")
        }
    }

    /// Has the calling thread give way to others: for work that nobody waits for.
    package static func lowerPriority() {
        // On Linux a thread has a priority of its own, and 0 names the calling one.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    }

    /// Lets the calling thread rest. For threads of their own, tests and tools, never for a
    /// reactor.
    package static func sleep(milliseconds: Int) {
        precondition(milliseconds >= 0)
        var wish = timespec(
            tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var rest = timespec()
        while unsafe nanosleep(&wish, &rest) != 0, errno == EINTR { wish = rest }
    }

    /// What travels into the new thread.
    private final class Start: Sendable {
        let name: String
        let processor: Int?
        let body: @Sendable () -> Void

        init(name: String, processor: Int?, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.processor = processor
            self.body = body
        }

        func run() {
            _ = unsafe holdfast_name_thread(name)
            if let processor { _ = holdfast_pin_thread(Int32(clamping: processor)) }
            body()
        }
    }
}

/// A thread that can be kept anywhere and is joined once, by whoever asks first.
package final class RunningThread: Sendable {
    private let thread: Mutex<Thread?>

    package init(_ thread: consuming sending Thread) { self.thread = Mutex(consume thread) }

    /// Waits until the thread has ended. Again: nothing.
    package func join() {
        let taken = thread.withLock { $0.take() }
        taken?.join()
    }
}
