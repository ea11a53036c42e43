/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The plain program: virtio's nine hash types. Small and quick, which is why it shares only its tools with the full one. */
#ifndef VIRTNET_RSS_PLAIN_H
#define VIRTNET_RSS_PLAIN_H

#include "hash.h"
#include "packet.h"
#include "toeplitz.h"

static __always_inline enum hash_type choose(struct __sk_buff *skb, struct window *window, struct packet *packet,
					     __u32 *queue)
{
	(void)queue; /* only a pin knows it so early */
	if (steering.config.l3_offset)
		parse_ethernet(skb, window, packet);
	else
		parse_layer3(skb, window, packet);
	return choose_hash_type(steering.config.hash_types, packet);
}

static __always_inline __u32 hash_of(struct __sk_buff *skb, struct window *window, const struct packet *packet,
				     enum hash_type type)
{
	if (type >= HASH_IPV6_EX)
		use_extension_addresses(skb, window, packet->l3_offset);
	return packet->ip_version == 4 ? hash_ipv4(window, type) : hash_ipv6(window, type);
}

#endif
