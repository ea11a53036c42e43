/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Brings the headers of a packet to the stack: by one helper call, or (-DDIRECT=1) by loads from the packet itself. */
#ifndef VIRTNET_RSS_WINDOW_H
#define VIRTNET_RSS_WINDOW_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "config.h"

#ifndef DIRECT
#define DIRECT 0
#endif

enum eth_type_be {
	ETH_IPV4 = bpf_htons(0x0800),
	ETH_IPV6 = bpf_htons(0x86dd),
	ETH_8021Q = bpf_htons(0x8100),
	ETH_8021AD = bpf_htons(0x88a8),
	ETH_QINQ = bpf_htons(0x9100), /* before 802.1ad */
	ETH_BRIDGED = bpf_htons(0x6558), /* an Ethernet frame, in GRE and GENEVE */
	ETH_MPLS = bpf_htons(0x8847),
	ETH_MPLS_MULTICAST = bpf_htons(0x8848),
	ETH_PPPOE = bpf_htons(0x8864), /* of a session */
};

enum frame_sizes {
	ETH_HEADER = 14,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	PORTS = 4,
	WINDOW = ETH_HEADER + IPV6_HEADER + PORTS, /* 58: enough for TCP/IPv4 and TCP/IPv6 */
	/* Direct loads are 8 bytes each, and the full program compares addresses 8 bytes at a time. */
	IN_WORDS = DIRECT || FULL,
	LAYER3_BYTES = IN_WORDS ? 48 : IPV6_HEADER + PORTS,
};

static __always_inline bool is_vlan_tag(__u16 eth_type_be)
{
	return eth_type_be == ETH_8021Q || eth_type_be == ETH_8021AD || eth_type_be == ETH_QINQ;
}

/*
 * The headers as if the packet had no VLAN tag, no IPv4 option and no extension header: what lies further back is loaded
 * into the place it would have then. So the hash input (addresses, then ports) is contiguous in every case.
 */
struct window {
	__u8 pad[2]; /* aligns layer 3: the verifier wants aligned stack access */
	__u8 mac[12];
	__u16 eth_type_be;
	union {
		struct {
			__u8 version_ihl;
			__u8 tos;
			__u16 total_length_be;
			__u16 id_be;
			__u16 fragment_be;
			__u8 ttl;
			__u8 l4_proto;
			__u16 checksum_be;
			__u8 hash_input[8 + PORTS];
		} ipv4;
		struct {
			__u8 version_class;
			__u8 flow_label[3];
			__u16 payload_length_be;
			__u8 next_header;
			__u8 hop_limit;
			__u8 hash_input[32 + PORTS];
		} ipv6;
		__u8 bytes[LAYER3_BYTES];
	};
} __attribute__((aligned(IN_WORDS ? 8 : 2)));

/* The same number, of which the verifier knows nothing any more: paths with different ones become one. */
static __always_inline __u64 forgotten(struct __sk_buff *skb, __u64 number)
{
	__u64 unknown = skb->len;

	asm volatile("%0 ^= %1" : "+r"(number) : "r"(unknown));
	asm volatile("%0 ^= %1" : "+r"(number) : "r"(unknown));
	return number;
}

/*
 * Loads up to size bytes at offset; tells how many of them the packet has, or 0 for an unreadable packet. 64-bit lengths:
 * with -mcpu=v1 and v2 a 32-bit one is compared as a copy, and the verifier would not learn the bound of the original.
 */
static __always_inline __u32 load_up_to(struct __sk_buff *skb, __u64 offset, void *to, __u64 size)
{
	__u64 length = skb->len;

	if (length <= offset)
		return 0;
	length -= offset;
	if (length >= size)
		return bpf_skb_load_bytes(skb, offset, to, size) ? 0 : size;
	/*
	 * Between 1 and size - 1, which the verifier of Linux 5.10 has forgotten: it learns it again from a comparison that the
	 * compiler cannot know the result of. It learns nothing from "not 0", so the range starts there.
	 */
	length -= 1;
	asm volatile("" : "+r"(length));
	if (length >= size)
		return 0;
	length += 1;
	return bpf_skb_load_bytes(skb, offset, to, length) ? 0 : length;
}

#if DIRECT
#include <bpf/bpf_core_read.h>

/* The kernel's own, of which libbpf finds the places at load time. */
struct sk_buff {
	unsigned int data_len; /* bytes that are not in the linear part */
	unsigned char *data;
} __attribute__((preserve_access_index));

/* Nothing but seven 64-bit numbers in a row, which every kernel has in its BTF: a pointer to one reads 56 bytes. */
struct rtnl_link_stats64 {
	__u64 rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *) __ksym;
extern void *bpf_rdonly_cast(const void *, __u32) __ksym;

/* Then what is behind the ports of IPv4 matters too. */
static __always_inline bool looks_into_tunnels(void)
{
#if FULL
	return steering.features.tunnel_types;
#else
	return false;
#endif
}

/* Whether anything is looked for behind the Ethernet header; ARP, LLDP and the like end here. */
static __always_inline bool has_more(__u16 eth_type_be)
{
	if (eth_type_be == ETH_IPV4 || eth_type_be == ETH_IPV6 || is_vlan_tag(eth_type_be))
		return true;
	return FULL && (eth_type_be == ETH_PPPOE || eth_type_be == ETH_MPLS || eth_type_be == ETH_MPLS_MULTICAST);
}

/*
 * The window's 58 bytes as loads that the JIT inlines, where the packet is linear that far; tells whether it was. A packet
 * may end inside: what follows in its buffer is read then, and nobody looks at it, for `readable` says where it ends.
 * The first six bytes stay out, so that layer 3 lies at a multiple of 8 on both sides.
 */
static __always_inline bool load_directly(struct __sk_buff *ctx, __u64 offset, bool is_frame, struct window *window)
{
	const struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);
	const struct rtnl_link_stats64 *from;
	__u64 *to = (__u64 *)window;

	if (skb->data_len && ctx->len - skb->data_len < offset + WINDOW)
		return false;
	from = bpf_rdonly_cast(skb->data + offset + 6, bpf_core_type_id_kernel(struct rtnl_link_stats64));
	to[1] = from->rx_packets;
	if (is_frame && !has_more(window->eth_type_be))
		return true;
	to[2] = from->tx_packets;
	to[3] = from->rx_bytes;
	to[4] = from->tx_bytes;
	if (looks_into_tunnels() || window->eth_type_be != ETH_IPV4) {
		to[5] = from->rx_errors;
		to[6] = from->tx_errors;
		to[7] = from->rx_dropped;
	}
	return true;
}
#endif

/*
 * Fills the window from offset on; tells how many of its bytes the packet has, or 0 for an unreadable packet. Of a frame,
 * what is behind an Ethernet type that nobody looks behind may be left out.
 */
static __always_inline __u32 load_window(struct __sk_buff *skb, __u64 offset, bool is_frame, struct window *window)
{
	__u64 readable;

	(void)is_frame; /* one helper call reads all */
#if DIRECT
	if (skb->len > offset && load_directly(skb, offset, is_frame, window))
		readable = skb->len - offset < WINDOW ? skb->len - offset : WINDOW;
	else
#endif
		readable = load_up_to(skb, offset, window->mac, WINDOW);
	return FULL ? forgotten(skb, readable) : readable;
}

#endif
