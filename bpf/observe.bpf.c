/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The observer: a filter on a packet socket of a TAP device. It sees each packet for the guest after the driver has chosen
 * its queue, asks the very code of the steering program which one a configuration would choose, counts, and keeps
 * no packet. The device itself is not touched.
 */
#define VIRTNET_RSS_ASKED
#include "steering.bpf.c"

#include <linux/if_packet.h>

#include "observe.h"

/* The queues that the guest has enabled: the driver takes a program's answer modulo their number. */
const volatile __u32 enabled_queues SEC(".rodata") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, QUEUES_MAX);
	__type(key, __u32);
	__type(value, struct observed);
} observed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, PROTOCOLS_MAX);
	__type(key, struct protocol);
	__type(value, __u64);
} protocols SEC(".maps");

static __always_inline void count_protocol(struct protocol *protocol)
{
	__u64 one = 1, *packets = bpf_map_lookup_elem(&protocols, protocol);

	if (!packets && !bpf_map_update_elem(&protocols, protocol, &one, BPF_NOEXIST))
		return;
	if (!packets)
		packets = bpf_map_lookup_elem(&protocols, protocol); /* another CPU was first */
	if (!packets) { /* there is no more room; the element for others is there from the start */
		__builtin_memset(protocol, 0, sizeof(*protocol));
		packets = bpf_map_lookup_elem(&protocols, protocol);
	}
	if (packets)
		++*packets;
}

static __always_inline void note_protocol(struct __sk_buff *skb)
{
	struct protocol protocol = {};

	tell_protocol(skb, &protocol);
	count_protocol(&protocol);
}

SEC("socket")
int virtnet_observe(struct __sk_buff *skb)
{
	struct observed *counters;
	__u32 chosen, wanted;

	if (skb->pkt_type != PACKET_OUTGOING) /* from the guest */
		return 0;
	chosen = skb->queue_mapping;
	wanted = virtnet_rss(skb);
	if (enabled_queues)
		wanted %= enabled_queues;
	counters = bpf_map_lookup_elem(&observed, &chosen);
	if (counters) {
		counters->packets++;
		counters->agreed += chosen == wanted;
	}
	note_protocol(skb);
	return 0; /* keep no byte of it */
}
