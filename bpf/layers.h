/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a frame to struct packet, for the full program: what packet.h does with a branch for each protocol is done here with
 * tables, or the verifier would have to follow half a million instructions.
 */
#ifndef VIRTNET_RSS_LAYERS_H
#define VIRTNET_RSS_LAYERS_H

#include "extension.h"

enum { MAX_LABELS = 6 };

/*
 * What is known about a packet. It lies in memory and in small pieces on purpose (keep_in_memory): no registers are held
 * for it, and the verifier forgets what is stored in pieces, so that paths become one again where they meet.
 */
struct packet {
	__u8 row; /* ROW_... */
	__u8 class; /* CLASS_... of the four bytes, which are in the window then; CLASS_NONE without them */
	__u8 tunnel; /* CLASS_TUNNEL_... of what may be inside */
	__u8 proto; /* of IPv6 behind the extension headers; PROTO_NONE when they do not lead to one */
	__u8 l4_in_window; /* so are the 24 bytes from l4_offset on (IPv4 without options) */
	__u8 pad;
	__u16 tci; /* of the outermost tag, with TCI_TAGGED; 0 for none */
	__u16 l3_offset;
	__u16 l4_offset;
	__u32 pad2;
};

enum { TCI_TAGGED = 0x1000 }; /* the place of DEI */

static __always_inline void keep_in_memory(struct packet *packet)
{
	asm volatile("" : : "r"(packet) : "memory");
}

/* AH has its SPI behind four other bytes (RFC 4302 section 2). */
static __always_inline __u32 place_of_four_bytes(__u32 class)
{
	return class == CLASS_AH ? 4 : 0;
}

static __always_inline void parse_ipv4(struct __sk_buff *skb, __u32 readable, struct window *window, struct packet *packet)
{
	__u32 ihl = window->ipv4.version_ihl & 0xf;
	__u32 class;

	if (readable < IPV4_HEADER || window->ipv4.version_ihl >> 4 != 4 || ihl < 5)
		return;
	packet->row = ROW_IPV4;
	packet->proto = window->ipv4.l4_proto;
	if (window->ipv4.fragment_be & bpf_htons(0x3fff)) /* MF or an offset; 0x4000 is DF */
		return;
	class = steering.features.classes4[window->ipv4.l4_proto];
	packet->l4_offset = packet->l3_offset + ihl * 4;
	packet->tunnel = class & CLASS_TUNNELS;
	packet->l4_in_window = ihl == 5 && readable >= IPV6_HEADER + PORTS;
	class &= CLASS_COUNT - 1;
	if (ihl == 5 && readable >= IPV4_HEADER + PORTS && class != CLASS_AH)
		packet->class = class;
	else if (class && !bpf_skb_load_bytes(skb, packet->l4_offset + place_of_four_bytes(class),
					      &window->ipv4.hash_input[8], PORTS))
		packet->class = class;
}

static __always_inline void parse_extension_headers(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	struct chain chain = first_header(window, packet->l3_offset);
	__u32 class;

	for (int i = 0; i < MAX_EXTENSION_HEADERS && read_extension_header(skb, &chain); i++) {
		packet->row = ROW_IPV6_EX;
		next_header(&chain);
	}
	packet->proto = PROTO_NONE;
	class = steering.features.classes6[chain.proto & 255];
	if (class & CLASS_EXTENSION) /* one more than are walked */
		return;
	packet->proto = chain.proto;
	packet->l4_offset = chain.offset;
	packet->tunnel = class & CLASS_TUNNELS;
	class &= CLASS_COUNT - 1;
	if (class && !bpf_skb_load_bytes(skb, chain.offset, &window->ipv6.hash_input[32], PORTS))
		packet->class = class;
}

static __always_inline void parse_ipv6(struct __sk_buff *skb, __u32 readable, struct window *window, struct packet *packet)
{
	__u32 class;

	if (readable < IPV6_HEADER || window->ipv6.version_class >> 4 != 6)
		return;
	packet->row = ROW_IPV6;
	class = steering.features.classes6[window->ipv6.next_header];
	if (class & CLASS_EXTENSION) {
		parse_extension_headers(skb, window, packet);
		return;
	}
	packet->proto = window->ipv6.next_header;
	packet->l4_offset = packet->l3_offset + IPV6_HEADER;
	packet->tunnel = class & CLASS_TUNNELS;
	if (readable >= IPV6_HEADER + PORTS)
		packet->class = class & (CLASS_COUNT - 1);
}

/* The size of VLAN tags in the data. A tag is 4 bytes; behind it comes the next type. */
static __always_inline __u64 size_of_tags(const struct window *window)
{
	const __u16 *eth_types_be = &window->eth_type_be;

	if (!is_vlan_tag(eth_types_be[2]))
		return 4;
	return is_vlan_tag(eth_types_be[4]) ? 12 : 8;
}

static __always_inline void parse_ip(struct __sk_buff *skb, __u16 eth_type_be, __u32 readable, struct window *window,
				     struct packet *packet)
{
	if (eth_type_be == ETH_IPV4)
		parse_ipv4(skb, readable, window, packet);
	else if (eth_type_be == ETH_IPV6)
		parse_ipv6(skb, readable, window, packet);
}

/* What the first four bits of an IP packet say that it is; the window is there. */
static __always_inline __u16 type_by_version(const struct window *window)
{
	__u32 version = window->ipv4.version_ihl >> 4;

	return version == 4 ? ETH_IPV4 : version == 6 ? ETH_IPV6 : 0;
}

#endif
