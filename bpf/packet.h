/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a frame to what the selector needs to know: one load from the MAC header on, more only for what lies between. */
#ifndef VIRTNET_RSS_PACKET_H
#define VIRTNET_RSS_PACKET_H

#include "extension.h"

/* What the selector needs to know about a packet. */
struct packet {
	__u32 ip_version; /* 4, 6, or 0 for a packet that is not hashed */
	__u32 l4_proto; /* PROTO_TCP or PROTO_UDP with readable ports; anything else has no transport header */
	bool extension_headers;
	__u32 l3_offset;
};

/* Ports follow the addresses in the window already when nothing lies between; otherwise they are loaded there. */
static __always_inline bool load_ports(struct __sk_buff *skb, __u32 offset, void *to)
{
	return bpf_skb_load_bytes(skb, offset, to, PORTS) == 0;
}

static __always_inline void parse_ipv4(struct __sk_buff *skb, __u32 readable, struct window *window, struct packet *packet)
{
	__u32 ihl = window->ipv4.version_ihl & 0xf;
	__u32 proto = window->ipv4.l4_proto;

	if (readable < IPV4_HEADER || window->ipv4.version_ihl >> 4 != 4 || ihl < 5)
		return;
	packet->ip_version = 4;
	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return;
	if (window->ipv4.fragment_be & bpf_htons(0x3fff)) /* MF or an offset; 0x4000 is DF */
		return;
	if (ihl == 5) {
		if (readable < IPV4_HEADER + PORTS)
			return;
	} else if (!load_ports(skb, packet->l3_offset + ihl * 4, &window->ipv4.hash_input[8])) {
		return;
	}
	packet->l4_proto = proto;
}

static __always_inline void parse_extension_headers(struct __sk_buff *skb, struct chain chain, void *ports,
						    struct packet *packet)
{
	for (int i = 0; i < MAX_EXTENSION_HEADERS && read_extension_header(skb, &chain); i++) {
		packet->extension_headers = true;
		next_header(&chain);
	}
	if ((chain.proto == PROTO_TCP || chain.proto == PROTO_UDP) && load_ports(skb, chain.offset, ports))
		packet->l4_proto = chain.proto;
}

static __always_inline void parse_ipv6(struct __sk_buff *skb, __u32 readable, struct window *window, struct packet *packet)
{
	__u32 proto = window->ipv6.next_header;

	if (readable < IPV6_HEADER || window->ipv6.version_class >> 4 != 6)
		return;
	packet->ip_version = 6;
	if (proto == PROTO_TCP || proto == PROTO_UDP) {
		if (readable >= IPV6_HEADER + PORTS)
			packet->l4_proto = proto;
		return;
	}
	if (is_extension_header(proto))
		parse_extension_headers(skb, first_header(window, packet->l3_offset), &window->ipv6.hash_input[32], packet);
}

/* A layer 3 device has no Ethernet header: the version nibble stands for the type. */
static __always_inline void parse_layer3(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	__u32 readable = load_up_to(skb, 0, &window->ipv4, WINDOW - ETH_HEADER);

	if (window->ipv4.version_ihl >> 4 == 4)
		parse_ipv4(skb, readable, window, packet);
	else
		parse_ipv6(skb, readable, window, packet);
}

static __always_inline void parse_ethernet(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	__u32 readable = load_window(skb, 0, true, window);
	__u64 tags_size = 0;

	if (is_vlan_tag(window->eth_type_be)) {
		const __u16 *eth_types_be = &window->eth_type_be;

		/* A tag is 4 bytes; behind it comes the next type. Bytes that the packet does not have are 0 here. */
		tags_size = 4;
		if (is_vlan_tag(eth_types_be[2])) {
			tags_size = 8;
			if (is_vlan_tag(eth_types_be[4]))
				tags_size = 12;
		}
		readable = load_window(skb, tags_size, false, window);
	}
	if (readable < ETH_HEADER)
		return;
	packet->l3_offset = ETH_HEADER + tags_size;
	if (window->eth_type_be == ETH_IPV4)
		parse_ipv4(skb, readable - ETH_HEADER, window, packet);
	else if (window->eth_type_be == ETH_IPV6)
		parse_ipv6(skb, readable - ETH_HEADER, window, packet);
}

#endif
