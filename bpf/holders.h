/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who has the queues of wanted devices open. A host may have a million open files, and a stranger can make more.
 *
 * The driver knows its queues' files. mark_queues() remembers their addresses, as bits of a table; then the tables of
 * descriptors of all processes are searched for these addresses, without a look at any other file: some nanoseconds
 * for each descriptor, where a look takes more than a hundred. What is behind a match is looked at before it is told,
 * for a file may have gone and another one have come to its place. */
#ifndef VIRTNET_RSS_HOLDERS_H
#define VIRTNET_RSS_HOLDERS_H

#include "kernel.h"

#define MOST_HOLDERS 512 /* open queues that are told of one device: it has at most 256, the rest are copies */
#define MOST_REFUSED 4096 /* copies beyond those in one process, of which nothing is looked at any more */
#define MAX_TAP_QUEUES 256 /* drivers/net/tun.c */
#define MOST_PARTS (1 << 23) /* BPF_MAX_LOOPS */

/* The devices whose holders are asked for, each with how many have been told. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, struct device_key);
	__type(value, __u32);
} wanted SEC(".maps");

/* Python maps the memory of these two, and sets the size of holders before the programs are loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct search_state);
} search SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct holder_record);
} holders SEC(".maps");

static __always_inline struct search_state *the_search(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&search, &zero);
}

static __always_inline struct device_key key_of(struct tun_struct *tun)
{
	struct device_key key = {
		.netns_inode = BPF_CORE_READ(tun, dev, nd_net.net, ns.inum),
		.ifindex = BPF_CORE_READ(tun, dev, ifindex),
	};

	return key;
}

/* The bit of a file: files are 64 bytes apart at least. */
static __always_inline __u32 mark_of(__u64 file)
{
	return (__u32)(file >> 6) * 0x9e3779b1U >> 13; /* 32 - 13 = 19 bits: MARKS */
}

static __always_inline void mark(struct search_state *found, struct tun_file *queue)
{
	__u32 bit = mark_of((__u64)BPF_CORE_READ(queue, socket.file));

	found->marks[bit >> 6 & (MARKS / 64 - 1)] |= 1ULL << (bit & 63);
}

static long mark_enabled(__u32 number, void *context)
{
	struct search_state *found = the_search();
	__u64 queue = 0;

	(void)context;
	if (!found)
		return 1;
	bpf_probe_read_kernel(&queue, sizeof(queue), (void *)(found->table + number * sizeof(queue)));
	mark(found, (void *)queue);
	return 0;
}

static long mark_disabled(__u32 number, void *context)
{
	struct search_state *found = the_search();

	(void)number;
	(void)context;
	if (!found || !found->table || found->table == found->end)
		return 1;
	mark(found, around(found->table, bpf_core_field_offset(struct tun_file, next)));
	found->table = next_of(found->table);
	return 0;
}

static __always_inline void mark_queues(struct tun_struct *tun)
{
	struct search_state *found = the_search();
	struct device_key key = key_of(tun);

	if (!found || !bpf_map_lookup_elem(&wanted, &key))
		return;
	found->table = (__u64)tun + bpf_core_field_offset(struct tun_struct, tfiles);
	bpf_loop(BPF_CORE_READ(tun, numqueues), mark_enabled, 0, 0);
	found->end = (__u64)tun + bpf_core_field_offset(struct tun_struct, disabled);
	found->table = next_of(found->end);
	bpf_loop(MAX_TAP_QUEUES, mark_disabled, 0, 0);
}

/* The number of a process in the pid namespace of the one that asks. */
static __always_inline __u32 pid_here(struct task_struct *task)
{
	struct task_struct *asking = (void *)bpf_get_current_task();
	struct pid *our_pid = BPF_CORE_READ(asking, thread_pid), *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u64 level = BPF_CORE_READ(our_pid, level);
	__u64 place = bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	struct upid *ours = (void *)our_pid + place, *its = (void *)pid + place;

	if (BPF_CORE_READ(pid, level) < level || BPF_CORE_READ(its, ns) != BPF_CORE_READ(ours, ns))
		return 0;
	return BPF_CORE_READ(its, nr);
}

/* The next place for a record, empty; none when there is no room: Python sees it by the count. */
static __always_inline struct holder_record *new_record(struct search_state *found)
{
	__u32 place = found->found++;

	return bpf_map_lookup_elem(&holders, &place);
}

/* Tell of an open file of the task that is being looked at, if it is a queue of a wanted device.
 *
 * Not static: then the verifier goes through it once, and not for each place that calls it. */
__attribute__((noinline)) int tell(__u64 address, __u32 descriptor)
{
	struct search_state *found = the_search();
	struct file *file = (void *)address;
	struct holder_record *record;
	struct task_struct *task;
	struct tun_file *queue;
	struct tun_struct *tun;
	struct device_key key;
	__u32 *told;

	if (!found || !file || BPF_CORE_READ(file, f_inode, i_rdev) != TUN_RDEV)
		return 0;
	queue = BPF_CORE_READ(file, private_data);
	tun = BPF_CORE_READ(queue, tun);
	if (!tun) /* /dev/net/tun is open, but the descriptor is no queue of a device */
		return 0;
	key = key_of(tun);
	told = bpf_map_lookup_elem(&wanted, &key);
	if (!told)
		return 0;
	if (*told >= MOST_HOLDERS) {
		found->refused++;
		return 0;
	}
	*told += 1;
	record = new_record(found);
	if (!record)
		return 0;
	task = (void *)found->task;
	record->device = key;
	record->pid = pid_here(task);
	record->descriptor = descriptor;
	record->started = BPF_CORE_READ(task, group_leader, start_boottime);
	record->programs = BPF_CORE_READ(task, group_leader, self_exec_id);
	BPF_CORE_READ_INTO(&record->command, task, group_leader, comm);
	return 0;
}

static long search_part(__u32 number, void *context)
{
	struct search_state *found = the_search();
	__u64 first = (__u64)number * AT_ONCE, hits = 0;
	__u64 size = AT_ONCE * sizeof(__u64);

	(void)context;
	if (!found || first >= found->end || found->refused > MOST_REFUSED)
		return 1;
	/* A table has room for a multiple of 64 (kernel/file.c, ALIGN(max_fds, BITS_PER_LONG)). */
	if (bpf_probe_read_kernel(found->part, size, (void *)(found->table + first * sizeof(__u64))))
		return 1;
	for (int i = 0; i < AT_ONCE; i++) {
		__u32 bit = mark_of(found->part[i]);

		hits |= (found->marks[bit >> 6 & (MARKS / 64 - 1)] >> (bit & 63) & 1) << i;
	}
	if (!hits)
		return 0;
	for (int i = 0; i < AT_ONCE; i++)
		if (hits >> i & 1)
			tell(found->part[i], first + i);
	return 0;
}

SEC("iter/task")
int find_holders(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	struct search_state *found = the_search();
	struct files_struct *files;

	if (!task || !found)
		return 0;
	files = BPF_CORE_READ(task, files);
	leader = BPF_CORE_READ(task, group_leader);
	if (!files || (task != leader && files == BPF_CORE_READ(leader, files))) /* the threads of a process share it */
		return 0;
	found->task = (__u64)task;
	found->table = (__u64)BPF_CORE_READ(files, fdt, fd);
	found->end = BPF_CORE_READ(files, fdt, max_fds);
	found->refused = 0;
	bpf_loop(MOST_PARTS, search_part, 0, 0);
	return 0;
}

/* The same where the kernel has no bpf_loop() (before 5.17): it looks at each open file of the host. */
SEC("iter/task_file")
int find_holders_by_file(struct bpf_iter__task_file *ctx)
{
	struct search_state *found = the_search();
	__u64 file = 0;

	if (!ctx->task || !found)
		return 0;
	found->task = (__u64)ctx->task;
	bpf_probe_read_kernel(&file, sizeof(file), &ctx->file); /* the number alone: a function takes no such pointer */
	tell(file, ctx->fd);
	return 0;
}

#endif
