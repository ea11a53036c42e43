/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both directions of a flow on one queue: of its two ends, the one with the smaller address (then port) goes first. */
#ifndef VIRTNET_RSS_SYMMETRIC_H
#define VIRTNET_RSS_SYMMETRIC_H

#include "layers.h"

static __always_inline __u32 turned(__u32 ports)
{
	return ports << 16 | ports >> 16;
}

/* Whether the source port is the larger one, of two ports as they are in memory. */
static __always_inline bool is_descending(__u32 ports)
{
	__u32 number = bpf_ntohl(ports);

	return number >> 16 > (number & 0xffff);
}

/* Branches choose between registers, and the stores are the same on each path, or the paths would never be one again. */
static __always_inline void sort_ipv4(struct window *window)
{
	__u32 *addresses = (__u32 *)&window->ipv4.hash_input[0], *place = (__u32 *)&window->ipv4.hash_input[8];
	__u32 src = addresses[0], dst = addresses[1], ports = *place;

	if (bpf_ntohl(src) > bpf_ntohl(dst) || (src == dst && is_descending(ports))) {
		__u32 former = src;

		src = dst;
		dst = former;
		ports = turned(ports);
	}
	addresses[0] = src;
	addresses[1] = dst;
	*place = ports;
}

static __always_inline void sort_ipv6(struct window *window)
{
	__u64 *addresses = (__u64 *)&window->ipv6.hash_input[0];
	__u32 *place = (__u32 *)&window->ipv6.hash_input[32];
	__u64 src_high = addresses[0], src_low = addresses[1], dst_high = addresses[2], dst_low = addresses[3];
	__u64 src = bpf_be64_to_cpu(src_high), dst = bpf_be64_to_cpu(dst_high);
	__u32 ports = *place;

	if (src == dst) {
		src = bpf_be64_to_cpu(src_low);
		dst = bpf_be64_to_cpu(dst_low);
	}
	if (src > dst || (src == dst && is_descending(ports))) {
		__u64 high = src_high, low = src_low;

		src_high = dst_high;
		src_low = dst_low;
		dst_high = high;
		dst_low = low;
		ports = turned(ports);
	}
	addresses[0] = src_high;
	addresses[1] = src_low;
	addresses[2] = dst_high;
	addresses[3] = dst_low;
	*place = ports;
}

/* Four bytes that are no ports are never hashed then (features.types), so it does not matter that they are turned. */
static __always_inline void make_symmetric(struct window *window, __u32 row)
{
	if (row == ROW_IPV4)
		sort_ipv4(window);
	else
		sort_ipv6(window);
}

#endif
