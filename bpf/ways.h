/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether both directions of a flow come to the guest, as they do to one that forwards: a flow is known by its two ends. */
#ifndef VIRTNET_RSS_WAYS_H
#define VIRTNET_RSS_WAYS_H

#include "window.h"

enum { FLOWS_MAX = 4096 }; /* the first that come; they speak for those that find no room */

/* Packets of a flow, by the end that sent them. */
struct passed {
	__u64 packets[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FLOWS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* a device that is silent costs no memory, a full map no search for room */
	__type(key, __u64);
	__type(value, struct passed);
} flows SEC(".maps");

static __always_inline bool is_ipv4(const struct packet *packet)
{
#if FULL
	return packet->row == ROW_IPV4;
#else
	return packet->ip_version == 4;
#endif
}

/* Sets of enum hash_type, by bit: to ask for a number itself would part the paths of all that follows. */
enum {
	ADDRESSES_ALONE = 1 << HASH_IPV4 | 1 << HASH_IPV6 | 1 << HASH_IPV6_EX,
	/* The types behind DCCP hash an SPI, a TEID, a session or a label, of which each direction has its own. */
	BY_ENDS = (1 << (HASH_DCCP + 1)) - (1 << HASH_IPV4),
};

/* 1 or 0, without a branch (Hacker's Delight, 2-12). */
static __always_inline __u64 is_less(__u64 one, __u64 other)
{
	return ((~one & other) | ((~one | other) & (one - other))) >> 63;
}

/* A number for an end of a flow, good enough that no two of 4096 flows are taken for one (as SplitMix64 mixes). */
static __always_inline __u64 number_of(__u64 high, __u64 low, __u64 port)
{
	__u64 number = high * 0x9e3779b97f4a7c15ULL;

	number = ((number ^ number >> 32) + low) * 0xbf58476d1ce4e5b9ULL;
	number = ((number ^ number >> 32) + port) * 0x94d049bb133111ebULL;
	return number ^ number >> 32;
}

/* The ends as they are hashed, which the steering code has laid out one behind the other. */
static __always_inline void read_ends(const struct window *window, const struct packet *packet, __u64 bit, __u64 *ends)
{
	__u64 addresses[4] = {};
	__u16 ports[2] = {};

	if (is_ipv4(packet)) {
		__builtin_memcpy(&addresses[1], &window->ipv4.hash_input[0], 4);
		__builtin_memcpy(&addresses[3], &window->ipv4.hash_input[4], 4);
	} else {
		__builtin_memcpy(addresses, &window->ipv6.hash_input[0], 32);
	}
	if (!(bit & ADDRESSES_ALONE))
		__builtin_memcpy(ports, is_ipv4(packet) ? &window->ipv4.hash_input[8] : &window->ipv6.hash_input[32],
				 PORTS);
	ends[0] = number_of(addresses[0], addresses[1], ports[0]);
	ends[1] = number_of(addresses[2], addresses[3], ports[1]);
}

/* Before the packet is hashed: its ends are as they came still. */
static __always_inline void note_way(const struct window *window, const struct packet *packet, enum hash_type type)
{
	__u64 bit = 1ULL << (type & 31);
	__u64 ends[2], flow, direction;
	struct passed *passed;

	if (!(bit & BY_ENDS))
		return;
	read_ends(window, packet, bit, ends);
	flow = ends[0] + ends[1] + bit; /* the same for both directions */
	direction = is_less(ends[0], ends[1]);
	passed = bpf_map_lookup_elem(&flows, &flow);
	if (passed) {
		__sync_fetch_and_add(&passed->packets[direction & 1], 1);
	} else {
		struct passed first = { { 1 - direction, direction } };

		bpf_map_update_elem(&flows, &flow, &first, BPF_NOEXIST); /* fails where there is no room */
	}
}

#endif
