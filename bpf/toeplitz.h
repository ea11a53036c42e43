/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Toeplitz hash by lookup tables. */
#ifndef VIRTNET_RSS_TOEPLITZ_H
#define VIRTNET_RSS_TOEPLITZ_H

#include "window.h"

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

#endif
