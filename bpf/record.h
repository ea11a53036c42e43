/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the inspector writes for one open queue; embed.py generates the Python side from its BTF. */
#ifndef VIRTNET_RSS_RECORD_H
#define VIRTNET_RSS_RECORD_H

#include <linux/types.h>

enum record_sizes {
	COMMAND_SIZE = 16, /* TASK_COMM_LEN */
	DEVICE_NAME_SIZE = 16, /* IFNAMSIZ */
};

struct queue_record {
	__u64 netns_inode;
	__u32 tgid;
	__u32 descriptor;
	__u32 ifindex;
	__u32 flags; /* tun->flags: as TUNGETIFF gives them */
	__u32 queues; /* attached, that is enabled */
	__u32 disabled_queues;
	__u32 program_id; /* 0: no steering program */
	char command[COMMAND_SIZE];
	char device[DEVICE_NAME_SIZE];
	__u32 pad;
};

_Static_assert(sizeof(struct queue_record) == 72, "queue_record has no hidden padding");

#endif
