/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The steering program: tells the tun driver on which receive queue of a TAP device a packet lands. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "config.h"

#if LIVE
#include "live.h"
#else
#include "fixed.h"
#endif
#if FULL
#include "full.h"
#else
#include "plain.h"
#endif

/* What `bpftool prog show` prints. */
const char bpf_metadata_owner[] SEC(".rodata") __attribute__((used)) = "virtnet.rss";
const volatile char bpf_metadata_device[DEVICE_NAME_SIZE] SEC(".rodata") __attribute__((used)) = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* raised before load to the number of queues that the configuration names */
	__type(key, __u32);
	__type(value, struct queue_counters);
} queue_counters SEC(".maps");

static __always_inline void count(__u32 queue, enum hash_type reason)
{
	struct queue_counters *counters;

	if (!steering.config.statistics)
		return;
	counters = bpf_map_lookup_elem(&queue_counters, &queue);
	if (counters && (!FULL || reason < REASON_COUNT)) /* out of a table, so the verifier knows no bound */
		counters->packets[reason]++;
}

#ifdef VIRTNET_RSS_ASKED /* observe.bpf.c asks the same code, and is the program */
#include "ways.h"
#define ENTRY static __always_inline
#else
static __always_inline void note_way(const struct window *window, const struct packet *packet, enum hash_type type)
{
	(void)window, (void)packet, (void)type;
}
#define ENTRY SEC("socket")
#endif

ENTRY int virtnet_rss(struct __sk_buff *skb)
{
	struct window window = {};
	struct packet packet = {};
	enum hash_type reason = HASH_NONE;
	__u32 queue = steering.config.default_queue;
	__u32 hash;

	if (steering.config.redirect)
		reason = choose(skb, &window, &packet, &queue);
	note_way(&window, &packet, reason);
	if (reason != HASH_NONE && (!FULL || reason != REASON_PIN)) {
		hash = hash_of(skb, &window, &packet, reason);
		queue = queue_of(hash & steering.config.indirection_mask & (INDIRECTION_MAX - 1));
	}
	count(queue, reason);
	return queue;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
