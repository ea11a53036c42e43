/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the inspector is asked and what it tells; embed.py generates the Python side from its BTF. */
#ifndef VIRTNET_RSS_RECORD_H
#define VIRTNET_RSS_RECORD_H

#include <linux/types.h>

enum record_sizes {
	COMMAND_SIZE = 16, /* TASK_COMM_LEN */
	DEVICE_NAME_SIZE = 16, /* IFNAMSIZ */
	AT_ONCE = 64, /* descriptors that are looked at together, a bit each of a word */
	MARKS = 1 << 19, /* a thousand devices of four queues set one bit of a hundred */
};

/* A TUN/TAP device. */
struct device_record {
	__u64 birth; /* number of the device's folder in sysfs: no other device has it until the host is started anew */
	__u32 netns_inode;
	__u32 ifindex;
	__u32 flags; /* tun->flags: as TUNGETIFF gives them */
	__u32 queues; /* attached, that is enabled */
	__u32 disabled_queues;
	__u32 program_id; /* of the steering program; 0: automatic selection */
	__u32 owner; /* user id, ~0: none */
	__u32 group;
	__u32 vnet_header; /* bytes of struct virtio_net_hdr, as TUNGETVNETHDRSZ gives them */
	__u32 pad;
	char name[DEVICE_NAME_SIZE];
};

_Static_assert(sizeof(struct device_record) == 64, "device_record has no hidden padding");

enum walk_ending {
	WALK_TORN = 0, /* it did not come full circle: nothing of it may be believed */
	WALK_COMPLETE = 1,
};

/* Where a walk is; the addresses are the kernel's. Python reads the last three. */
struct walk_state {
	__u64 first; /* the list entry of our own network namespace, where the circle begins and ends */
	__u64 namespace; /* the list entry of the one that is being walked */
	__u64 kind; /* ns.ops: what tells a namespace from the head of the ring, which is in no struct net */
	__u64 head; /* of the list of its devices */
	__u64 at; /* the entry that is next */
	__u32 pad;
	__u32 found; /* TUN/TAP devices; those that have no room in the map are counted too */
	enum walk_ending ending;
	__u32 rounds; /* of walk_by_steps; Python sets it to 0 before a walk */
};

/* Asked with a descriptor and, when it is another process's, with a pidfd of that. */
struct question {
	__u64 descriptor;
	__u64 pidfd; /* ~0: the descriptor is our own */
};

enum hand_status {
	HAND_QUEUE = 0, /* a queue of the device in the answer */
	HAND_NO_DEVICE = 1, /* /dev/net/tun, and no device yet, or none any more */
	HAND_OTHER_FILE = 2,
	HAND_NO_FILE = 3,
	HAND_NO_TASK = 4, /* the process has gone, or the pidfd is none */
};

struct hand_answer {
	enum hand_status status;
	__u32 pad;
	struct device_record device;
};

_Static_assert(sizeof(struct hand_answer) == 72, "hand_answer has no hidden padding");

struct device_key {
	__u32 netns_inode;
	__u32 ifindex;
};

/* An open queue of a device that was asked for. */
struct holder_record {
	struct device_key device;
	__u32 pid; /* in the pid namespace of the process that asks; 0: it is not in there */
	__u32 descriptor;
	/* No other process has both, nor this one once it has become another program: what was read of it holds. */
	__u64 started; /* nanoseconds since the host was started */
	__u64 programs; /* how many execve() it and those that it is a fork of have done */
	char command[COMMAND_SIZE];
};

_Static_assert(sizeof(struct holder_record) == 48, "holder_record has no hidden padding");

/* A search for holders; the addresses are the kernel's. Python clears it before, and reads found. */
struct search_state {
	__u64 part[AT_ONCE]; /* of the table */
	__u64 table; /* of a process's open files, or of a device's queues; the next of a list of them */
	__u64 end; /* the head of a list of queues, or for how many descriptors the table has room */
	__u64 task; /* whose open files they are */
	__u32 refused; /* open queues of it beyond those that are told */
	__u32 found; /* open queues in all; those that have no room in the map are counted too */
	__u64 marks[MARKS / 64]; /* a bit for each wanted file, by its address */
};

_Static_assert(sizeof(struct search_state) == 8 * (AT_ONCE + 4) + MARKS / 8, "search_state has no hidden padding");

#endif
