/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The steering program: tells the tun driver on which receive queue of a TAP device a packet lands. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "hash.h"
#include "packet.h"

/* First in .rodata, so that a reader who has only the map finds the identity at offset 0. */
const volatile struct steering steering SEC(".rodata") = {};

/* What `bpftool prog show` prints. */
const char bpf_metadata_owner[] SEC(".rodata") __attribute__((used)) = "virtnet.rss";
const volatile char bpf_metadata_device[DEVICE_NAME_SIZE] SEC(".rodata") __attribute__((used)) = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* raised before load to the number of queues that the configuration names */
	__type(key, __u32);
	__type(value, struct queue_counters);
} queue_counters SEC(".maps");

/* The part of the hash that input[first] to input[last - 1] give; the loop is unrolled, so both must be constants. */
static __always_inline __u32 toeplitz(const __u8 *input, int first, int last)
{
	__u32 hash = 0;

#pragma unroll
	for (int i = first; i < last; i++)
		hash ^= steering.config.toeplitz[i][input[i]];
	return hash;
}

static __always_inline __u32 hash_ipv4(const struct window *window, enum hash_type type)
{
	__u32 hash = toeplitz(window->ipv4.hash_input, 0, 8);

	if (type != HASH_IPV4)
		hash ^= toeplitz(window->ipv4.hash_input, 8, 12);
	return hash;
}

static __always_inline __u32 hash_ipv6(const struct window *window, enum hash_type type)
{
	__u32 hash = toeplitz(window->ipv6.hash_input, 0, 32);

	if (type != HASH_IPV6 && type != HASH_IPV6_EX)
		hash ^= toeplitz(window->ipv6.hash_input, 32, 36);
	return hash;
}

/* The _EX types take the addresses that the extension headers name, where they do. */
static __always_inline void use_extension_addresses(struct __sk_buff *skb, struct window *window,
						    const struct packet *packet)
{
	load_home_address(skb, first_header(window, packet), &window->ipv6.hash_input[0]);
	load_routing_address(skb, first_header(window, packet), &window->ipv6.hash_input[16]);
}

static __always_inline void count(__u32 queue, enum hash_type type)
{
	struct queue_counters *counters;

	if (!steering.config.statistics)
		return;
	counters = bpf_map_lookup_elem(&queue_counters, &queue);
	if (counters)
		counters->packets[type]++;
}

#ifndef VIRTNET_RSS_ASKED /* observe.bpf.c asks the same code, and is the program */
SEC("socket")
#else
static __always_inline
#endif
int virtnet_rss(struct __sk_buff *skb)
{
	struct window window = {};
	struct packet packet = {};
	enum hash_type type = HASH_NONE;
	__u32 queue = steering.config.default_queue;
	__u32 hash;

	if (steering.config.redirect) {
		if (steering.config.l3_offset)
			parse_ethernet(skb, &window, &packet);
		else
			parse_layer3(skb, &window, &packet);
		type = choose_hash_type(steering.config.hash_types, &packet);
	}
	if (type != HASH_NONE) {
		if (type >= HASH_IPV6_EX)
			use_extension_addresses(skb, &window, &packet);
		hash = packet.ip_version == 4 ? hash_ipv4(&window, type) : hash_ipv6(&window, type);
		queue = steering.config.indirection[hash & steering.config.indirection_mask & (INDIRECTION_MAX - 1)];
	}
	count(queue, type);
	return queue;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
