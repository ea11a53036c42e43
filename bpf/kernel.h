/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As much of the kernel's types as the inspector reads; CO-RE finds the fields in the BTF of the kernel and of tun. */
#ifndef VIRTNET_RSS_KERNEL_H
#define VIRTNET_RSS_KERNEL_H

#include "record.h"

#define TUN_RDEV ((10 << 20) | 200) /* MKDEV(MISC_MAJOR, TUN_MINOR) as the kernel keeps it: 20 bits of minor */
#define NETDEV_ALIGN 32 /* include/linux/netdevice.h: where a driver's own data begins behind struct net_device */
#define PIDTYPE_TGID 1 /* include/linux/pid_types.h */

/* A list's layout has never changed, and each type that CO-RE looks up costs a millisecond. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
	const void *ops;
};

struct net {
	struct ns_common ns;
	struct list_head dev_base_head;
	struct list_head list;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct rtnl_link_ops {
	const char *kind;
};

struct kernfs_node {
	__u64 id;
};

struct kobject {
	struct kernfs_node *sd;
};

struct device {
	struct kobject kobj;
};

struct net_device {
	char name[DEVICE_NAME_SIZE];
	int ifindex;
	possible_net_t nd_net;
	struct list_head dev_list;
	const struct rtnl_link_ops *rtnl_link_ops;
	struct device dev;
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

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct tun_struct {
	struct tun_file *tfiles[1];
	unsigned int numqueues;
	unsigned int flags;
	kuid_t owner;
	kgid_t group;
	struct net_device *dev;
	int vnet_hdr_sz;
	struct list_head disabled;
	unsigned int numdisabled;
	struct tun_prog *steering_prog;
};

struct socket {
	struct file *file;
};

struct tun_file {
	struct socket socket;
	struct tun_struct *tun;
	struct list_head next; /* of the disabled queues */
};

struct nsproxy {
	struct net *net_ns;
};

struct inode {
	unsigned int i_rdev;
	void *i_private;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct upid {
	int nr;
	void *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1]; /* one for each level, the outermost pid namespace first */
};

struct task_struct {
	struct nsproxy *nsproxy;
	struct files_struct *files;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct task_struct *group_leader;
	__u64 start_boottime;
	__u64 self_exec_id;
	char comm[COMMAND_SIZE];
};

#pragma clang attribute pop

/* The iterators' contexts: their layout is the kernel's promise. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct task_struct *, task);
};

struct bpf_iter__task_file {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct task_struct *, task);
	__u32 fd __attribute__((aligned(8)));
	__bpf_md_ptr(struct file *, file);
};

/* The structure that has a list's entry in it, at this offset. */
static __always_inline void *around(__u64 entry, __u64 offset)
{
	return (void *)(entry - offset);
}

static __always_inline __u64 next_of(__u64 entry)
{
	__u64 next = 0;

	bpf_probe_read_kernel(&next, sizeof(next), (void *)entry);
	return next;
}

/* The driver's data of a TUN/TAP device; none for a device of another kind. */
static __always_inline struct tun_struct *tun_of(struct net_device *dev)
{
	const char *kind = BPF_CORE_READ(dev, rtnl_link_ops, kind);
	struct tun_struct *tun;
	char name[4] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), kind);
	if (name[0] != 't' || name[1] != 'u' || name[2] != 'n' || name[3])
		return 0;
	tun = (void *)dev + ((bpf_core_type_size(struct net_device) + NETDEV_ALIGN - 1) & ~(__u64)(NETDEV_ALIGN - 1));
	return BPF_CORE_READ(tun, dev) == dev ? tun : 0;
}

static __always_inline void describe(struct device_record *record, struct net_device *dev, struct tun_struct *tun)
{
	record->birth = BPF_CORE_READ(dev, dev.kobj.sd, id);
	record->netns_inode = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	record->ifindex = BPF_CORE_READ(dev, ifindex);
	record->flags = BPF_CORE_READ(tun, flags);
	record->queues = BPF_CORE_READ(tun, numqueues);
	record->disabled_queues = BPF_CORE_READ(tun, numdisabled);
	record->program_id = BPF_CORE_READ(tun, steering_prog, prog, aux, id);
	record->owner = BPF_CORE_READ(tun, owner.val);
	record->group = BPF_CORE_READ(tun, group.val);
	record->vnet_header = BPF_CORE_READ(tun, vnet_hdr_sz);
	BPF_CORE_READ_INTO(&record->name, dev, name);
}

/* The file behind a task's descriptor; none when it has no such descriptor. */
static __always_inline struct file *file_of(struct task_struct *task, __u64 descriptor)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **slot = BPF_CORE_READ(fdt, fd), *file = 0;

	if (fdt && descriptor < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), slot + descriptor);
	return file;
}

#endif
