/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The layout that the steering program shares with Python; embed.py generates the Python side from its BTF. */
#ifndef VIRTNET_RSS_ABI_H
#define VIRTNET_RSS_ABI_H

#include <linux/types.h>

enum abi {
	ABI_MAGIC = 0x53525356, /* "VSRS" in memory on a little-endian host */
	ABI_LAYOUT_VERSION = 1, /* raise it with every change of struct rodata */
	HASH_KEY_SIZE = 40, /* virtio_net_config.rss_max_key_size in QEMU, and Microsoft's RSS */
	HASH_INPUT_MAX = 36, /* two IPv6 addresses and two ports */
	INDIRECTION_MAX = 512,
	DEVICE_NAME_SIZE = 16, /* IFNAMSIZ */
};

/* Why a packet got its queue. Bit (n - 1) of hash_types enables type n, as virtio 1.x section 5.1.6.4.3 numbers them. */
enum hash_type {
	HASH_NONE, /* sent to the default queue */
	HASH_IPV4,
	HASH_TCPV4,
	HASH_UDPV4,
	HASH_IPV6,
	HASH_TCPV6,
	HASH_UDPV6,
	HASH_IPV6_EX,
	HASH_TCPV6_EX,
	HASH_UDPV6_EX,
	HASH_TYPE_COUNT,
};

/* Whose program this is: written before load, frozen with the rest of .rodata. */
struct identity {
	enum abi magic; /* ABI_MAGIC; typed so that the constants reach the BTF */
	__u32 layout_version;
	__u64 netns_inode; /* network namespace of the device when it was attached */
	__u32 ifindex;
	__u32 pad;
	char device[DEVICE_NAME_SIZE];
};

/*
 * What the program computes. Host byte order except hash_key. Everything is constant for the verifier, which deletes
 * the branches that a configuration does not use.
 */
struct rss_config {
	__u32 hash_types;
	__u16 indirection_mask; /* table length - 1; the length is a power of two */
	__u16 default_queue;
	__u8 redirect;
	__u8 statistics;
	__u8 l3_offset; /* 14 behind an Ethernet header, 0 on a layer 3 device (IFF_TUN) */
	__u8 pad[5];
	__u8 hash_key[HASH_KEY_SIZE];
	__u16 indirection[INDIRECTION_MAX];
	/* toeplitz[i][b]: the part of the hash that byte b at place i of the hash input gives */
	__u32 toeplitz[HASH_INPUT_MAX][256];
};

struct steering {
	struct identity identity;
	struct rss_config config;
};

/* One element of the per-CPU map queue_counters; the map's key is the queue. */
struct queue_counters {
	__u64 packets[HASH_TYPE_COUNT];
};

_Static_assert(sizeof(struct identity) == 40, "identity has no hidden padding");
_Static_assert(sizeof(struct rss_config) == 16 + 40 + 1024 + 36 * 1024, "rss_config has no hidden padding");
_Static_assert(__builtin_offsetof(struct steering, config) == 40, "config follows identity");

#endif
