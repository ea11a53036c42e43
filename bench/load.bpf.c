/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The floor: as many bytes as addresses and ports of both families need, and nothing else. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BYTES 58 /* Ethernet, IPv6 and the ports */

SEC("socket")
int load(struct __sk_buff *skb)
{
	__u8 bytes[BYTES];

	if (bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes)))
		return 0;
	return bytes[BYTES - 1];
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
