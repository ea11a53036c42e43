/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walks IPv6 extension headers, and finds the addresses that two of them name. */
#ifndef VIRTNET_RSS_EXTENSION_H
#define VIRTNET_RSS_EXTENSION_H

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

static __always_inline bool is_extension_header(__u32 proto)
{
#if FULL
	return steering.features.classes6[proto & 255] & CLASS_EXTENSION;
#else
	return proto == PROTO_HOP_BY_HOP || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT || proto == PROTO_AH ||
	       proto == PROTO_DESTINATION_OPTIONS || proto == PROTO_MOBILITY;
#endif
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

static __always_inline struct chain first_header(const struct window *window, __u32 l3_offset)
{
	return (struct chain){
		.proto = window->ipv6.next_header,
		.offset = l3_offset + IPV6_HEADER,
	};
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

/* The _EX types take the addresses that the extension headers name, where they do. */
static __always_inline void use_extension_addresses(struct __sk_buff *skb, struct window *window, __u32 l3_offset)
{
	load_home_address(skb, first_header(window, l3_offset), &window->ipv6.hash_input[0]);
	load_routing_address(skb, first_header(window, l3_offset), &window->ipv6.hash_input[16]);
}

#endif
