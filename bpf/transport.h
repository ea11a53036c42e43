/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which hash type a packet gets in the full program, and the four bytes that stand in the place of its ports. */
#ifndef VIRTNET_RSS_TRANSPORT_H
#define VIRTNET_RSS_TRANSPORT_H

#include "tunnel.h"

enum { ESP_PORT_BE = bpf_htons(4500) }; /* RFC 3948 */

static __always_inline bool is_on(enum hash_type type)
{
	return steering.config.hash_types & (1U << (type - 1));
}

/* The hash type of a packet with this class; HASH_NONE for one that is not hashed. */
static __always_inline enum hash_type type_of(const struct packet *packet)
{
	__u64 place = packet->row * CLASS_COUNT + packet->class;

	/* The mask comes last, alone and 64 bits wide: Linux 5.10 loses the bounds of an "or". */
	asm volatile("" : "+r"(place));
	place &= ROW_COUNT * CLASS_COUNT - 1;
	return steering.features.types[place];
}

static __always_inline __u8 *four_bytes(struct window *window, const struct packet *packet)
{
	return packet->row == ROW_IPV4 ? &window->ipv4.hash_input[8] : &window->ipv6.hash_input[32];
}

/* The TEID of GTP-U that is not looked into; tells whether it is one. */
static __always_inline bool take_tunnel_endpoint(struct __sk_buff *skb, __u8 *four, struct packet *packet)
{
	__u8 header[8] __attribute__((aligned(8)));

	if (!is_one_of(*(__u16 *)&four[2], steering.features.ports.gtpu_be) ||
	    bpf_skb_load_bytes(skb, packet->l4_offset + UDP_HEADER, header, sizeof(header)) || !is_gtp_user_data(header))
		return false;
	*(__u32 *)four = *(__u32 *)&header[4];
	packet->class = CLASS_GTPU_TEID;
	return true;
}

/* The SPI of ESP in UDP; four zeros are IKE's mark of what is no ESP. */
static __always_inline void take_spi(struct __sk_buff *skb, __u8 *four, struct packet *packet)
{
	__u32 spi;

	if (*(__u16 *)&four[0] != ESP_PORT_BE && *(__u16 *)&four[2] != ESP_PORT_BE)
		return;
	if (bpf_skb_load_bytes(skb, packet->l4_offset + UDP_HEADER, &spi, sizeof(spi)) || !spi)
		return;
	*(__u32 *)four = spi;
	packet->class = CLASS_ESP_UDP;
}

/* What UDP carries may tell flows apart better than its ports. */
static __always_inline void refine_udp(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	__u8 *four = four_bytes(window, packet);

	if (packet->class != CLASS_UDP)
		return;
	if (is_on(HASH_GTPU_TEID) && take_tunnel_endpoint(skb, four, packet))
		return;
	if (is_on(HASH_ESP_UDP))
		take_spi(skb, four, packet);
}

/* RFC 6437, for packets that would have nothing but addresses. Not before ports: Linux changes labels of a connection. */
static __always_inline void use_flow_label(struct window *window, struct packet *packet)
{
	enum hash_type type = type_of(packet);
	__u32 label_be = *(__u32 *)window->bytes & bpf_htonl(0xfffff);

	if (packet->row < ROW_IPV6 || !label_be || (type != HASH_NONE && type != HASH_IPV6 && type != HASH_IPV6_EX))
		return;
	*(__u32 *)&window->ipv6.hash_input[32] = label_be;
	packet->class = CLASS_FLOW_LABEL;
}

#endif
