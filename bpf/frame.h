/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An Ethernet frame, the one that the device gets or one inside of a tunnel, up to its IP packet. */
#ifndef VIRTNET_RSS_FRAME_H
#define VIRTNET_RSS_FRAME_H

#include "layers.h"
#include "shim.h"

/* What parse_frame takes besides ETH_IPV4 and ETH_IPV6. */
enum more_types {
	TYPE_IN_FRAME = 0, /* as the Ethernet header says */
	TYPE_BY_VERSION = 1, /* IP or something else, as the first four bits say */
};

/*
 * Parses what is at `offset`: an Ethernet frame, or with another `type_be` a packet of which `offset` is 14 bytes in front.
 * A shim and the tag are looked at in the outermost frame alone.
 */
static __always_inline void parse_frame(struct __sk_buff *skb, __u64 offset, __u16 type_be, bool outermost,
					struct window *window, struct packet *packet)
{
	__u32 readable = load_window(skb, offset, outermost && type_be == TYPE_IN_FRAME, window);
	__u32 shim = 0;

	if (type_be != TYPE_IN_FRAME) {
		window->eth_type_be = type_be == TYPE_BY_VERSION ? type_by_version(window) : type_be;
	} else if (is_vlan_tag(window->eth_type_be)) {
		if (outermost && steering.features.pin_count && !packet->tci && readable >= ETH_HEADER + 2)
			packet->tci = bpf_ntohs(*(__u16 *)window->bytes) | TCI_TAGGED;
		offset += size_of_tags(window);
		readable = load_window(skb, offset, false, window);
	}
	if (readable < ETH_HEADER)
		return;
	if (window->eth_type_be != ETH_IPV4 && outermost && steering.features.tunnel_types & TUNNELS_SHIM)
		shim = size_of_shim(window, readable - ETH_HEADER);
	if (shim) {
		offset += forgotten(skb, shim);
		readable = load_window(skb, offset, false, window);
		window->eth_type_be = type_by_version(window);
		if (readable < ETH_HEADER)
			return;
	}
	packet->l3_offset = offset + ETH_HEADER;
	parse_ip(skb, window->eth_type_be, readable - ETH_HEADER, window, packet);
}

/* A layer 3 device has no Ethernet header: the version stands for the type. */
static __always_inline void parse_layer3(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	__u32 readable = load_up_to(skb, 0, &window->ipv4, WINDOW - ETH_HEADER);

	parse_ip(skb, type_by_version(window), readable, window, packet);
}

#endif
