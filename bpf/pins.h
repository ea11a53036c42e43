/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pins: rules in the words of `ethtool -N` that send a packet to a queue before anything is hashed. */
#ifndef VIRTNET_RSS_PINS_H
#define VIRTNET_RSS_PINS_H

#include "layers.h"

enum { NO_PIN = PINS_MAX };

/* Codes of struct pin's word, in front of the DSCP. */
enum ip_version_code { VERSION_CODE_IPV4 = 1, VERSION_CODE_IPV6 = 2 };

/* Only these have ports for a pin; UDP-Lite and DCCP have no flow type in ethtool. */
static __always_inline bool has_ports(__u32 class)
{
	return class == CLASS_TCP || class == CLASS_UDP || class == CLASS_SCTP;
}

static __always_inline __u64 word_of(struct __sk_buff *skb, const struct window *window, const struct packet *packet)
{
	__u32 tos = 0, ports = 0;

	if (packet->row == ROW_IPV4) {
		tos = (window->ipv4.tos & 0xfc) | VERSION_CODE_IPV4;
		ports = *(const __u32 *)&window->ipv4.hash_input[8];
	} else if (packet->row) {
		/* the traffic class lies across two bytes */
		tos = (window->ipv6.version_class << 4 | window->ipv6.flow_label[0] >> 4) & 0xfc;
		tos |= VERSION_CODE_IPV6;
		ports = *(const __u32 *)&window->ipv6.hash_input[32];
	}
	if (!has_ports(packet->class))
		ports = 0;
	return forgotten(skb, packet->proto | tos << 8 | packet->tci << 16 | (__u64)ports << 32);
}

static __always_inline bool has_addresses(const volatile struct pin *pin, const __u64 *addresses)
{
	__u64 different = 0;

	if (!pin->has_addresses)
		return true;
#pragma unroll
	for (int i = 0; i < 4; i++)
		different |= (addresses[i] ^ pin->addresses[i]) & pin->addresses_mask[i];
	return !different;
}

/* The number of the first pin that the outer packet matches, or NO_PIN. */
static __always_inline __u32 matching_pin(struct __sk_buff *skb, const struct window *window, const struct packet *packet)
{
	__u64 word = word_of(skb, window, packet), addresses[4] = {};

	if ((word ^ steering.features.pins_value) & steering.features.pins_mask)
		return NO_PIN;
	if (packet->row == ROW_IPV4) {
		*(__u32 *)&addresses[0] = *(const __u32 *)&window->ipv4.hash_input[0];
		*(__u32 *)&addresses[1] = *(const __u32 *)&window->ipv4.hash_input[4];
	} else if (packet->row) {
		__builtin_memcpy(addresses, window->ipv6.hash_input, sizeof(addresses));
	}
	for (__u32 i = 0; i < PINS_MAX && i < steering.features.pin_count; i++) {
		const volatile struct pin *pin = &steering.features.pins[i];

		if (!((word ^ pin->value) & pin->mask) && has_addresses(pin, addresses))
			return i;
	}
	return NO_PIN;
}

#endif
