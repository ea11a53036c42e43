/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The inspector: tells for every open queue of every TUN/TAP device who holds it and which program steers the device. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "record.h"

#define TUN_RDEV ((10 << 20) | 200) /* MKDEV(MISC_MAJOR, TUN_MINOR) as the kernel keeps it: 20 bits of minor */

/* As much of the kernel's types as is read here; CO-RE finds the fields in the BTF of the kernel and of the tun module. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
};

struct inode {
	unsigned int i_rdev;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[DEVICE_NAME_SIZE];
	int ifindex;
	possible_net_t nd_net;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct tun_prog {
	struct bpf_prog *prog;
};

struct tun_struct {
	unsigned int numqueues;
	unsigned int flags;
	struct net_device *dev;
	unsigned int numdisabled;
	struct tun_prog *steering_prog;
};

struct tun_file {
	struct tun_struct *tun;
};

#pragma clang attribute pop

/* The iterator's context: its layout is the kernel's promise, and each type that CO-RE looks up costs a millisecond. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct task_struct *, task);
	__u32 fd __attribute__((aligned(8)));
	__bpf_md_ptr(struct file *, file);
};

/* A function of its own, not inlined, so that struct queue_record reaches the BTF that Python's side is made from. */
static __attribute__((noinline)) long write_record(struct bpf_iter_meta *meta, struct queue_record *record)
{
	return bpf_seq_write(meta->seq, record, sizeof(*record));
}

SEC("iter/task_file")
int inspect_tun(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct queue_record record = {};
	struct tun_file *queue;
	struct tun_struct *tun;

	if (!task || !file || BPF_CORE_READ(file, f_inode, i_rdev) != TUN_RDEV)
		return 0;
	queue = BPF_CORE_READ(file, private_data);
	tun = BPF_CORE_READ(queue, tun);
	if (!tun) /* /dev/net/tun is open, but the descriptor is no queue of a device */
		return 0;
	record.tgid = task->tgid;
	record.descriptor = ctx->fd;
	BPF_CORE_READ_STR_INTO(&record.command, task, group_leader, comm);
	BPF_CORE_READ_STR_INTO(&record.device, tun, dev, name);
	record.ifindex = BPF_CORE_READ(tun, dev, ifindex);
	record.netns_inode = BPF_CORE_READ(tun, dev, nd_net.net, ns.inum);
	record.flags = BPF_CORE_READ(tun, flags);
	record.queues = BPF_CORE_READ(tun, numqueues);
	record.disabled_queues = BPF_CORE_READ(tun, numdisabled);
	record.program_id = BPF_CORE_READ(tun, steering_prog, prog, aux, id); /* 0 when there is none */
	write_record(ctx->meta, &record);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
