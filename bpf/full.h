/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The full program: tunnels, more transports, symmetric hashing and pins. */
#ifndef VIRTNET_RSS_FULL_H
#define VIRTNET_RSS_FULL_H

#include "pins.h"
#include "symmetric.h"
#include "toeplitz.h"
#include "transport.h"

static __always_inline void parse(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	if (steering.features.pin_count && skb->vlan_present)
		packet->tci = skb->vlan_tci | TCI_TAGGED;
	if (steering.config.l3_offset)
		parse_frame(skb, 0, TYPE_IN_FRAME, true, window, packet);
	else
		parse_layer3(skb, window, packet);
}

/* The packet whose addresses are hashed, with the four bytes in the place of its ports that tell most. */
static __always_inline enum hash_type choose_hash_input(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	if (steering.features.tunnel_types & TUNNELS_IP && packet->tunnel)
		enter_tunnel(skb, window, packet);
	if (is_on(HASH_GTPU_TEID) || is_on(HASH_ESP_UDP))
		refine_udp(skb, window, packet);
	if (is_on(HASH_FLOW_LABEL))
		use_flow_label(window, packet);
	return type_of(packet);
}

/* Sets the queue of a packet that a pin takes. */
static __always_inline enum hash_type choose(struct __sk_buff *skb, struct window *window, struct packet *packet,
					     __u32 *queue)
{
	keep_in_memory(packet);
	parse(skb, window, packet);
	if (steering.features.pin_count) {
		__u32 pin = matching_pin(skb, window, packet);

		if (pin < PINS_MAX) {
			*queue = steering.features.pins[pin].queue;
			return REASON_PIN;
		}
	}
	return choose_hash_input(skb, window, packet);
}

static __always_inline bool is_ex_type(enum hash_type type)
{
	if (!is_on(HASH_IPV6_EX) && !is_on(HASH_TCPV6_EX) && !is_on(HASH_UDPV6_EX))
		return false; /* known before load: the walks are left out */
	return type >= HASH_IPV6_EX && type <= HASH_UDPV6_EX;
}

static __always_inline __u32 hash_of(struct __sk_buff *skb, struct window *window, const struct packet *packet,
				     enum hash_type type)
{
	if (is_ex_type(type))
		use_extension_addresses(skb, window, packet->l3_offset);
	if (steering.features.symmetric)
		make_symmetric(window, packet->row);
	return packet->row == ROW_IPV4 ? hash_ipv4(window, type) : hash_ipv6(window, type);
}

#endif
