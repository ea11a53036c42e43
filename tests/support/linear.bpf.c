/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A test's steering program: queue 1 for a packet whose IP header is in the skb's linear part, queue 2 for any other. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int linear(struct __sk_buff *skb)
{
	__u8 version_ihl;

	/* Unlike bpf_skb_load_bytes, this helper does not see page fragments. */
	return bpf_skb_load_bytes_relative(skb, 0, &version_ihl, 1, BPF_HDR_START_NET) ? 2 : 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
