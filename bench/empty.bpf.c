/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What BPF_PROG_TEST_RUN itself costs: taken off every other figure. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
