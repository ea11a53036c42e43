/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Chooses the hash input (virtio 1.x section 5.1.6.4.3) and hashes it (Toeplitz by lookup tables). */
#ifndef VIRTNET_RSS_HASH_H
#define VIRTNET_RSS_HASH_H

#include "abi.h"
#include "packet.h"

static __always_inline bool enabled(__u32 hash_types, enum hash_type type)
{
	return hash_types & (1U << (type - 1));
}

/* `tcp` is the first of three neighbours in enum hash_type: addresses only, TCP, UDP. */
static __always_inline enum hash_type choose_of_three(__u32 hash_types, __u32 l4_proto, enum hash_type addresses)
{
	if (l4_proto == PROTO_TCP && enabled(hash_types, addresses + 1))
		return addresses + 1;
	if (l4_proto == PROTO_UDP && enabled(hash_types, addresses + 2))
		return addresses + 2;
	return enabled(hash_types, addresses) ? addresses : HASH_NONE;
}

static __always_inline enum hash_type choose_hash_type(__u32 hash_types, const struct packet *packet)
{
	enum hash_type type = HASH_NONE;

	if (packet->ip_version == 4)
		return choose_of_three(hash_types, packet->l4_proto, HASH_IPV4);
	if (packet->ip_version != 6)
		return HASH_NONE;
	if (packet->extension_headers)
		type = choose_of_three(hash_types, packet->l4_proto, HASH_IPV6_EX);
	return type ? type : choose_of_three(hash_types, packet->l4_proto, HASH_IPV6);
}

#endif
