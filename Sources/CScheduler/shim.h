#pragma once
// How the kernel gives threads their turns; Swift's own module of the C library leaves the policies of Linux out.
#include <linux/sched.h>
