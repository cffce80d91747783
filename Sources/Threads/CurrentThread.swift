import CScheduler
import Glibc

/// What the kernel knows of the calling thread.
public enum CurrentThread {
    /// From here on it interrupts no other thread: when it is woken, it begins at once where a core is free, and otherwise waits for
    /// those who run to end their turns (`SCHED_BATCH` of sched(7)). So do the threads that it starts. Where the system refuses that, all
    /// stays as it was.
    public static func interruptNobody() {
        var parameters = sched_param(sched_priority: 0)
        _ = sched_setscheduler(0, SCHED_BATCH, &parameters)
    }
}
