// A server: one reactor per core, started together and stopped together.

package import Platform
internal import Synchronization

/// How connections come to reactors.
package enum ListenerScheme: Sendable {
    /// Each reactor listens by itself on the same port; the kernel deals connections out by a hash
    /// of their ends. No reactor is woken for another's connection.
    case perReactor

    /// All reactors watch one socket; whoever is awake takes the connection.
    case shared
}

/// What a server is to be.
package struct ServerConfiguration: Sendable {
    package var address: Address
    package var reactorCount: Int
    package var scheme = ListenerScheme.perReactor
    package var limits = ServerLimits()

    /// How many routes have a latency histogram.
    package var routeCount = 1

    /// Bind reactor n to processor n.
    package var pinsThreads = false

    package init(address: Address, reactorCount: Int = Machine.processorCount) {
        self.address = address
        self.reactorCount = reactorCount
    }
}

/// A reactor as the handler in it, and everyone else, sees it.
package struct ReactorSeat: Sendable {
    /// Which reactor, from 0.
    package let index: Int

    /// Wakes it.
    package let bell: Doorbell

    package let metrics: ReactorMetrics
}

/// What the reactors of one server share.
final class ServerControl: Sendable {
    enum Stage: UInt8, AtomicRepresentable {
        case running, draining, stopping
    }

    let limits: ServerLimits
    let census: ConnectionCensus
    let bufferByteCountMaxPerReactor: Int
    private let reactorCount: Int
    private let stageWord = Atomic<Stage>(.running)
    private let drainedCount = Atomic<Int>(0)

    init(_ configuration: ServerConfiguration) {
        limits = configuration.limits
        census = ConnectionCensus(limits: limits)
        reactorCount = configuration.reactorCount
        bufferByteCountMaxPerReactor = limits.bufferByteCountMax / configuration.reactorCount
    }

    /// Relaxed: nothing else is handed over with it.
    var stage: Stage { stageWord.load(ordering: .relaxed) }

    /// Moves on, never back.
    func advance(to stage: Stage) {
        if stage.rawValue > self.stage.rawValue { stageWord.store(stage, ordering: .relaxed) }
    }

    /// A reactor has no connections left and will take no more.
    func reactorDrained() {
        // Releases what the reactor did; pairs with the load in `areAllDrained`.
        drainedCount.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    var areAllDrained: Bool { drainedCount.load(ordering: .acquiring) >= reactorCount }
}

/// Reactors and their threads.
///
/// Made first, so that others can be given its doorbells; started when there is something to serve.
package final class Server: Sendable {
    package let configuration: ServerConfiguration

    /// One per reactor.
    package let seats: [ReactorSeat]

    private let control: ServerControl
    private let threads: Mutex<[RunningThread]>
    private let boundAddress: Mutex<Address?>

    package init(_ configuration: ServerConfiguration) throws(SystemError) {
        precondition(configuration.reactorCount > 0)
        self.configuration = configuration
        control = ServerControl(configuration)
        var seats: [ReactorSeat] = []
        for index in 0..<configuration.reactorCount {
            seats.append(
                ReactorSeat(
                    index: index, bell: try Doorbell(),
                    metrics: ReactorMetrics(routeCount: configuration.routeCount)))
        }
        self.seats = seats
        threads = Mutex([])
        boundAddress = Mutex(nil)
    }

    /// Where it listens, once started.
    package var address: Address { boundAddress.withLock { $0 } ?? configuration.address }

    /// The counters of all reactors together.
    package var counts: ReactorCounts {
        var counts = ReactorCounts()
        for seat in seats { counts.add(seat.metrics.counts) }
        return counts
    }

    /// The latencies of a route over all reactors.
    package func latency(route: Int) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for seat in seats { histogram.add(seat.metrics.latency.histogram(route: route)) }
        return histogram
    }

    /// Listens, and runs every reactor in a thread of its own.
    ///
    /// - Parameter makeHandler: Called once per reactor, in the reactor's thread.
    package func start<Handler: RequestHandler & ~Copyable>(
        _ makeHandler: @escaping @Sendable (ReactorSeat) -> Handler
    ) throws(SystemError) {
        TerminationSignals.ignoreBrokenPipes()
        Machine.raiseDescriptorLimit()
        let isShared = configuration.scheme == .shared && seats.count > 1
        let first = try Listener(
            at: configuration.address, sharesPort: !isShared && seats.count > 1)
        let address = first.address
        boundAddress.withLock { $0 = address }
        // All descriptors before the first thread: a failure leaves nothing running.
        var launches: [Launch<Handler>] = []
        for seat in seats.dropFirst() {
            let listener =
                isShared ? try first.shared() : try Listener(at: address, sharesPort: true)
            launches.append(
                try Launch(listener, seat: seat, control, isShared: isShared, makeHandler))
        }
        launches.append(
            try Launch(first, seat: seats[0], control, isShared: isShared, makeHandler))
        for launch in launches {
            let thread = try Thread.start(
                name: "reactor-\(launch.seat.index)",
                processor: configuration.pinsThreads ? launch.seat.index : nil
            ) { launch.run() }
            let running = RunningThread(thread)
            threads.withLock { $0.append(running) }
        }
    }

    /// Stops in order: no new connections, idle ones closed, requests under way answered with
    /// `Connection: close`, everything cut after `drainMilliseconds`. Returns at once; any thread.
    package func drain() {
        control.advance(to: .draining)
        for seat in seats { seat.bell.waker.wake() }
    }

    /// Stops at once: connections are cut. Returns at once; any thread.
    package func stop() {
        control.advance(to: .stopping)
        for seat in seats { seat.bell.waker.wake() }
    }

    /// Waits until every reactor has ended.
    package func join() {
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }
}

/// What a reactor's thread takes with it.
private final class Launch<Handler: RequestHandler & ~Copyable>: Sendable {
    let seat: ReactorSeat
    private let listener: Mutex<Listener?>
    private let poller: Mutex<Poller?>
    private let control: ServerControl
    private let isShared: Bool
    private let makeHandler: @Sendable (ReactorSeat) -> Handler

    init(
        _ listener: consuming sending Listener, seat: ReactorSeat, _ control: ServerControl,
        isShared: Bool, _ makeHandler: @escaping @Sendable (ReactorSeat) -> Handler
    ) throws(SystemError) {
        poller = Mutex(try Poller())
        self.listener = Mutex(consume listener)
        self.seat = seat
        self.control = control
        self.isShared = isShared
        self.makeHandler = makeHandler
    }

    func run() {
        guard let listener = listener.withLock({ $0.take() }),
            let poller = poller.withLock({ $0.take() })
        else { return }
        do {
            var reactor = try Reactor(
                seat: seat, control: control, listener: listener, poller: poller,
                isShared: isShared, handler: makeHandler(seat))
            reactor.run()
        } catch {
            // The kernel watches neither listener nor doorbell: the process cannot serve.
            fatalError("reactor \(seat.index): \(error)")
        }
    }
}
