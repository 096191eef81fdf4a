// What Swift's Glibc module does not give: epoll, eventfd, signalfd, accept4, pinning, prefetch,
// and the socket calls whose address unions are awkward from Swift.
//
// Header only: nothing is compiled apart. GNU-only calls go through syscall(2), so that the
// header needs no _GNU_SOURCE, which would clash with the Glibc module's own view of the headers.
#ifndef HOLDFAST_LINUX_H
#define HOLDFAST_LINUX_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/// One readiness report, without the packed union of `epoll_event`.
struct holdfast_ready {
    uint32_t events;
    uint64_t data;
};

static inline int holdfast_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int holdfast_epoll_control(
    int poller, int operation, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(poller, operation, descriptor, &event);
}

/// epoll_wait into plain records. At most 256 a call.
static inline int holdfast_epoll_wait(
    int poller, struct holdfast_ready *ready, int capacity, int timeout_milliseconds) {
    struct epoll_event events[256];
    int count = epoll_wait(
        poller, events, capacity < 256 ? capacity : 256, timeout_milliseconds);
    for (int i = 0; i < count; i++) {
        ready[i].events = events[i].events;
        ready[i].data = events[i].data.u64;
    }
    return count;
}

static inline int holdfast_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/// accept4 with non-blocking and close-on-exec set. Returns −1 with errno.
static inline int holdfast_accept(int listener, void *address, uint32_t *length) {
    return (int)syscall(SYS_accept4, listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Binds the calling thread to one processor. Returns 0, or −1 with errno.
static inline int holdfast_pin_thread(int processor) {
    unsigned long mask[16] = {0};
    if (processor < 0 || processor >= (int)(sizeof mask * 8)) {
        errno = EINVAL;
        return -1;
    }
    mask[processor / (8 * sizeof(long))] = 1UL << (processor % (8 * sizeof(long)));
    return syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) < 0 ? -1 : 0;
}

/// How many processors the calling thread may run on.
static inline int holdfast_processor_count(void) {
    unsigned long mask[16] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i < bytes / (long)sizeof(long); i++) count += __builtin_popcountl(mask[i]);
    return count > 0 ? count : 1;
}

static inline void holdfast_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

static inline void holdfast_prefetch_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/// An IPv4 or IPv6 address with its port, without the unions of `sockaddr`.
struct holdfast_address {
    /// Network order. IPv4 uses the first four.
    uint8_t bytes[16];
    uint16_t port;
    uint8_t is_v6;
};

static inline socklen_t holdfast_to_system(
    const struct holdfast_address *address, struct sockaddr_storage *system) {
    memset(system, 0, sizeof *system);
    if (address->is_v6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)system;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        memcpy(&v6->sin6_addr, address->bytes, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)system;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address->port);
    memcpy(&v4->sin_addr, address->bytes, 4);
    return sizeof *v4;
}

static inline void holdfast_from_system(
    const struct sockaddr_storage *system, struct holdfast_address *address) {
    memset(address, 0, sizeof *address);
    if (system->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)system;
        address->is_v6 = 1;
        address->port = ntohs(v6->sin6_port);
        memcpy(address->bytes, &v6->sin6_addr, 16);
    } else if (system->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)system;
        address->port = ntohs(v4->sin_port);
        memcpy(address->bytes, &v4->sin_addr, 4);
    }
}

/// Closes `descriptor` and returns −1 with the errno of the call before.
static inline int holdfast_abandon(int descriptor) {
    int code = errno;
    close(descriptor);
    errno = code;
    return -1;
}

/// A listening, non-blocking TCP socket whose accepted sockets inherit TCP_NODELAY.
static inline int holdfast_listen(
    const struct holdfast_address *address, int shares_port, int backlog) {
    struct sockaddr_storage system;
    socklen_t length = holdfast_to_system(address, &system);
    int family = address->is_v6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0
        || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0
        || (shares_port
            && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        || bind(descriptor, (struct sockaddr *)&system, length) < 0
        || listen(descriptor, backlog) < 0)
        return holdfast_abandon(descriptor);
    return descriptor;
}

/// The next waiting connection, non-blocking. Returns −1 with errno.
static inline int holdfast_accept_from(int listener, struct holdfast_address *peer) {
    struct sockaddr_storage system;
    uint32_t length = sizeof system;
    int descriptor = holdfast_accept(listener, &system, &length);
    if (descriptor >= 0) holdfast_from_system(&system, peer);
    return descriptor;
}

/// A connected, blocking TCP socket. `timeout_milliseconds` bounds the connect and every later
/// read and write; 0: no bound.
static inline int holdfast_connect(
    const struct holdfast_address *address, int timeout_milliseconds) {
    struct sockaddr_storage system;
    socklen_t length = holdfast_to_system(address, &system);
    int family = address->is_v6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    struct timeval limit = {
        timeout_milliseconds / 1000, (timeout_milliseconds % 1000) * 1000};
    if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0
        || connect(descriptor, (struct sockaddr *)&system, length) < 0)
        return holdfast_abandon(descriptor);
    return descriptor;
}

/// The address a socket is bound to. Returns 0, or −1 with errno.
static inline int holdfast_local_address(int descriptor, struct holdfast_address *address) {
    struct sockaddr_storage system;
    socklen_t length = sizeof system;
    if (getsockname(descriptor, (struct sockaddr *)&system, &length) < 0) return -1;
    holdfast_from_system(&system, address);
    return 0;
}

/// recv without waiting, whatever the socket's own mode.
static inline long holdfast_receive(int descriptor, void *bytes, size_t count) {
    return recv(descriptor, bytes, count, MSG_DONTWAIT);
}

/// send without waiting, whatever the socket's own mode, and without SIGPIPE.
static inline long holdfast_send(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// send that may wait, without SIGPIPE.
static inline long holdfast_send_waiting(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_NOSIGNAL);
}

/// Makes close(2) reset the connection instead of ending it in order.
static inline int holdfast_reset_on_close(int descriptor) {
    struct linger now = {1, 0};
    return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/// Names the calling thread. The kernel keeps the first 15 bytes.
static inline int holdfast_name_thread(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

static inline int holdfast_ignore_broken_pipes(void) {
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

/// Blocks the signals of `mask` (bit n: signal n) in the calling thread and those it starts, and
/// returns a descriptor that reads them; −1 with errno.
static inline int holdfast_signal_descriptor(uint64_t mask) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal = 1; signal < 64; signal++)
        if (mask >> signal & 1) sigaddset(&set, signal);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/// Waits for a signal. Returns its number, 0 when the time is over, −1 with errno.
/// A negative time waits for ever.
static inline int holdfast_next_signal(int descriptor, int timeout_milliseconds) {
    struct pollfd wanted = {descriptor, POLLIN, 0};
    int count = poll(&wanted, 1, timeout_milliseconds);
    if (count <= 0) return count;
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) != sizeof info) return -1;
    return (int)info.ssi_signo;
}

/// Random bytes of the kernel, at most 256 a call. Returns how many, or −1 with errno.
static inline long holdfast_random(void *bytes, size_t count) {
    return syscall(SYS_getrandom, bytes, count, 0);
}

/// Opens a file for reads that come from the device. Returns −1 with errno; EINVAL where the file
/// system cannot.
///
/// By its number, with the kernel's flags: fcntl.h would bring a second view of `timespec`.
static inline int holdfast_open_direct(const char *path) {
#if defined(__aarch64__)
    const int direct = 0200000;
#else
    const int direct = 040000;
#endif
    const int close_on_exec = 02000000, current_folder = -100;
    return (int)syscall(SYS_openat, current_folder, path, direct | close_on_exec, 0);
}

/// Allocates the first bytes of a file. Returns 0, or −1 with errno.
static inline int holdfast_allocate(int descriptor, long byte_count) {
    return (int)syscall(SYS_fallocate, descriptor, 0, 0L, byte_count);
}

/// The width of a terminal in columns; 0 when the descriptor is none.
static inline int holdfast_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}

/// Sum and largest of max(0, value) over values.
struct holdfast_sum {
    int64_t total;
    int32_t largest;
};

/// Defines a function that sums with vectors of so many bytes, two of them at a time. The sum of two
/// clipped values fits 32 bits without a sign; the halves of each 64-bit lane are summed apart.
///
/// Many values are read in four streams side by side: the processor's own prefetcher stops at the
/// end of each page, and then the other three keep memory busy.
#define HOLDFAST_DEFINE_SUM(name, bytes)                                                          \
    static inline struct holdfast_sum name(const int32_t *values, long count) {                   \
        typedef int32_t lanes __attribute__((vector_size(bytes), aligned(4), may_alias));         \
        typedef uint64_t wide __attribute__((vector_size(bytes)));                                \
        const long step = (bytes) / 4;                                                            \
        const lanes zero = {0};                                                                   \
        lanes most = zero;                                                                        \
        wide low = {0}, high = {0};                                                               \
        long i = 0;                                                                               \
        if (count >= 8192) {                                                                      \
            const long part = count / 4 / step * step;                                            \
            for (; i < part; i += step) {                                                         \
                HOLDFAST_ADD_PAIR(values + i, values + i + part)                                  \
                HOLDFAST_ADD_PAIR(values + i + 2 * part, values + i + 3 * part)                   \
            }                                                                                     \
            i = 4 * part;                                                                         \
        }                                                                                         \
        for (; i + 2 * step <= count; i += 2 * step)                                              \
            HOLDFAST_ADD_PAIR(values + i, values + i + step)                                      \
        low += high;                                                                              \
        struct holdfast_sum sum = {0, __builtin_reduce_max(most)};                                \
        sum.total = (int64_t)(low[0] + low[1]);                                                   \
        if ((bytes) == 32) sum.total += (int64_t)(low[(bytes) / 16] + low[(bytes) / 8 - 1]);      \
        _Pragma("clang loop vectorize(disable)") for (; i < count; i++) {                         \
            int32_t value = values[i] > 0 ? values[i] : 0;                                        \
            sum.total += value;                                                                   \
            if (value > sum.largest) sum.largest = value;                                         \
        }                                                                                         \
        return sum;                                                                               \
    }

#define HOLDFAST_ADD_PAIR(first, second)                                                          \
    {                                                                                             \
        lanes a = __builtin_elementwise_max(*(const lanes *)(first), zero);                       \
        lanes b = __builtin_elementwise_max(*(const lanes *)(second), zero);                      \
        wide pair = (wide)(a + b);                                                                \
        low += pair & 0xFFFFFFFF;                                                                 \
        high += pair >> 32;                                                                       \
        most = __builtin_elementwise_max(most, __builtin_elementwise_max(a, b));                  \
    }

HOLDFAST_DEFINE_SUM(holdfast_sum_16, 16)
#ifdef __x86_64__
/// For processors that have vectors of 256 bits and the maximum of integers.
__attribute__((target("avx2"))) HOLDFAST_DEFINE_SUM(holdfast_sum_32, 32)
#endif

static inline struct holdfast_sum holdfast_sum_clipped(const int32_t *values, long count) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) return holdfast_sum_32(values, count);
#endif
    return holdfast_sum_16(values, count);
}

/// Where `wanted` is among `count` distinct values, 8 of them at least; −1 where it is not.
///
/// Every vector adds its lane's number where it is equal, so nothing branches on what is found. The
/// last vector may overlap the one before: the number it adds is the same.
static inline long holdfast_find_16(const uint16_t *values, long count, uint16_t wanted) {
    typedef uint16_t lanes __attribute__((vector_size(16), aligned(2), may_alias));
    const lanes first = {1, 2, 3, 4, 5, 6, 7, 8};
    lanes found = {0};
    for (long i = 0; i + 8 <= count; i += 8)
        found |= (lanes)(*(const lanes *)(values + i) == wanted) & (first + (uint16_t)i);
    const long last = count - 8;
    found |= (lanes)(*(const lanes *)(values + last) == wanted) & (first + (uint16_t)last);
    return (long)__builtin_reduce_or(found) - 1;
}

/// Which of 16 values, aligned to 64 bytes, are `wanted` under `mask`: bit i of the answer for value i.
__attribute__((always_inline))
static inline uint32_t holdfast_match_32(const uint32_t *values, uint32_t mask, uint32_t wanted) {
#ifdef __x86_64__
    typedef uint32_t lanes __attribute__((vector_size(16), may_alias));
    typedef int word __attribute__((vector_size(16)));
    typedef short half __attribute__((vector_size(16)));
    typedef char byte __attribute__((vector_size(16)));
    const lanes *line = (const lanes *)values;
    half low = __builtin_ia32_packssdw128((word)((line[0] & mask) == wanted),
                                          (word)((line[1] & mask) == wanted));
    half high = __builtin_ia32_packssdw128((word)((line[2] & mask) == wanted),
                                           (word)((line[3] & mask) == wanted));
    return (uint32_t)__builtin_ia32_pmovmskb128((byte)__builtin_ia32_packsswb128(low, high));
#else
    uint32_t found = 0;
    for (int i = 0; i < 16; i++) found |= (uint32_t)((values[i] & mask) == wanted) << i;
    return found;
#endif
}

#endif
