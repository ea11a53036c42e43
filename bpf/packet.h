/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads a packet: one load from the MAC header on, then more only for tags, options and extension headers. */
#ifndef VIRTNET_RSS_PACKET_H
#define VIRTNET_RSS_PACKET_H

#include <stdbool.h>

#include "window.h"

/* Limits of the parser; the Python reference uses the same ones. */
enum parser_limits {
	MAX_VLAN_TAGS = 3,
	MAX_EXTENSION_HEADERS = 8, /* RFC 8200 section 4.1 lists 7 in the order of a full chain; one to spare */
	MAX_OPTIONS = 8, /* Home Address comes first or behind one pad option (alignment 8n+6, RFC 6275 section 6.3) */
};

enum ip_protocol {
	PROTO_HOP_BY_HOP = 0,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AH = 51,
	PROTO_DESTINATION_OPTIONS = 60,
	PROTO_MOBILITY = 135,
	PROTO_NONE = 255, /* reserved by IANA: here "no transport header" */
};

/* What the selector needs to know about a packet. */
struct packet {
	__u32 ip_version; /* 4, 6, or 0 for a packet that is not hashed */
	__u32 l4_proto; /* PROTO_TCP or PROTO_UDP with readable ports; anything else has no transport header */
	bool extension_headers;
	__u32 l3_offset;
};

static __always_inline bool is_vlan_tag(__u16 eth_type_be)
{
	return eth_type_be == ETH_8021Q || eth_type_be == ETH_8021AD || eth_type_be == ETH_QINQ;
}

static __always_inline bool is_extension_header(__u32 proto)
{
	return proto == PROTO_HOP_BY_HOP || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT || proto == PROTO_AH ||
	       proto == PROTO_DESTINATION_OPTIONS || proto == PROTO_MOBILITY;
}

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

/* A place in a chain of IPv6 headers, and the extension header that was read there. */
struct chain {
	__u32 proto; /* of the header at offset */
	__u32 offset;
	__u32 length;
	__u8 header[8];
};

/* Reads the extension header at the chain's place: false when there is none, or its first 8 bytes cannot be read. */
static __always_inline bool read_extension_header(struct __sk_buff *skb, struct chain *chain)
{
	if (!is_extension_header(chain->proto))
		return false;
	if (bpf_skb_load_bytes(skb, chain->offset, chain->header, sizeof(chain->header))) {
		chain->proto = PROTO_NONE;
		return false;
	}
	chain->length = (chain->header[1] + 1) * 8;
	if (chain->proto == PROTO_AH)
		chain->length = (chain->header[1] + 2) * 4;
	else if (chain->proto == PROTO_FRAGMENT)
		chain->length = 8;
	return true;
}

/* Steps over the header just read; nothing behind the header of a real fragment is looked at. */
static __always_inline void next_header(struct chain *chain)
{
	/* 13 bits of offset and M, two reserved bits between them */
	bool fragment = chain->proto == PROTO_FRAGMENT && (chain->header[2] || chain->header[3] & 0xf9);

	chain->offset += chain->length;
	chain->proto = fragment ? PROTO_NONE : chain->header[0];
}

static __always_inline struct chain first_header(const struct window *window, const struct packet *packet)
{
	return (struct chain){
		.proto = window->ipv6.next_header,
		.offset = packet->l3_offset + IPV6_HEADER,
	};
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

/*
 * The two addresses that stand in for those of the IPv6 header are looked for in walks of their own, and only for packets
 * that need them: one walk for everything costs the verifier 100 times the instructions.
 */

/* A failed load would leave zeros in place of the address that stands there. */
static __always_inline bool load_address(struct __sk_buff *skb, __u32 offset, void *to)
{
	__u8 address[16];

	if (bpf_skb_load_bytes(skb, offset, address, sizeof(address)))
		return false;
	__builtin_memcpy(to, address, sizeof(address));
	return true;
}

/* RFC 6275 section 6.3: option type 201 with 16 bytes of data, wholly inside the header that ends at `end`. */
static __always_inline bool load_home_address_option(struct __sk_buff *skb, __u32 offset, __u32 end, void *address)
{
	for (int i = 0; i < MAX_OPTIONS; i++) {
		__u8 option[2]; /* type, length of the data */

		if (offset + sizeof(option) > end || bpf_skb_load_bytes(skb, offset, option, sizeof(option)))
			return false;
		if (option[0] == 201 && option[1] == 16)
			return offset + 18 <= end && load_address(skb, offset + 2, address);
		offset += option[0] ? 2 + option[1] : 1; /* type 0, Pad1, is a single byte */
	}
	return false;
}

static __always_inline void load_home_address(struct __sk_buff *skb, struct chain chain, void *address)
{
	for (int i = 0; i < MAX_EXTENSION_HEADERS && read_extension_header(skb, &chain); i++) {
		if (chain.proto == PROTO_DESTINATION_OPTIONS &&
		    load_home_address_option(skb, chain.offset + 2, chain.offset + chain.length, address))
			return;
		next_header(&chain);
	}
}

/* RFC 6275 section 6.4: type 2, length 2 (in 8 bytes), one segment left; the address is 8 bytes into the header. */
static __always_inline void load_routing_address(struct __sk_buff *skb, struct chain chain, void *address)
{
	for (int i = 0; i < MAX_EXTENSION_HEADERS && read_extension_header(skb, &chain); i++) {
		const __u8 *header = chain.header;

		if (chain.proto == PROTO_ROUTING && header[1] == 2 && header[2] == 2 && header[3] == 1 &&
		    load_address(skb, chain.offset + 8, address))
			return;
		next_header(&chain);
	}
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
		parse_extension_headers(skb, first_header(window, packet), &window->ipv6.hash_input[32], packet);
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
	__u32 readable = load_window(skb, 0, window);
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
		readable = load_window(skb, tags_size, window);
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
