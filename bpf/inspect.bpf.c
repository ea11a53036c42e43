/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The inspector: reads the kernel's own tables of TAP devices. Nothing is opened, and nobody notices.
 *
 * walk gives every TUN/TAP device of every network namespace, held or not; in_hand the one behind a descriptor;
 * find_holders the processes that have wanted devices open, whose files mark_files has found before.
 *
 * All but the last are raw tracepoint programs that nothing triggers: BPF_PROG_TEST_RUN runs them in the process that asks
 * (Linux 5.10), and holds the RCU read lock meanwhile, so what is reached from the lists stays in memory until then.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "holders.h"
#include "kernel.h"

/* Steps of one program where the kernel has no bpf_loop(): its verifier follows each, and gives up after a million
 * instructions. 33 calls of the program by itself (MAX_TAIL_CALL_CNT) make 16,000 devices of all kinds. */
#define STEPS 500
#define MOST_STEPS (1 << 23) /* of bpf_loop(), BPF_MAX_LOOPS */

/* Python maps the memory of the first three, and sets the size of devices before the program is loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct device_record);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_state);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hand_answer);
} answer SEC(".maps");

/* Where walk_by_steps goes on: itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} itself SEC(".maps");

/* What a walk does with a device. */
enum purpose { TO_LIST, TO_MARK };

static __always_inline void list_it(struct walk_state *walk, struct net_device *dev, struct tun_struct *tun)
{
	struct device_record *record;
	__u32 place = walk->found;

	record = bpf_map_lookup_elem(&devices, &place);
	if (record) /* else there is no room: Python sees it by the count */
		describe(record, dev, tun);
	walk->found = place + 1;
}

static __always_inline void meet(struct walk_state *walk, struct net_device *dev, enum purpose purpose)
{
	struct tun_struct *tun = tun_of(dev);

	if (!tun)
		return;
	if (purpose == TO_LIST)
		list_it(walk, dev, tun);
	else
		mark_queues(tun);
}

static __always_inline void enter(struct walk_state *walk, struct net *net)
{
	walk->namespace = (__u64)net + bpf_core_field_offset(struct net, list);
	walk->head = (__u64)net + bpf_core_field_offset(struct net, dev_base_head);
	walk->at = next_of(walk->head);
}

/* One device, or the change to the next namespace. 1: the walk has ended. */
static __always_inline int step(struct walk_state *walk, enum purpose purpose)
{
	struct net *net;

	if (walk->at != walk->head) {
		if (!walk->at)
			return 1;
		meet(walk, around(walk->at, bpf_core_field_offset(struct net_device, dev_list)), purpose);
		walk->at = next_of(walk->at);
		return 0;
	}
	walk->namespace = next_of(walk->namespace);
	if (!walk->namespace)
		return 1;
	if (walk->namespace == walk->first) {
		walk->ending = WALK_COMPLETE;
		return 1;
	}
	net = around(walk->namespace, bpf_core_field_offset(struct net, list));
	if ((__u64)BPF_CORE_READ(net, ns.ops) == walk->kind)
		enter(walk, net);
	return 0;
}

static __always_inline void begin(struct walk_state *walk)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net *net = BPF_CORE_READ(task, nsproxy, net_ns);

	walk->found = 0;
	walk->ending = WALK_TORN;
	walk->kind = (__u64)BPF_CORE_READ(net, ns.ops);
	enter(walk, net);
	walk->first = walk->namespace;
}

static __always_inline struct walk_state *the_walk(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&state, &zero);
}

static long step_to_list(__u32 number, void *context)
{
	struct walk_state *walk = the_walk();

	(void)number;
	(void)context;
	return walk ? step(walk, TO_LIST) : 1;
}

static long step_to_mark(__u32 number, void *context)
{
	struct walk_state *walk = the_walk();

	(void)number;
	(void)context;
	return walk ? step(walk, TO_MARK) : 1;
}

SEC("raw_tp/walk")
int walk(void *context)
{
	struct walk_state *walk = the_walk();

	(void)context;
	if (!walk)
		return 1;
	begin(walk);
	bpf_loop(MOST_STEPS, step_to_list, 0, 0);
	return 0;
}

SEC("raw_tp/mark_files")
int mark_files(void *context)
{
	struct walk_state *walk = the_walk();

	(void)context;
	if (!walk)
		return 1;
	begin(walk);
	bpf_loop(MOST_STEPS, step_to_mark, 0, 0);
	return 0;
}

/* As walk, where the kernel has no bpf_loop() (before 5.17). */
SEC("raw_tp/walk_by_steps")
int walk_by_steps(void *context)
{
	struct walk_state *walk = the_walk();

	if (!walk)
		return 1;
	if (!walk->rounds++)
		begin(walk);
	for (int i = 0; i < STEPS; i++)
		if (step(walk, TO_LIST))
			return 0;
	bpf_tail_call(context, &itself, 0);
	return 1;
}

static __always_inline void look_at(struct hand_answer *found, struct task_struct *task, __u64 descriptor)
{
	struct file *file = file_of(task, descriptor);
	struct tun_file *queue;
	struct tun_struct *tun;

	found->status = HAND_NO_FILE;
	if (!file)
		return;
	found->status = HAND_OTHER_FILE;
	if (BPF_CORE_READ(file, f_inode, i_rdev) != TUN_RDEV)
		return;
	found->status = HAND_NO_DEVICE;
	queue = BPF_CORE_READ(file, private_data);
	tun = BPF_CORE_READ(queue, tun);
	if (!tun)
		return;
	describe(&found->device, BPF_CORE_READ(tun, dev), tun);
	found->status = HAND_QUEUE;
}

/* The leader of the process that a pidfd of ours stands for. */
static __always_inline struct task_struct *process_of(__u64 pidfd)
{
	struct file *file = file_of((void *)bpf_get_current_task(), pidfd);
	struct task_struct *leader;
	struct hlist_node *link;
	struct pid *pid;

	/* Since 6.9 a pidfd is a file of pidfs, whose inode knows the process; before, the file does. */
	pid = BPF_CORE_READ(file, f_inode, i_private);
	if (!pid)
		pid = BPF_CORE_READ(file, private_data);
	link = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);
	if (!link)
		return 0;
	leader = around((__u64)link, bpf_core_field_offset(struct task_struct, pid_links[PIDTYPE_TGID]));
	return BPF_CORE_READ(leader, thread_pid) == pid ? leader : 0; /* any other file has led us astray */
}

SEC("raw_tp/in_hand")
int in_hand(struct question *question)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 descriptor = question->descriptor, pidfd = question->pidfd;
	struct hand_answer *found;
	__u32 zero = 0;

	found = bpf_map_lookup_elem(&answer, &zero);
	if (!found)
		return 1;
	__builtin_memset(found, 0, sizeof(*found));
	found->status = HAND_NO_TASK;
	if (pidfd != ~0ULL)
		task = process_of(pidfd);
	if (task)
		look_at(found, task, descriptor);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
