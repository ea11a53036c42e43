/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A steering program in form only: the collection can fill and load it, and the compiler's -DQUEUE is what it computes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile unsigned char rodata[RODATA_SIZE] SEC(".rodata") = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[10]);
} queue_counters SEC(".maps");

SEC("socket")
int virtnet_rss(struct __sk_buff *skb)
{
	return QUEUE;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
