/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What lies between an Ethernet header and the IP packet without being a packet itself: PPPoE and MPLS. */
#ifndef VIRTNET_RSS_SHIM_H
#define VIRTNET_RSS_SHIM_H

#include "layers.h"
#include "tunnel_type.h"

enum { PPPOE_HEADER = 8, MPLS_LABEL = 4 };

/* The header of a session's packet, and the protocol of PPP (RFC 2516): IPv4 or IPv6, else 0. */
static __always_inline __u32 size_of_pppoe(const struct window *window, __u32 readable)
{
	const __u16 *halves_be = (const __u16 *)window->bytes;

	if (readable < PPPOE_HEADER || halves_be[0] != bpf_htons(0x1100)) /* version and type 1, code 0 */
		return 0;
	return halves_be[3] == bpf_htons(0x0021) || halves_be[3] == bpf_htons(0x0057) ? PPPOE_HEADER : 0;
}

/* Labels up to the one with the bottom bit (RFC 3032); 0 when it is not among the first MAX_LABELS. */
static __always_inline __u32 size_of_labels(const struct window *window, __u32 readable)
{
#pragma unroll
	for (__u32 label = 0; label < MAX_LABELS; label++) {
		if (readable < (label + 1) * MPLS_LABEL)
			return 0;
		if (window->bytes[label * MPLS_LABEL + 2] & 1)
			return (label + 1) * MPLS_LABEL;
	}
	return 0;
}

/* `readable` bytes of the window are behind the Ethernet header. 0 for no shim, or one that is not looked through. */
static __always_inline __u32 size_of_shim(const struct window *window, __u32 readable)
{
	__u32 wanted = steering.features.tunnel_types;

	if (wanted & TUNNEL_PPPOE && window->eth_type_be == ETH_PPPOE)
		return size_of_pppoe(window, readable);
	if (wanted & TUNNEL_MPLS && (window->eth_type_be == ETH_MPLS || window->eth_type_be == ETH_MPLS_MULTICAST))
		return size_of_labels(window, readable);
	return 0;
}

#endif
