// SPDX-License-Identifier: GPL-3.0-or-later
// Put in front of libc (LD_PRELOAD): as long as the file that VIRTNET_RSS_NO_MEMORY names is there, bpf() loads no
// socket filter for want of memory, as a busy kernel answers. Looks, whose programs are loaded already, go on.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
	static long (*next)(long, ...);
	__builtin_va_list list;
	long given[6];

	__builtin_va_start(list, number);
	for (int each = 0; each < 6; each++)
		given[each] = __builtin_va_arg(list, long);
	__builtin_va_end(list);
	if (number == __NR_bpf && given[0] == BPF_PROG_LOAD) {
		const union bpf_attr *attr = (const union bpf_attr *)given[1];
		const char *file = getenv("VIRTNET_RSS_NO_MEMORY");

		if (file && attr->prog_type == BPF_PROG_TYPE_SOCKET_FILTER && access(file, F_OK) == 0) {
			errno = ENOMEM;
			return -1;
		}
	}
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
