// The service: an engine, and reactors whose handlers put HTTP in front of it.

internal import Bytes
internal import Columns
package import Engine
package import Platform

/// What a service is to be.
package struct ServiceConfiguration: Sendable {
    package var address = Address.loopback(port: 8080)
    package var reactorCount = Machine.processorCount
    package var engine = EngineOptions()
    package var limits = ServerLimits()
    /// Bind reactor n to processor n.
    package var pinsThreads = false
    package var scheme = ListenerScheme.perReactor
    /// How long a shard's inbox may stay full before a stream that waits for it is cut with 429.
    package var patienceMilliseconds = 1000

    package init() {}
}

/// A running Holdfast: start it, ask it where it listens, drain it, join it.
package final class HoldfastService: Sendable {
    package let engine: Engine
    private let server: Server
    private let shared: SharedService

    package init(_ configuration: ServiceConfiguration) throws(SystemError) {
        var random = SystemRandomNumberGenerator()
        engine = try Engine(
            options: configuration.engine, reactorCount: configuration.reactorCount,
            using: &random)
        var server = ServerConfiguration(
            address: configuration.address, reactorCount: configuration.reactorCount)
        server.scheme = configuration.scheme
        server.limits = configuration.limits
        server.pinsThreads = configuration.pinsThreads
        server.routeCount = Route.allCases.count
        self.server = try Server(server)
        shared = SharedService(
            engine: engine, seats: self.server.seats, instance: random.next(),
            patience: Milliseconds(configuration.patienceMilliseconds),
            start: Moment(
                bootNanoseconds: Clock.bootNanoseconds, wallMilliseconds: Clock.wallMilliseconds))
    }

    /// Listens and serves; returns at once.
    package func start() throws(SystemError) {
        let shared = shared
        try server.start { seat in ServiceHandler(shared, seat: seat) }
    }

    /// Where it listens, once started.
    package var address: Address { server.address }

    /// No new connections; requests under way are answered, then all ends.
    package func drain() { server.drain() }

    /// Ends at once.
    package func stop() { server.stop() }

    /// Waits for the end.
    package func join() { server.join() }

    package var counts: ReactorCounts { server.counts }

    package func latency(_ route: Route) -> LatencyHistogram {
        server.latency(route: Int(route.rawValue))
    }
}

/// What the handlers of all reactors share. Immutable, or safe for any thread.
final class SharedService: Sendable {
    let engine: Engine
    let seats: [ReactorSeat]
    let clock: ServiceClock
    let start: Moment
    /// Names this life of the service in marks: another life has other points.
    let instance: UInt64
    /// How long a stream waits for room.
    let patience: Milliseconds

    init(
        engine: Engine, seats: [ReactorSeat], instance: UInt64, patience: Milliseconds,
        start: Moment
    ) {
        self.engine = engine
        self.seats = seats
        self.instance = instance
        self.patience = patience
        self.start = start
        clock = ServiceClock(start)
    }

    /// The reactor that owns a shard.
    func owner(ofShard shard: Int) -> Int { shard % seats.count }

    /// Wakes all reactors: something that concerns every shard has changed.
    func ringAll() { for seat in seats { seat.bell.ring() } }
}
