/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet socket has for its filter when it watches a device: it goes on in the observer. The length of a filter
 * counts against the socket's own memory (net.core.optmem_max, 20 KiB before Linux 6.8), and the observer is longer.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} observer SEC(".maps");

SEC("socket")
int virtnet_enter(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &observer, 0);
	return 0; /* never, for the observer is there */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
