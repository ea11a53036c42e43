/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live table: which queue each entry has now, so that entries can move while the program runs, and what they carry. */
#ifndef VIRTNET_RSS_LIVE_H
#define VIRTNET_RSS_LIVE_H

#include "config.h"

/* In .bss: one map of a page, which Python writes through memory that it shares with the kernel. */
struct live_table live_table = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry_counters);
} entry_counters SEC(".maps");

static __always_inline void count_entry(__u32 entry)
{
	struct entry_counters *counters;
	__u32 only = 0;

	counters = bpf_map_lookup_elem(&entry_counters, &only);
	if (counters)
		counters->packets[entry]++;
}

/*
 * An entry changes its queue when it has been silent for so long that the old queue has handed its packets to the guest,
 * or at its deadline: its flows stay in order. Only while it waits its packets take the time. CPUs that do so at once can
 * only bring the change forward by the tick between them.
 */
static __always_inline __u32 move_if_silent(volatile struct live_entry *entry, __u32 from, __u32 to)
{
	__u32 seen = entry->seen, asked = entry->asked;
	__u32 now = bpf_jiffies64(); /* after what other CPUs have noted, which so is never later */
	__s32 silent = now - seen, waiting = (__u16)(now - asked);

	if (!seen) { /* the first packet since it was asked to move; only now is anything known of its silence */
		entry->asked = now;
	} else if (silent > (__s32)steering.guard.idle_jiffies || waiting >= (__s32)steering.guard.deadline_jiffies) {
		entry->current = to;
		entry->seen = 0;
		return to;
	}
	entry->seen = now;
	return from;
}

static __always_inline __u32 queue_of(__u32 number)
{
	volatile struct live_entry *entry = &live_table.entries[number];
	__u32 current = entry->current, wanted = entry->wanted;

	count_entry(number);
	return current == wanted ? current : move_if_silent(entry, current, wanted);
}

#endif
