// What Swift's Glibc module does not give: epoll, eventfd, accept4, pinning, prefetch.
//
// Header only: nothing is compiled apart. GNU-only calls go through syscall(2), so that the
// header needs no _GNU_SOURCE, which would clash with the Glibc module's own view of the headers.
#ifndef HOLDFAST_LINUX_H
#define HOLDFAST_LINUX_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

#endif
