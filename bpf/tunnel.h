/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One level into a tunnel. docs/how-it-works.md has the rules; the Python reference is _rss/tunnels.py. */
#ifndef VIRTNET_RSS_TUNNEL_H
#define VIRTNET_RSS_TUNNEL_H

#include "frame.h"
#include "tunnel_type.h"

enum tunnel_sizes {
	UDP_HEADER = 8,
	TUNNEL_HEADER = 8, /* of each tunnel over UDP */
	GTP_OPTIONS = 4,
	MAX_GTP_EXTENSIONS = 4,
	ETHERIP_HEADER = 2,
};

/* Where an inner packet starts, and what it is: ETH_IPV4, ETH_IPV6, or one of enum more_types. */
struct inner {
	__u32 offset;
	__u32 type_be; /* 0: there is none */
};

static __always_inline void found(struct inner *inner, __u32 offset, __u16 type_be)
{
	inner->offset = offset;
	inner->type_be = type_be;
}

static __always_inline bool is_carried(__u16 type_be)
{
	return type_be == ETH_IPV4 || type_be == ETH_IPV6 || type_be == ETH_BRIDGED;
}

enum gre_flags { GRE_CHECKSUM = 0x8000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000, GRE_OTHER = 0x4c07 };

/* virtio has gre_2784 for IPv4 only, and gre_7676 with IPv6 outside or inside; NVGRE's bytes are those of keyed GRE. */
static __always_inline __u32 gre_types(__u32 flags, __u16 type_be, bool outer_ipv6)
{
	__u32 types;

	if (outer_ipv6 || type_be == ETH_IPV6)
		types = TUNNEL_GRE_7676;
	else
		types = flags & (GRE_KEY | GRE_SEQUENCE) ? TUNNEL_GRE_2890 : TUNNEL_GRE_2784;
	if ((flags & (GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE)) == GRE_KEY && type_be == ETH_BRIDGED)
		types |= TUNNEL_NVGRE;
	return types;
}

/* GRE_OTHER has the bits of RFC 1701 and the version: PPTP, routing. */
static __always_inline void find_in_gre(const __u8 *header, __u32 offset, __u32 wanted, bool outer_ipv6,
					struct inner *inner)
{
	__u32 flags = bpf_ntohs(*(__u16 *)&header[0]);
	__u16 type_be = *(__u16 *)&header[2];

	if (flags & GRE_OTHER || !is_carried(type_be) || !(wanted & gre_types(flags, type_be, outer_ipv6)))
		return;
	found(inner, offset + 4 + 4 * ((flags >> 15) + (flags >> 13 & 1) + (flags >> 12 & 1)), type_be);
}

/* Version 1 of GTP (not GTP'), and a user's packet inside (3GPP TS 29.281). */
static __always_inline bool is_gtp_user_data(const __u8 *header)
{
	return (header[0] & 0xf0) == 0x30 && header[1] == 255;
}

/* An extension's length (in 4 bytes, not 0) is its first byte, the type of the next one its last; 0 ends them. */
static __always_inline void find_in_gtp(struct __sk_buff *skb, const __u8 *header, __u32 offset, struct inner *inner)
{
	__u8 options[GTP_OPTIONS] __attribute__((aligned(4)));
	__u8 next = 0;

	if (!is_gtp_user_data(header))
		return;
	offset += TUNNEL_HEADER;
	if (header[0] & 7) { /* extension headers, sequence number, N-PDU number */
		if (bpf_skb_load_bytes(skb, offset, options, sizeof(options)))
			return;
		offset += GTP_OPTIONS;
		next = header[0] & 4 ? options[3] : 0;
	}
	for (int i = 0; i < MAX_GTP_EXTENSIONS && next; i++) {
		__u8 words;

		if (bpf_skb_load_bytes(skb, offset, &words, 1) || !words)
			return;
		offset += words * 4;
		if (bpf_skb_load_bytes(skb, offset - 1, &next, 1))
			return;
	}
	if (!next)
		found(inner, offset, TYPE_BY_VERSION);
}

/* RFC 7348, with the I bit; draft-ietf-nvo3-vxlan-gpe-12, version 0, with I and without O: without P it is VXLAN. */
static __always_inline void find_in_vxlan(__u32 kind, const __u8 *header, __u32 offset, struct inner *inner)
{
	__u32 next = 3;

	if ((header[0] & (kind == TUNNEL_VXLAN ? 0x08 : 0x39)) != 0x08)
		return;
	if (kind == TUNNEL_VXLAN_GPE && header[0] & 0x04)
		next = header[3];
	if (next == 1 || next == 2 || next == 3)
		found(inner, offset + TUNNEL_HEADER, next == 1 ? ETH_IPV4 : next == 2 ? ETH_IPV6 : ETH_BRIDGED);
}

/* RFC 8926: version 0, no control packet (O). */
static __always_inline void find_in_geneve(const __u8 *header, __u32 offset, struct inner *inner)
{
	__u16 type_be = *(__u16 *)&header[2];

	if (!(header[0] >> 6) && !(header[1] & 0x80) && is_carried(type_be))
		found(inner, offset + TUNNEL_HEADER + (header[0] & 0x3f) * 4, type_be);
}

static __always_inline bool is_one_of(__u16 port_be, const volatile __u16 *ports_be)
{
	return port_be == ports_be[0] || port_be == ports_be[1];
}

static __always_inline __u32 udp_tunnel(__u16 port_be)
{
	const volatile struct tunnel_ports *ports = &steering.features.ports;
	__u32 wanted = steering.features.tunnel_types;

	if (!(steering.features.tunnel_port_bits >> (bpf_ntohs(port_be) & 63) & 1)) /* most ports end here */
		return 0;
	if (wanted & TUNNEL_VXLAN && is_one_of(port_be, ports->vxlan_be))
		return TUNNEL_VXLAN;
	if (wanted & TUNNEL_VXLAN_GPE && is_one_of(port_be, ports->vxlan_gpe_be))
		return TUNNEL_VXLAN_GPE;
	if (wanted & TUNNEL_GENEVE && is_one_of(port_be, ports->geneve_be))
		return TUNNEL_GENEVE;
	if (wanted & TUNNEL_GRE_UDP && is_one_of(port_be, ports->gre_udp_be))
		return TUNNEL_GRE_UDP;
	if (wanted & TUNNEL_GTPU && is_one_of(port_be, ports->gtpu_be))
		return TUNNEL_GTPU;
	return 0;
}

/* Eight bytes at `place` behind the start of layer 4: out of the window where they are there. */
static __always_inline bool read_header(struct __sk_buff *skb, const struct window *window, const struct packet *packet,
					__u32 place, __u8 *header)
{
	if (packet->l4_in_window) {
		__builtin_memcpy(header, &window->bytes[IPV4_HEADER + place], 8);
		return true;
	}
	return !bpf_skb_load_bytes(skb, packet->l4_offset + place, header, 8);
}

static __always_inline void find_in_udp(struct __sk_buff *skb, const struct window *window, const struct packet *packet,
					struct inner *inner)
{
	const __u8 *ports = packet->row == ROW_IPV4 ? &window->ipv4.hash_input[8] : &window->ipv6.hash_input[32];
	__u32 offset = packet->l4_offset + UDP_HEADER;
	__u8 header[8] __attribute__((aligned(8)));
	__u32 kind;

	if (packet->class != CLASS_UDP) /* its ports could not be read */
		return;
	kind = udp_tunnel(*(const __u16 *)&ports[2]);
	if (!kind || !read_header(skb, window, packet, UDP_HEADER, header))
		return;
	if (kind == TUNNEL_GENEVE)
		find_in_geneve(header, offset, inner);
	else if (kind == TUNNEL_GRE_UDP)
		find_in_gre(header, offset, TUNNELS_GRE, false, inner);
	else if (kind == TUNNEL_GTPU)
		find_in_gtp(skb, header, offset, inner);
	else
		find_in_vxlan(kind, header, offset, inner);
}

/* Classes have the tunnels that are wanted only, so the verifier needs `wanted` for what it may leave out. */
static __always_inline void find_inner(struct __sk_buff *skb, const struct window *window, const struct packet *packet,
				       struct inner *inner)
{
	__u32 wanted = steering.features.tunnel_types, tunnel = packet->tunnel, offset = packet->l4_offset;
	__u8 header[8] __attribute__((aligned(8)));

	if (wanted & (TUNNEL_IPIP | TUNNEL_IP6TNL) && tunnel == CLASS_TUNNEL_IPV4) {
		found(inner, offset, ETH_IPV4);
	} else if (wanted & TUNNEL_IP6TNL && tunnel == CLASS_TUNNEL_IPV6) {
		found(inner, offset, ETH_IPV6);
	} else if (wanted & TUNNELS_UDP && tunnel == CLASS_TUNNEL_UDP) {
		find_in_udp(skb, window, packet, inner);
	} else if (wanted & (TUNNELS_GRE | TUNNEL_ETHERIP) && read_header(skb, window, packet, 0, header)) {
		if (wanted & TUNNELS_GRE && tunnel == CLASS_TUNNEL_GRE)
			find_in_gre(header, offset, wanted, packet->row != ROW_IPV4, inner);
		else if (wanted & TUNNEL_ETHERIP && tunnel == CLASS_TUNNEL_ETHERIP && header[0] == 0x30 && !header[1])
			found(inner, offset + ETHERIP_HEADER, ETH_BRIDGED);
	}
}

/* The window holds the outer IP header again. */
static __always_inline void return_to_outer(struct __sk_buff *skb, struct window *window, struct packet *packet, __u32 row,
					    __u32 l3_offset)
{
	packet->row = row;
	packet->l3_offset = l3_offset;
	if (row == ROW_IPV4) {
		if (bpf_skb_load_bytes(skb, l3_offset, window->bytes, IPV4_HEADER))
			packet->row = ROW_NONE;
	} else if (bpf_skb_load_bytes(skb, l3_offset, window->bytes, IPV6_HEADER)) {
		packet->row = ROW_NONE;
	}
}

/* The packet becomes the one inside, if there is one; when that is no IP, the addresses outside are all there is. */
static __always_inline void enter_tunnel(struct __sk_buff *skb, struct window *window, struct packet *packet)
{
	struct inner inner = {};
	__u32 row = packet->row, l3_offset = packet->l3_offset;
	__u32 offset, type_be;

	find_inner(skb, window, packet, &inner);
	type_be = forgotten(skb, inner.type_be);
	offset = forgotten(skb, inner.offset);
	if (!type_be)
		return;
	*packet = (struct packet){};
	if (type_be == ETH_BRIDGED)
		parse_frame(skb, offset, TYPE_IN_FRAME, false, window, packet);
	else
		parse_frame(skb, offset - ETH_HEADER, type_be, false, window, packet);
	if (!packet->row)
		return_to_outer(skb, window, packet, row, l3_offset);
}

#endif
