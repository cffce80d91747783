// Makes the wall clock of a process wrong by as many seconds as the file named by WRONG_CLOCK says (an int64, which may
// change while the process runs). Loaded with LD_PRELOAD. The monotonic clock stays as it is, as it does where somebody
// sets the time.
#define _GNU_SOURCE
#include "WrongClock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shared;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("WRONG_CLOCK");
    int descriptor = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0) return;
    void *found = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, descriptor, 0);
    if (found != MAP_FAILED) shared = found;
    close(descriptor);
}

static int64_t offset(void) { return shared ? *shared : 0; }

int clock_gettime(clockid_t clock, struct timespec *time) {
    // Past the symbol that this one hides.
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset();
    return status;
}

int gettimeofday(struct timeval *time, void *zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

// A wait until a wall time: the kernel's clock is right, and must be asked for the same span.
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!next) next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec corrected = *until;
    // A condition may go by the monotonic clock, which counts from the machine's start: no machine runs for 30 years.
    if (until->tv_sec > 1000000000) corrected.tv_sec -= offset();
    return next(condition, mutex, &corrected);
}
