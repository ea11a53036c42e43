// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* XDP that puts every packet of a device straight into another one, as a host's fast path does. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return bpf_redirect(IFINDEX, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
