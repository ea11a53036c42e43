/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the observer counts, shared with Python (embed.py generates its side), and how it tells a packet's protocol. */
#ifndef VIRTNET_RSS_OBSERVE_H
#define VIRTNET_RSS_OBSERVE_H

#include "extension.h"

enum observe_limits {
	QUEUES_MAX = 256, /* MAX_TAP_QUEUES of drivers/net/tun.c */
	PROTOCOLS_MAX = 512, /* more kinds than any network has; what a stranger makes up beyond is counted as "others" */
};

/* One element of the per-CPU map observed; the map's key is the queue that the driver chose. */
struct observed {
	__u64 packets;
	__u64 agreed; /* of them, those that the configuration sends there as well */
};

/* The key of the per-CPU map protocols. Numbers in host byte order; all 0: others. */
struct protocol {
	__u16 eth_type; /* behind VLAN tags */
	__u16 port; /* of UDP, where it is a tunnel's or IPsec's; 0 else */
	__u8 ip_proto; /* behind IPv6 extension headers */
	__u8 fragment;
	__u8 pad[2];
};

_Static_assert(sizeof(struct observed) == 16, "observed has no hidden padding");
_Static_assert(sizeof(struct protocol) == 8, "protocol has no hidden padding");

/* Ports of UDP that tell what is inside: the defaults of tunnel_ports, and ESP in UDP (RFC 3948). */
static __always_inline bool is_known_port(__u16 port)
{
	switch (port) {
	case 2152: /* GTP-U */
	case 4500: /* ESP */
	case 4754: /* GRE */
	case 4789: /* VXLAN */
	case 4790: /* VXLAN-GPE */
	case 6081: /* GENEVE */
	case 8472: /* VXLAN of Linux */
		return true;
	}
	return false;
}

static __always_inline void tell_port(struct __sk_buff *skb, __u32 offset, struct protocol *protocol)
{
	__u16 ports_be[2];

	if (protocol->ip_proto != PROTO_UDP || protocol->fragment || bpf_skb_load_bytes(skb, offset, ports_be, PORTS))
		return;
	for (int end = 1; end >= 0; end--) /* the destination's first: a tunnel's source port is any */
		if (!protocol->port && is_known_port(bpf_ntohs(ports_be[end])))
			protocol->port = bpf_ntohs(ports_be[end]);
}

static __always_inline void tell_ipv4(struct __sk_buff *skb, __u32 offset, struct protocol *protocol)
{
	__u8 header[10]; /* up to the protocol */

	if (bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
		return;
	protocol->ip_proto = header[9];
	protocol->fragment = (header[6] & 0x3f) || header[7];
	tell_port(skb, offset + (header[0] & 0xf) * 4, protocol);
}

static __always_inline void tell_ipv6(struct __sk_buff *skb, __u32 offset, struct protocol *protocol)
{
	__u8 header[4] = {};
	__u8 next;

	if (bpf_skb_load_bytes(skb, offset + 6, &next, 1))
		return;
	offset += IPV6_HEADER;
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		if (!is_extension_header(next) || bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
			break;
		if (next == PROTO_FRAGMENT && ((header[2] || header[3] & 0xf9)))
			protocol->fragment = 1;
		offset += next == PROTO_FRAGMENT ? 8 : next == PROTO_AH ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
		next = header[0];
	}
	protocol->ip_proto = next;
	tell_port(skb, offset, protocol);
}

static __always_inline void tell_protocol(struct __sk_buff *skb, struct protocol *protocol)
{
	__u32 offset = 12; /* of the Ethernet header's type */
	__u16 eth_type_be = 0;

	for (int tags = 0; tags <= MAX_VLAN_TAGS; tags++, offset += 4)
		if (bpf_skb_load_bytes(skb, offset, &eth_type_be, sizeof(eth_type_be)) || !is_vlan_tag(eth_type_be))
			break;
	protocol->eth_type = bpf_ntohs(eth_type_be);
	if (eth_type_be == ETH_IPV4)
		tell_ipv4(skb, offset + 2, protocol);
	else if (eth_type_be == ETH_IPV6)
		tell_ipv6(skb, offset + 2, protocol);
}

#endif
